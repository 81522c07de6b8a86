"""The machine's own facts: the time of day, a steady clock, chance, and unique names.

No other code of Linesman asks the machine for them. The wiring passes them to every part that needs them, so that all
of it can run in another time, and twice in the same way.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

#: The clock that also counts suspension, if the system has one (Linux, clock_gettime(2)).
_STEADY: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def utc_now() -> datetime:
    """Return the time of day, aware, in UTC."""
    return datetime.fromtimestamp(time.time(), UTC)


def wall() -> float:
    """Return the time of day in seconds since 1970."""
    return time.time()


def steady() -> float:
    """Return seconds of a clock that is never set and continues while the machine is suspended.

    Others take work over meanwhile, so a machine that wakes up must know how long it was suspended.
    """
    return time.clock_gettime(_STEADY)


def chance() -> float:
    """Return a number from 0 to 1; not for secrets."""
    return random.random()  # noqa: S311 - pauses are spread by it


def unique() -> str:
    """Return 32 letters and digits that were never returned before, by any process."""
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """The facts that the wiring passes on; by default those of this machine."""

    clock: Callable[[], datetime] = utc_now
    steady: Callable[[], float] = steady
    chance: Callable[[], float] = chance
    unique: Callable[[], str] = unique

    def wall(self) -> float:
        """Return the time of day in seconds since 1970."""
        return self.clock().timestamp()
