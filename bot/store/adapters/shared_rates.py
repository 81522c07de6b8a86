"""Allowances of all replicas together, each question in a transaction of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.call_grants import CallGrant
from bot.errors import StoreError
from bot.machine import chance
from bot.store.adapters.rate_windows import RateWindows
from bot.store.database import Database
from bot.store.engine.driver_errors import repeated
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


Result = TypeVar("Result")


class DatabaseRates:
    """Providers' windows of calls. While the database takes nothing, each replica keeps to its own pace alone."""

    def __init__(self, database: Database, jitter: Callable[[], float] = chance) -> None:
        self._database = database
        self._jitter = jitter

    async def take(self, scope: str, most: int) -> CallGrant:
        """Take a few calls for those in ``scope`` whose limit is ``most``; 0 when that is not known."""
        return await self._asked(lambda windows: windows.take(scope, most), CallGrant(calls=1, seconds=0.0))

    async def learn(self, scope: str, most: int, remaining: int, reset: float) -> None:
        """Take in what an answer of just now told."""
        await self._asked(lambda windows: windows.learn(scope, most, remaining, reset), None)

    async def untold(self, scope: str) -> None:
        """Take in that an answer told nothing."""
        await self._asked(lambda windows: windows.untold(scope), None)

    async def close(self, scope: str, most: int, seconds: float) -> None:
        """Let nobody call for ``seconds``."""
        await self._asked(lambda windows: windows.close(scope, most, seconds), None)

    async def _asked(self, ask: Callable[[RateWindows], Awaitable[Result]], otherwise: Result) -> Result:
        async def once() -> Result:
            async with self._database.aside() as connection:
                return await ask(RateWindows(connection))

        if self._database.trouble:
            return otherwise
        try:
            return await repeated(once, self._jitter)
        except StoreError:  # it is in the log already
            return otherwise


async def turn(database: Database, budget: str, who: str, *, pause: timedelta, burst: int) -> timedelta:
    """Return nothing when it is the turn of ``who`` in ``budget``, or else how long to wait for it.

    Raises :class:`bot.errors.StoreError`.
    """

    async def once() -> timedelta:
        async with database.aside() as connection:
            return await Turns(connection).wait(budget, who, pause=pause, burst=burst)

    return await repeated(once)
