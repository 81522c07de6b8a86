"""Giving up a long piece of reading as soon as nobody wants what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from bot.changes.model.lifecycle import ChangeState
from bot.errors import Superseded
from bot.workflow.context import Context

Result = TypeVar("Result")

#: Longest pause between two looks, in seconds: another replica may have ended the change. Our own tell it at once.
CHECK_EVERY: Final = 1.0


async def while_wanted(
    context: Context, change: int, state: ChangeState, reading: Coroutine[Any, Any, Result]
) -> Result:
    """Return what ``reading`` returns, or raises, unless ``change`` leaves ``state`` first.

    Then the reading is cancelled wherever it is, between two pages or in the middle of one, and
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
        task.cancel()  # whoever ends us has seen to it that nothing is being written
        await asyncio.wait({task})
        raise


async def _left(context: Context, change: int, state: ChangeState) -> bool:
    async with context.database.reading() as tx:
        return (await tx.changes.get(change)).state is not state
