"""A batch that Linesman carries out number by number, because its provider has no call for many.

A run is to such a provider what a background job is to the others. Its numbers are written down before anything is
sent, each is marked as sent before its request goes out, and each gets its outcome when it has one: whoever finds a
run after a crash knows for every number whether a request may have gone out. A number is marked only while nothing
halts the run, in the same transaction that looks: so a freeze and a stop take hold between two numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Self

from bot.changes.model.values import Values
from bot.changes.policy import OnStale


class NumberState(Enum):
    """Where one number of a run is."""

    WAITING = "waiting"  #: nothing has been sent
    SENT = "sent"  #: committed just before its request: after a crash nobody knows whether it went out
    SUCCEEDED = "succeeded"  #: the provider says that it has the new values, or it was read and has them
    FAILED = "failed"  #: it does not have them
    UNKNOWN = "unknown"  #: its request went out, and nobody can tell what became of it
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
    #: Its values as the plan found them, of what is sent, as far as the provider told them.
    before: Values
    #: What is sent: only settings that differ from ``before``.
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
    #: How often the run was put off because of it.
    rests: int = 0

    @property
    def attempted(self) -> bool:
        """Whether it was, or may have been, sent."""
        return self.state not in {NumberState.WAITING, NumberState.NOT_ATTEMPTED}

    @property
    def known(self) -> bool:
        """Whether anybody can tell what became of it."""
        return self.state is not NumberState.UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Halt:
    """Why no further number of a run may be sent."""

    #: Our code for the numbers that are not attempted because of it; empty for a freeze and a closed change window.
    code: str = ""
    #: The same for people.
    reason: str = "An operator has frozen submissions."

    @classmethod
    def outside_window(cls) -> Self:
        """Return that the change window is closed, which holds it back until the window opens."""
        return cls(reason="The change window is closed.")

    @property
    def for_good(self) -> bool:
        """Whether the run was stopped; what is only held back goes on once the freeze is lifted or the window opens."""
        return bool(self.code)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run as it was at ``read_at``."""

    id: str
    reference: str
    kind: str
    created_at: datetime
    #: When the first number was taken up; None before.
    started_at: datetime | None
    #: When the last number had its outcome; None before.
    over_at: datetime | None
    read_at: datetime
    numbers: tuple[RunNumber, ...]
    #: What follows when a number of it is stale.
    on_stale: OnStale = OnStale.STOP
    #: Why none of its waiting numbers may be sent; None when they may.
    halt: Halt | None = None
    #: The context of the trace to which it belongs; empty when it has none.
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
