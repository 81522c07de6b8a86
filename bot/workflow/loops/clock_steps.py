"""Noticing that the wall clock was set, so that its time no longer follows from its last one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from bot.workflow.ports import Clock

log = structlog.get_logger(__name__)

#: Difference that a measurement may find: NTP's corrections between two measurements are far below it, and work that is
#: late by as much hurts nobody.
TOLERATED: Final = timedelta(seconds=5)


class ClockSteps:
    """Compares the wall clock with a steady one, from one measurement to the next."""

    def __init__(self, clock: Clock, steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._wall, self._at = clock(), steady()

    def measure(self) -> timedelta:
        """Return by how much the wall clock was set since the last measurement (negative: back); normally zero."""
        wall, at = self._clock(), self._steady()
        step = (wall - self._wall) - timedelta(seconds=at - self._at)
        self._wall, self._at = wall, at
        if abs(step) <= TOLERATED:
            return timedelta(0)
        log.warning("the clock was set", seconds=round(step.total_seconds()))
        return step
