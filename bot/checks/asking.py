"""Asking Slack many questions within its rate limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from bot.errors import DeliveryError, DeliveryPostponed

Answer = TypeVar("Answer")

#: Questions under way at the same time.
_TOGETHER: Final = 8


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Return the answer, asking again after a pause if Slack wants one; the caller limits the total time.

    Raises :class:`bot.errors.DeliveryError` for any other result.
    """
    while True:
        try:
            return await ask()
        except DeliveryPostponed as error:
            if error.code != "ratelimited":
                raise
            await asyncio.sleep(error.wait)


async def answers(ids: Iterable[str], ask: Callable[[str], Awaitable[Answer]]) -> dict[str, Answer | DeliveryError]:
    """Return id -> answer, or the error from Slack."""
    slots = asyncio.Semaphore(_TOGETHER)

    async def one(id_: str) -> Answer | DeliveryError:
        async with slots:
            try:
                return await patiently(lambda: ask(id_))
            except DeliveryError as error:
                return error

    wanted = sorted(set(ids))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(id_)) for id_ in wanted]
    return {id_: task.result() for id_, task in zip(wanted, tasks, strict=True)}
