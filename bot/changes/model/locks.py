"""What prevents numbers from being changed: locks of other changes, and an operator's freeze."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.changes.model.lifecycle import ChangeState


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Numbers of a plan that another change holds."""

    change: int
    requester: str
    since: datetime
    #: How many of the plan's numbers it holds.
    numbers: int
    #: When it ends, if it is temporary.
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """A change's hold on its numbers."""

    change: int
    provider: str
    #: How many numbers it holds.
    numbers: int
    since: datetime
    requester: str
    #: The state of the change.
    state: ChangeState
    #: When it is to start, if scheduled.
    starts: datetime | None = None
    #: When it ends, if it is temporary.
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Freeze:
    """An operator's order that nothing is submitted."""

    by: str
    reason: str
    at: datetime
