"""The stand-in's time: a given clock plus what the test has skipped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """Return the real time, aware, in UTC."""
    return datetime.now(UTC)


class Clock:
    """Tells the stand-in's time; ``advance`` moves it ahead of the source it was given."""

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self._source = source
        self._skipped = timedelta()

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        return self._source() + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip ``seconds`` ahead."""
        self._skipped += timedelta(seconds=seconds)
