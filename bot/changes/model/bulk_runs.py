"""A batch that Linesman carries out number by number, because its provider has no bulk call.

For such a provider, a run is what a background job is for others. Its numbers are written down before anything is sent,
each is marked as sent before its request goes out, and each gets its outcome when there is one. So after a crash, a run
shows for every number whether a request may have gone out. A number is marked only while nothing halts the run, in the
transaction that checks this: so a freeze or a stop takes effect between two numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Self

from bot.changes.model.values import Values
from bot.changes.policy import OnStale


class NumberState(Enum):
    """The state of one number of a run."""

    WAITING = "waiting"  #: nothing has been sent
    SENT = "sent"  #: committed just before its request: after a crash nobody knows whether it went out
    SUCCEEDED = "succeeded"  #: the provider says that it has the new values, or it was read and has them
    FAILED = "failed"  #: it does not have them
    UNKNOWN = "unknown"  #: its request went out, and its outcome is unknown
    NOT_ATTEMPTED = "not_attempted"  #: the run stopped before it was sent

    @property
    def over(self) -> bool:
        """Whether this is an outcome."""
        return self not in {NumberState.WAITING, NumberState.SENT}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewNumber:
    """One number of a run that is about to begin."""

    id: str
    e164: str
    #: The values of the sent settings when the plan was made, as far as the provider returned them.
    before: Values
    #: The values sent: only settings that differ from ``before``.
    wanted: Values


@dataclass(frozen=True, kw_only=True, slots=True)
class RunNumber:
    """One number of a run."""

    position: int
    id: str
    e164: str
    before: Values
    wanted: Values
    state: NumberState
    code: str = ""
    reason: str = ""
    pointer: str = ""
    #: How often the run was put off because of this number.
    rests: int = 0

    @property
    def attempted(self) -> bool:
        """Whether it was, or may have been, sent."""
        return self.state not in {NumberState.WAITING, NumberState.NOT_ATTEMPTED}

    @property
    def known(self) -> bool:
        """Whether its outcome is known."""
        return self.state is not NumberState.UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Halt:
    """Why no further number of a run may be sent."""

    #: Our code for numbers not attempted because of it; empty for a freeze and a closed change window.
    code: str = ""
    #: The same for people.
    reason: str = "An operator has frozen submissions."

    @classmethod
    def outside_window(cls) -> Self:
        """Return the halt of a closed change window, which lasts until the window opens."""
        return cls(reason="The change window is closed.")

    @property
    def for_good(self) -> bool:
        """Whether the run was stopped; a halt by a freeze or a window ends with it."""
        return bool(self.code)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run as it was at ``read_at``."""

    id: str
    reference: str
    kind: str
    created_at: datetime
    #: When the first number was started; None before.
    started_at: datetime | None
    #: When the last number had its outcome; None before.
    over_at: datetime | None
    read_at: datetime
    numbers: tuple[RunNumber, ...]
    #: What follows when one of its numbers is stale.
    on_stale: OnStale = OnStale.STOP
    #: Why none of its waiting numbers may be sent; None when they may.
    halt: Halt | None = None
    #: The context of the trace that it belongs to; empty without one.
    trace: str = ""

    def in_state(self, *states: NumberState) -> tuple[RunNumber, ...]:
        """Return the numbers that are in one of ``states``."""
        return tuple(number for number in self.numbers if number.state in states)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What happened to one number of a run."""

    position: int
    state: NumberState
    code: str = ""
    reason: str = ""
    pointer: str = ""
    rests: int = 0
