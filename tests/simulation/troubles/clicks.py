"""Clicks of people who come too late, just in time, or have no right."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.world import World


async def late_click(world: World, random: Random) -> None:
    """Let somebody press what they saw some time ago."""
    requests = [(change, message.snapshot()) for change, message in world.people.requests()]
    await asyncio.sleep(random.random() * 300)
    for _, message in requests:
        await world.people.click(random.choice((world.max, world.mia, world.ana)), "approve", message)


async def last_moment(world: World, random: Random) -> None:
    """Let somebody approve at the very moment at which the approval expires."""
    if not (requests := await world.people.seen(world.people.requests, 600.0)):
        return
    change, message = random.choice(requests)
    [(expires,)] = world.judge.rows("SELECT expires_at FROM changes WHERE id = ?", change)
    left = datetime.fromisoformat(expires).replace(tzinfo=UTC) - world.nature.now()
    await asyncio.sleep(max(0.0, left.total_seconds() + random.uniform(-0.05, 0.05)))
    await world.people.click(random.choice((world.max, world.mia)), "approve", message)


async def stranger(world: World, random: Random) -> None:
    """Let somebody without any right press what there is to press."""
    await world.people.seen(world.people.requests, 300.0)
    await world.people.press_without_right(world.sam, random)
