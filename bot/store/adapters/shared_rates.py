"""Allowances of all replicas together, each question in a transaction of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from bot.changes.model.grants import Grant
from bot.errors import StoreError
from bot.machine import chance
from bot.store.adapters.rate_windows import RateWindows
from bot.store.adapters.turns import Turns
from bot.store.database import Database
from bot.store.engine.conflicts import repeated

Result = TypeVar("Result")


class DatabaseRates:
    """Providers' windows of calls. While the database takes nothing, each replica keeps to its own pace alone."""

    def __init__(self, database: Database, jitter: Callable[[], float] = chance) -> None:
        self._database = database
        self._jitter = jitter

    async def take(self, scope: str, most: int) -> Grant:
        """Take a few calls for those in ``scope`` whose limit is ``most``; 0 when that is not known."""
        return await self._asked(lambda windows: windows.take(scope, most), Grant(calls=1, seconds=0.0))

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
