"""The time of the database's server, which governs everything that several replicas share.

Leases, due times and the times from which pauses are counted are read and written by replicas on several machines. So
none of them uses its own time of day: each asks the server with every transaction, and counts on from the answer with a
clock that nobody sets.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from bot.clock_skew import ServiceClock, length


class DatabaseClock(ServiceClock):
    """The clock of PostgreSQL's server; our own until its first answer."""

    def __init__(self, wall: Callable[[], datetime], steady: Callable[[], float]) -> None:
        super().__init__("the database", now=steady, wall=lambda: wall().timestamp())
        self._ours = wall
        self.steady = steady

    def __call__(self) -> datetime:
        """Return the least possible time there: a time that has not come there has not come."""
        return self.earliest or self._ours()

    def heard(self, moment: datetime, asked: float) -> None:
        """Take in the time that the server just returned, requested at ``asked`` (steady)."""
        self.take_in(moment.astimezone(UTC).timestamp(), asked, resolution=0.0)

    @property
    def skew(self) -> str:
        """Why this replica takes no work, and what to do; empty while its clock is accurate enough."""
        if not self.seconds:
            return ""
        return (
            f"This machine's clock is {length(self.seconds)} {'ahead of' if self.seconds > 0 else 'behind'} the "
            "database's clock, so this replica takes no work: check this machine's time synchronisation (NTP)."
        )
