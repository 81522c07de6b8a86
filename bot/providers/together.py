"""Several calls at the same time, a few at once, as one call that succeeds or fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Calls under way for one question. Fewer than the client's own bound, so that a long read leaves room for a menu.
WIDTH = 6


async def together(ask: Callable[[Item], Awaitable[Result]], items: Iterable[Item]) -> list[Result]:
    """Return ``ask`` of every item, in the items' order; the first failure cancels the rest and is raised."""
    gate = asyncio.Semaphore(WIDTH)

    async def one(item: Item) -> Result:
        async with gate:
            return await ask(item)

    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
    if failure is not None:
        raise failure
    return [task.result() for task in tasks]
