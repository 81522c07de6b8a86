"""Knowing who may pull the brake before anybody has to: Slack may say nothing at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Final

import structlog

from bot.errors import DeliveryError
from bot.workflow.emergency_brake import EmergencyBrake

log = structlog.get_logger(__name__)

#: Seconds between two reads of the operators: a third of what they are remembered for.
PAUSE: Final = 300.0


@asynccontextmanager
async def operators_remembered(
    brake: EmergencyBrake, cancel: Callable[[Collection[asyncio.Task[None]]], Awaitable[None]]
) -> AsyncIterator[None]:
    """Look at the operators every few minutes until the block ends; ``cancel`` cancels tasks."""
    task = asyncio.create_task(_refreshing(brake))
    try:
        yield
    finally:
        await cancel({task})


async def _refreshing(brake: EmergencyBrake) -> None:
    while True:
        try:
            await brake.remember_operators()
        except DeliveryError as error:
            log.info("operators not refreshed", why=error.message)
        await asyncio.sleep(PAUSE)
