"""Work that the bot does all the time besides its tasks, such as keeping Home tabs up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import structlog

from bot.errors import DatabaseUnavailable
from bot.workflow.health import TaskFailures

log = structlog.get_logger(__name__)

#: Seconds until background work that failed is tried again.
RETRY: Final = 5.0

#: Does the work once and returns after how many seconds it is to be done again.
Step: TypeAlias = Callable[[], Awaitable[float]]


class Background:
    """Starts background work, and stops it with its block.

    No error ends such work: an unforeseen error is logged, counts as a failing task, and the work is tried again. It
    takes no replica out of service, as changes continue without it.
    """

    def __init__(
        self,
        failures: TaskFailures,
        cancel: Callable[[Collection[asyncio.Task[Any]]], Awaitable[None]],
        *,
        retry: float = RETRY,
    ) -> None:
        """``cancel`` cancels tasks that use the database (:meth:`bot.store.database.Database.cancel`)."""
        self._failures = failures
        self._cancel = cancel
        self._retry = retry

    @asynccontextmanager
    async def running(self, work: str, step: Step) -> AsyncIterator[None]:
        """Repeat ``step`` until the block ends; ``work`` is what the log, ``/readyz`` and the metrics call it."""
        task = asyncio.create_task(self._repeat(work, step))
        try:
            yield
        finally:
            await self._cancel({task})

    async def _repeat(self, work: str, step: Step) -> None:
        while True:
            try:
                pause = await step()
                self._failures.end(work)
            except DatabaseUnavailable:  # the database has logged it already, and /readyz shows it
                pause = self._retry
            except Exception as error:  # if the loop ended here, nobody would notice
                log.exception("background work failed", work=work)
                self._failures.count(work, what=work, change="", error=error)
                pause = self._retry
            await asyncio.sleep(pause)
