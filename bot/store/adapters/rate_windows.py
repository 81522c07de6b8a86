"""How many calls a provider still takes from all replicas together, by the database's clock; for PostgreSQL.

A provider counts calls in windows: so many (``most``) within so many seconds (``span``). Its answers tell. What is
taken here is taken before the call, so that no two replicas make the same last call.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.call_grants import CallGrant
from bot.store.tables import rate_windows

#: Calls in a second before any answer has told a limit, from all replicas together.
UNTOLD: Final = 4
#: Calls that are handed out at once where a provider has no limit, and part of a window that is, where it has.
FREELY: Final = 1000
PART: Final = 20
#: How much later than told the next window is taken to begin: a call is on its way for a moment.
MARGIN: Final = timedelta(milliseconds=100)
#: By how much two ends of one window may differ.
SAME: Final = timedelta(milliseconds=50)


class RateWindows:
    """The table of windows."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, scope: str, most: int) -> CallGrant:
        """Take a few calls out of the window of those in ``scope`` whose limit is ``most``, 0 when that is not known.

        Whose limit is not known goes by the least one that is known in the scope.
        """
        row = await self._held(scope, most)
        now = await self._now()
        if row.closed_until is not None and row.closed_until > now:
            return CallGrant(calls=0, seconds=(row.closed_until - now).total_seconds())
        limit = row.most or UNTOLD
        if not row.span:  # the provider tells no limit
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
        """Take in that an answer of just now told a limit, what remains of it, and the seconds until it starts anew."""
        now = await self._now()
        told, used = now + timedelta(seconds=reset), max(most - remaining, 0)
        first = insert(rate_windows).values(scope=scope, most=most, span=reset, used=used, ends_at=told)
        made = await self._connection.execute(first.on_conflict_do_nothing().returning(rate_windows.c.most))
        if made.first() is not None:
            return
        row = await self._held(scope, most)
        span = max(row.span, reset)
        if now >= row.ends_at + MARGIN:  # a window that we did not know
            await self._put(row, span=span, used=used, ends_at=told)
        elif told > row.ends_at - SAME:  # the present one
            await self._put(row, span=span, used=max(row.used, used), ends_at=max(row.ends_at, told))
        # else it is about one that was over by now

    async def untold(self, scope: str) -> None:
        """Take in that an answer told no limit: unless another one has, there is none."""
        without = update(rate_windows).where(rate_windows.c.scope == scope, rate_windows.c.most == 0)
        await self._connection.execute(without.values(span=0.0))

    async def close(self, scope: str, most: int, seconds: float) -> None:
        """Let nobody call for ``seconds``: the provider has asked so."""
        row = await self._held(scope, most)
        until = await self._now() + timedelta(seconds=seconds)
        await self._put(row, closed_until=max(until, row.closed_until or until))

    async def _held(self, scope: str, most: int) -> Row[Any]:
        """Return the row to go by, locked."""
        ours = rate_windows.c.scope == scope
        if most:
            exactly = select(rate_windows).where(ours, rate_windows.c.most == most).with_for_update()
            if (row := (await self._connection.execute(exactly)).first()) is not None:
                return row
        least = select(rate_windows).where(ours, rate_windows.c.most > 0).order_by(rate_windows.c.most).limit(1)
        if (row := (await self._connection.execute(least.with_for_update())).first()) is not None:
            return row
        now = await self._now()
        fresh = insert(rate_windows).values(scope=scope, most=0, span=1.0, used=0, ends_at=now)
        await self._connection.execute(fresh.on_conflict_do_nothing())
        unknown = select(rate_windows).where(ours, rate_windows.c.most == 0).with_for_update()
        return (await self._connection.execute(unknown)).one()

    async def _put(self, row: Row[Any], **values: float | datetime) -> None:
        this = (rate_windows.c.scope == row.scope, rate_windows.c.most == row.most)
        await self._connection.execute(update(rate_windows).where(*this).values(**values))

    async def _now(self) -> datetime:
        now: datetime = (await self._connection.execute(select(func.clock_timestamp()))).scalar_one()
        return now
