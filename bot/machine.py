"""What only the machine knows: the time of day, seconds that are never set, chance, and names that nobody else has.

Nothing else of Linesman asks the machine for them. The wiring hands them to every part that needs them, so that all of
it can be run in another time, and twice the same way.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

#: The clock that counts a suspension, where there is one of its own for that (Linux, clock_gettime(2)).
_STEADY: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def utc_now() -> datetime:
    """Return the time of day, aware, in UTC."""
    return datetime.fromtimestamp(time.time(), UTC)


def wall() -> float:
    """Return the time of day in seconds since 1970."""
    return time.time()


def steady() -> float:
    """Return seconds that count steadily, are never set, and go on while the machine is suspended.

    Others take work over meanwhile, and whoever wakes up has to know how long it was away.
    """
    return time.clock_gettime(_STEADY)


def chance() -> float:
    """Return a number from 0 to 1; it keeps no secret."""
    return random.random()  # noqa: S311 - pauses are spread by it


def unique() -> str:
    """Return 32 letters and digits that were never returned before, by any process."""
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What the wiring hands in; this machine's own unless something else is given."""

    clock: Callable[[], datetime] = utc_now
    steady: Callable[[], float] = steady
    chance: Callable[[], float] = chance
    unique: Callable[[], str] = unique

    def wall(self) -> float:
        """Return the time of day in seconds since 1970."""
        return self.clock().timestamp()
