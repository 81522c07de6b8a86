"""What stops changes: freezes, cancels, and the release of what they hold."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.world import World


async def freeze(world: World, random: Random) -> None:
    """Let an operator stop everything for a while."""
    await world.people.type(world.otto, "freeze The carrier has trouble")
    await asyncio.sleep(random.random() * 900)
    await world.people.type(world.otto, "unfreeze")


async def cancel(world: World, random: Random) -> None:
    """Let somebody cancel a change, whatever state it is in."""
    names = world.people.known()
    if names:
        by = random.choice((world.ana, world.mia, world.otto, world.otto))
        await world.people.type(by, f"cancel CHG-{random.choice(names)}")


async def unlock(world: World, random: Random) -> None:
    """Let an operator release the numbers of a change, whatever state it is in."""
    held = [change for (change,) in world.judge.rows("SELECT DISTINCT change_id FROM locks ORDER BY 1")]
    if names := held or world.people.known():
        await world.operating.unlock(world.otto, random.choice(names))
