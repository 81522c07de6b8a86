"""A long plan in the making: its progress, shown in the modal that waits for it, and whether anybody still wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import structlog

from bot.changes.model.lifecycle import ChangeState
from bot.errors import DatabaseUnavailable, Superseded
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)


class Progress:
    """Reports how far the planning of one change is, no more often than a card is edited.

    ``async with Progress(context, say, change) as progress: progress.tell("...")``. Only the latest report is shown;
    those in between are dropped. A plan that is ready before the first pause has passed costs no message at all.
    """

    def __init__(self, context: Context, notifications: Notifications, change: int) -> None:
        self._context = context
        self._notify = notifications
        self._change = change
        self._latest = ""
        self._over = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None

    def tell(self, text: str) -> None:
        """Say how far it is; any thread may do so, as often as it likes."""
        self._latest = text

    async def __aenter__(self) -> Self:
        self._showing = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Never cancelled: a write that is cut off would hold up every other write.
        self._over.set()
        if self._showing is not None:
            await asyncio.wait({self._showing})

    async def _show(self) -> None:
        shown = ""
        while not await self._pause():
            if self._latest == shown:
                continue
            shown = self._latest
            try:
                if not await self._announce(shown):
                    return
            except DatabaseUnavailable:  # the log has it already
                pass
            except Exception:  # planning continues without reports; the log says why
                log.exception("cannot show the progress", change=self._change)

    async def _pause(self) -> bool:
        """Wait a while, and tell whether planning is over."""
        try:
            async with asyncio.timeout(self._context.timing.card.total_seconds()):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    async def _announce(self, text: str) -> bool:
        """Have the modal show ``text``; False when nobody waits for the plan."""
        async with self._context.database.transaction() as tx:
            if (await tx.changes.get(self._change)).state is not ChangeState.PLANNING:
                return False
            await self._notify.preview(tx, self._change, progress=text)
        self._context.outbox_wakeup.ring()
        return True


Result = TypeVar("Result")

#: Longest pause between two checks, in seconds: another replica may have ended the change. Our own process says so at
#: once.
CHECK_EVERY: Final = 1.0


async def while_wanted(
    context: Context, change: int, state: ChangeState, reading: Coroutine[Any, Any, Result]
) -> Result:
    """Return or raise the result of ``reading``, unless ``change`` leaves ``state`` first.

    In that case the reading is cancelled wherever it is, between two pages or within one, and
    :class:`bot.errors.Superseded` is raised.
    """
    task = asyncio.create_task(reading)
    try:
        while not task.done():
            news = asyncio.create_task(context.news.wait(CHECK_EVERY))
            await asyncio.wait({task, news}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            if not task.done() and await _left(context, change, state):
                await context.database.cancel({task})
                raise Superseded("It was discarded while its numbers were being read.")
        return task.result()
    except asyncio.CancelledError:
        task.cancel()  # the code that ends us makes sure that nothing is being written
        await asyncio.wait({task})
        raise


async def _left(context: Context, change: int, state: ChangeState) -> bool:
    async with context.database.reading() as tx:
        return (await tx.changes.get(change)).state is not state
