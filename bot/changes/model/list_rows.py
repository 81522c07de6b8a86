"""Rows and pages of lists of changes; a row costs the same for 100,000 numbers as for 3.

Lists grow at their newer end, so a page is identified by the entry that it follows, never by an offset. A page stays
the same however many entries arrive meanwhile, and reading it costs the same wherever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from bot.changes.model.batches import Operation, Tally
from bot.changes.model.lifecycle import ChangeState, Outcome
from bot.changes.model.messages import MessageRef
from bot.changes.model.public_ids import public_id

Entry = TypeVar("Entry")
_Shown_co = TypeVar("_Shown_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position of a page: beside the entry ``id``, on its older or its newer side."""

    id: int
    newer: bool = False

    def __str__(self) -> str:
        return f"{'>' if self.newer else '<'}{self.id}"


def read_cursor(text: str) -> Cursor | None:
    """Return the cursor that ``str(cursor)`` wrote; None, meaning the newest page, for anything else."""
    digits = text[1:]
    if text[:1] not in {"<", ">"} or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    return Cursor(int(digits), newer=text[0] == ">")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[_Shown_co]):
    """Some entries, newest first, and cursors for the neighbouring pages."""

    entries: Sequence[_Shown_co] = ()
    older: Cursor | None = None
    newer: Cursor | None = None


def cut(
    found: Sequence[Entry], cursor: Cursor | None, limit: int, id_of: Callable[[Entry], int]
) -> ListPage[Entry] | None:
    """Return the page of up to ``limit`` entries.

    ``found`` holds one entry more than a page, if there is one, and begins beside the cursor: newest first, or oldest
    first for a cursor on the newer side. None when the newest page must be read instead, as this one would be a shorter
    part of it, or empty.
    """
    more = len(found) > limit
    shown = list(found[:limit])
    if cursor is not None and (not shown or (cursor.newer and not more)):
        return None
    if cursor is not None and cursor.newer:
        shown.reverse()
        return ListPage(shown, Cursor(id_of(shown[-1])), Cursor(id_of(shown[0]), newer=True))
    older = Cursor(id_of(shown[-1])) if more else None
    return ListPage(shown, older, Cursor(id_of(shown[0]), newer=True) if cursor is not None else None)


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
    #: Numbers in the plan; 0 without one.
    numbers: int
    #: Names of the settings that the plan changes.
    settings: tuple[str, ...]
    card: MessageRef
    created_at: datetime
    started_at: datetime | None
    #: Since when it waits for approval under the current stages of its rule; None before the request.
    waits_since: datetime | None = None
    #: Most numbers that a filter handed to the provider may match; 0 when every number is in the plan.
    unknown: int = 0
    #: The stage that a request waits for; empty where its rule has only one, and for other states.
    stage: str = ""
    #: When it ends, if it is temporary.
    until: datetime | None = None
    #: Its numbers by state; all zero before it has begun.
    tally: Tally = field(default_factory=Tally)

    @property
    def size(self) -> int:
        """How many numbers it has, or may have; the policy goes by this."""
        return self.numbers or self.unknown

    @property
    def public_id(self) -> str:
        """``CHG-42``."""
        return public_id(self.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryRow:
    """One line in the history of a number: a change, and its result for this number."""

    change: ListRow
    operation: Operation
    #: Setting name -> {id: human name}, as people read them when it was planned.
    labels: Mapping[str, Mapping[str, str]]
