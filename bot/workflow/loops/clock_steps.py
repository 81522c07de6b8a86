"""Noticing that the wall clock was set: what it shows no longer follows from what it showed a moment ago."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from bot.workflow.ports import Clock

log = structlog.get_logger(__name__)

#: What a measurement may find besides the time that passed: corrections of NTP between two of them are far below it,
#: and work that comes later by as much hurts nobody.
TOLERATED: Final = timedelta(seconds=5)


class ClockSteps:
    """Compares the wall clock with one that counts seconds steadily, from one measurement to the next."""

    def __init__(self, clock: Clock, steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._wall, self._at = clock(), steady()

    def measure(self) -> timedelta:
        """Return by how much the wall clock was set since the last one, negative when back; nothing as a rule."""
        wall, at = self._clock(), self._steady()
        step = (wall - self._wall) - timedelta(seconds=at - self._at)
        self._wall, self._at = wall, at
        if abs(step) <= TOLERATED:
            return timedelta(0)
        log.warning("the clock was set", seconds=round(step.total_seconds()))
        return step
