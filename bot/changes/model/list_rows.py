"""What a list shows of a change: little enough that a change of 100,000 numbers costs no more than one of three."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.changes.model.batches import Operation, Tally
from bot.changes.model.change import MessageRef, public_id
from bot.changes.model.lifecycle import ChangeState, Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class ListRow:
    """A change without its numbers, its draft and its plan."""

    id: int
    kind: str
    state: ChangeState
    outcome: Outcome | None
    #: Slack user id.
    requester: str
    reason: str
    #: Numbers in the plan; 0 while there is none.
    numbers: int
    #: Names of the settings that the plan changes.
    settings: tuple[str, ...]
    card: MessageRef
    created_at: datetime
    started_at: datetime | None
    #: Where its numbers are; all zero before it has begun.
    tally: Tally = field(default_factory=Tally)

    @property
    def public_id(self) -> str:
        """``CHG-42``."""
        return public_id(self.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryRow:
    """One line in the history of a number: a change, and what became of this number in it."""

    change: ListRow
    operation: Operation
    #: Setting name -> {id: human name}, as people read them when it was planned.
    labels: Mapping[str, Mapping[str, str]]
