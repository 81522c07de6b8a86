"""Allowances shared by all replicas, by the database's clock, each call in its own transaction; for PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.call_grants import CallGrant
from bot.errors import StoreError
from bot.machine import chance
from bot.store.database import Database
from bot.store.engine.driver_errors import repeated
from bot.store.tables import budgets, rate_windows, turns

#: How long an unused turn is remembered.
FORGET: Final = timedelta(hours=1)
#: A turn this near has come: the waiting replica counts by another clock.
NEAR: Final = timedelta(milliseconds=50)

#: Calls per second, from all replicas together, before any answer has told a limit.
UNTOLD: Final = 4
#: Calls granted at once where a provider has no limit; where it has one, this share of a window (1/n).
FREELY: Final = 1000
PART: Final = 20
#: How much later than told the next window is taken to begin, as a call takes a moment to arrive.
MARGIN: Final = timedelta(milliseconds=100)
#: How far two reported ends of one window may differ.
SAME: Final = timedelta(milliseconds=50)


class Turns:
    """The tables of budgets and of turns in them.

    In any time ``t``, a budget gives at most ``burst + t / pause`` turns. A caller that comes too early gets a turn of
    its own, which it keeps whichever replica comes back for it.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def wait(self, budget: str, who: str, *, pause: timedelta, burst: int) -> timedelta:
        """Return zero if it is the turn of ``who``, which is then used up; otherwise how long to wait for it."""
        mine = (turns.c.budget == budget, turns.c.who == who)
        found = (await self._connection.execute(select(turns.c.at).where(*mine))).scalar()
        if found is None:
            return await self._next(budget, who, pause, burst)
        left: timedelta = found - await _now(self._connection)
        if left > NEAR:
            return left
        await self._connection.execute(delete(turns).where(*mine))
        return timedelta(0)

    async def _next(self, budget: str, who: str, pause: timedelta, burst: int) -> timedelta:
        """Take the next turn and return how far away it is (the generic cell rate algorithm)."""
        fresh = insert(budgets).values(name=budget, whole_at=datetime(2000, 1, 1, tzinfo=UTC)).on_conflict_do_nothing()
        await self._connection.execute(fresh)
        held = select(budgets.c.whole_at).where(budgets.c.name == budget).with_for_update()
        whole_at: datetime = (await self._connection.execute(held)).scalar_one()
        now = await _now(self._connection)
        whole_at = max(whole_at, now) + pause
        await self._connection.execute(budgets.update().where(budgets.c.name == budget).values(whole_at=whole_at))
        turn = whole_at - pause * burst
        if turn <= now:
            return timedelta(0)
        await self._connection.execute(delete(turns).where(turns.c.budget == budget, turns.c.at < now - FORGET))
        await self._connection.execute(turns.insert().values(budget=budget, who=who, at=turn))
        return turn - now


class RateWindows:
    """The table of windows: a provider allows ``most`` calls within ``span`` seconds, as its answers tell.

    Calls are taken here before they are made, so that no two replicas make the same last call.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, scope: str, most: int) -> CallGrant:
        """Take a few calls from the window of callers in ``scope`` with the limit ``most``, 0 while unknown.

        Callers with an unknown limit use the lowest known one in the scope.
        """
        row = await self._held(scope, most)
        now = await _now(self._connection)
        if row.closed_until is not None and row.closed_until > now:
            return CallGrant(calls=0, seconds=(row.closed_until - now).total_seconds())
        limit = row.most or UNTOLD
        if not row.span:  # the provider has told no limit
            return CallGrant(calls=FREELY, seconds=1.0)
        used, ends_at = row.used, row.ends_at
        if now >= ends_at + MARGIN:
            used, ends_at = 0, now + timedelta(seconds=row.span)
        calls = min(max(limit // PART, 1), limit - used)
        if calls <= 0:
            return CallGrant(calls=0, seconds=(ends_at + MARGIN - now).total_seconds())
        await self._put(row, used=used + calls, ends_at=ends_at)
        return CallGrant(calls=calls, seconds=max((ends_at - now).total_seconds(), 0.0))

    async def learn(self, scope: str, most: int, remaining: int, reset: float) -> None:
        """Take in an answer's limit, its remaining calls, and the seconds until the window starts again."""
        now = await _now(self._connection)
        told, used = now + timedelta(seconds=reset), max(most - remaining, 0)
        first = insert(rate_windows).values(scope=scope, most=most, span=reset, used=used, ends_at=told)
        made = await self._connection.execute(first.on_conflict_do_nothing().returning(rate_windows.c.most))
        if made.first() is not None:
            return
        row = await self._held(scope, most)
        span = max(row.span, reset)
        if now >= row.ends_at + MARGIN:  # a window that we did not know
            await self._put(row, span=span, used=used, ends_at=told)
        elif told > row.ends_at - SAME:  # the current one
            await self._put(row, span=span, used=max(row.used, used), ends_at=max(row.ends_at, told))
        # else it is about a window that is already over

    async def untold(self, scope: str) -> None:
        """Take in that an answer told no limit: there is none, unless another answer told one."""
        without = update(rate_windows).where(rate_windows.c.scope == scope, rate_windows.c.most == 0)
        await self._connection.execute(without.values(span=0.0))

    async def close(self, scope: str, most: int, seconds: float) -> None:
        """Allow no calls for ``seconds``, as the provider has asked."""
        row = await self._held(scope, most)
        until = await _now(self._connection) + timedelta(seconds=seconds)
        await self._put(row, closed_until=max(until, row.closed_until or until))

    async def _held(self, scope: str, most: int) -> Row[Any]:
        """Return the row to use, locked."""
        ours = rate_windows.c.scope == scope
        if most:
            exactly = select(rate_windows).where(ours, rate_windows.c.most == most).with_for_update()
            if (row := (await self._connection.execute(exactly)).first()) is not None:
                return row
        least = select(rate_windows).where(ours, rate_windows.c.most > 0).order_by(rate_windows.c.most).limit(1)
        if (row := (await self._connection.execute(least.with_for_update())).first()) is not None:
            return row
        now = await _now(self._connection)
        fresh = insert(rate_windows).values(scope=scope, most=0, span=1.0, used=0, ends_at=now)
        await self._connection.execute(fresh.on_conflict_do_nothing())
        unknown = select(rate_windows).where(ours, rate_windows.c.most == 0).with_for_update()
        return (await self._connection.execute(unknown)).one()

    async def _put(self, row: Row[Any], **values: float | datetime) -> None:
        this = (rate_windows.c.scope == row.scope, rate_windows.c.most == row.most)
        await self._connection.execute(update(rate_windows).where(*this).values(**values))


async def _now(connection: AsyncConnection) -> datetime:
    now: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    return now


Result = TypeVar("Result")


class DatabaseRates:
    """Providers' windows of calls. While the database is unavailable, each replica keeps only to its own pace."""

    def __init__(self, database: Database, jitter: Callable[[], float] = chance) -> None:
        self._database = database
        self._jitter = jitter

    async def take(self, scope: str, most: int) -> CallGrant:
        """Take a few calls for callers in ``scope`` with the limit ``most``; 0 while that is unknown."""
        return await self._asked(lambda windows: windows.take(scope, most), CallGrant(calls=1, seconds=0.0))

    async def learn(self, scope: str, most: int, remaining: int, reset: float) -> None:
        """Take in the limit in an answer."""
        await self._asked(lambda windows: windows.learn(scope, most, remaining, reset), None)

    async def untold(self, scope: str) -> None:
        """Take in that an answer told no limit."""
        await self._asked(lambda windows: windows.untold(scope), None)

    async def close(self, scope: str, most: int, seconds: float) -> None:
        """Allow no calls for ``seconds``."""
        await self._asked(lambda windows: windows.close(scope, most, seconds), None)

    async def _asked(self, ask: Callable[[RateWindows], Awaitable[Result]], otherwise: Result) -> Result:
        async def once() -> Result:
            async with self._database.aside() as connection:
                return await ask(RateWindows(connection))

        if self._database.trouble:
            return otherwise
        try:
            return await repeated(once, self._jitter)
        except StoreError:  # the log has it already
            return otherwise


async def turn(database: Database, budget: str, who: str, *, pause: timedelta, burst: int) -> timedelta:
    """Return zero if it is the turn of ``who`` in ``budget``; otherwise how long to wait for it.

    Raises :class:`bot.errors.StoreError`.
    """

    async def once() -> timedelta:
        async with database.aside() as connection:
            return await Turns(connection).wait(budget, who, pause=pause, burst=burst)

    return await repeated(once)
