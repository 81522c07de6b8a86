"""What to do when another transaction was in the way: the same once more, at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from bot.errors import DatabaseConflict
from bot.machine import chance

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

#: How often at the most. Of two that are in each other's way one goes through, so a few are plenty.
TRIES: Final = 5
#: Seconds of the longest pause between two tries: enough for two that began together not to meet again.
PAUSE: Final = 0.05


async def repeated(work: Callable[[], Awaitable[Result]], jitter: Callable[[], float] = chance) -> Result:
    """Do ``work`` and return its result, anew each time that a transaction of it lost against another one.

    For work that finds out from the database what is left of it to do, as every task does: what it has committed
    before stays, and the transaction that lost has left nothing. ``jitter`` gives numbers from 0
    to 1. Raises :class:`bot.errors.DatabaseConflict` at last.
    """
    for left in reversed(range(TRIES)):
        try:
            return await work()
        except DatabaseConflict as error:
            if not left:
                raise
            log.info("another transaction was in the way; once more", why=str(error.__cause__))
            await asyncio.sleep(PAUSE * jitter())
    raise RuntimeError("the last try returns or raises")
