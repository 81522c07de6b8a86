"""Turns in allowances that all replicas share, by the database's clock; for PostgreSQL, where there are several."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import budgets, turns

#: How long a turn that nobody took is remembered.
FORGET: Final = timedelta(hours=1)
#: Whose turn is this near has it: whoever waits counts by another clock.
NEAR: Final = timedelta(milliseconds=50)


class Turns:
    """The tables of budgets and of turns in them.

    In any time ``t`` a budget gives at most ``burst + t / pause`` turns. Whoever comes too early is given a turn of
    their own, and it is theirs whichever replica comes back for it.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def wait(self, budget: str, who: str, *, pause: timedelta, burst: int) -> timedelta:
        """Return nothing when it is the turn of ``who``, which is then used up, or else how long to wait for it."""
        mine = (turns.c.budget == budget, turns.c.who == who)
        found = (await self._connection.execute(select(turns.c.at).where(*mine))).scalar()
        if found is None:
            return await self._next(budget, who, pause, burst)
        left: timedelta = found - await self._now()
        if left > NEAR:
            return left
        await self._connection.execute(delete(turns).where(*mine))
        return timedelta(0)

    async def _next(self, budget: str, who: str, pause: timedelta, burst: int) -> timedelta:
        """Take the next turn and return how far it is (the generic cell rate algorithm)."""
        fresh = insert(budgets).values(name=budget, whole_at=datetime(2000, 1, 1, tzinfo=UTC)).on_conflict_do_nothing()
        await self._connection.execute(fresh)
        held = select(budgets.c.whole_at).where(budgets.c.name == budget).with_for_update()
        whole_at: datetime = (await self._connection.execute(held)).scalar_one()
        now = await self._now()
        whole_at = max(whole_at, now) + pause
        await self._connection.execute(budgets.update().where(budgets.c.name == budget).values(whole_at=whole_at))
        turn = whole_at - pause * burst
        if turn <= now:
            return timedelta(0)
        await self._connection.execute(delete(turns).where(turns.c.budget == budget, turns.c.at < now - FORGET))
        await self._connection.execute(turns.insert().values(budget=budget, who=who, at=turn))
        return turn - now

    async def _now(self) -> datetime:
        now: datetime = (await self._connection.execute(select(func.clock_timestamp()))).scalar_one()
        return now
