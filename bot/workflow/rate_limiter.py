"""Turns in a shared allowance: so many a second on average, and a few at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.store.adapters.shared_rates import turn
from bot.store.database import Database

#: How long an unused turn is remembered.
FORGET = timedelta(hours=1)


class RateLimiter:
    """Gives turns. In any time ``t`` there are at most ``burst + rate * t`` of them.

    A caller that comes too early gets a turn of its own and comes back for it, so that a crowd is spread over time
    instead of asking again and again. Turns live in the process; see :class:`SharedRateLimiter`.
    """

    def __init__(self, *, rate: float, burst: int) -> None:
        self._pause = timedelta(seconds=1 / rate)
        self._burst = burst
        #: When the allowance will be whole again.
        self._whole_at: datetime | None = None
        #: The time of the last call: when it is later than now, the clock was set back.
        self._asked_at: datetime | None = None
        #: Caller -> the time of its turn.
        self._turns: dict[str, datetime] = {}

    def wait(self, who: str, now: datetime) -> timedelta:
        """Return zero if it is the turn of ``who``, which is then used up; otherwise how long to wait for it."""
        if self._asked_at is not None and now < self._asked_at:
            self._set_back(self._asked_at - now)
        self._asked_at = now
        turn = self._turns.get(who)
        if turn is None:
            turn = self._next(now)
            self._turns = {each: at for each, at in self._turns.items() if at > now - FORGET}
            self._turns[who] = turn
        if turn > now:
            return turn - now
        del self._turns[who]
        return timedelta(0)

    def _set_back(self, by: timedelta) -> None:
        """Shift all turns back with the clock."""
        self._turns = {who: at - by for who, at in self._turns.items()}
        self._whole_at = self._whole_at - by if self._whole_at is not None else None

    def _next(self, now: datetime) -> datetime:
        """Take the next turn and return when it is (the generic cell rate algorithm)."""
        whole_at = max(self._whole_at or now, now)
        self._whole_at = whole_at + self._pause
        return max(now, self._whole_at - self._pause * self._burst)


class SharedRateLimiter:
    """Gives turns as :class:`RateLimiter` does, to all replicas on one database together.

    If no other process can use the database, as with an SQLite file, turns live in this process and cost nothing.
    """

    def __init__(self, database: Database, name: str, *, rate: float, burst: int) -> None:
        self._database = database
        self._name = name
        self._pause = timedelta(seconds=1 / rate)
        self._burst = burst
        self._alone = RateLimiter(rate=rate, burst=burst)

    async def wait(self, who: str, now: datetime) -> timedelta:
        """Return zero if it is the turn of ``who``, which is then used up; otherwise how long to wait for it."""
        if not self._database.shared:
            return self._alone.wait(who, now)
        return await turn(self._database, self._name, who, pause=self._pause, burst=self._burst)
