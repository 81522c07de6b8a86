"""What stops changes: freezes, cancels, and the release of what they hold."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Seconds in which there is something to stop.
PATIENCE: Final = 240.0


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


async def unconfirmed(world: World, random: Random) -> None:
    """Let Slack not say who anybody is for a while, and an operator stop a change meanwhile."""
    going_on = "SELECT id FROM changes WHERE state IN ('awaiting_approval', 'approved', 'running') ORDER BY id"
    if not await world.people.seen(lambda: world.judge.rows(going_on), PATIENCE):
        return
    fault = world.slack.faults.add(method="users.info", kind="status", status=503, times=10**9)
    await asyncio.sleep(random.random() * PATIENCE / 4)
    for (change,) in world.judge.rows(going_on)[:1]:
        await world.people.type(random.choice((world.otto, world.otto, world.ana)), f"cancel CHG-{change}")
    await asyncio.sleep(random.random() * PATIENCE / 4)
    fault.times = 0


async def unlock(world: World, random: Random) -> None:
    """Let an operator release the numbers of a change, whatever state it is in."""
    held = [change for (change,) in world.judge.rows("SELECT DISTINCT change_id FROM locks ORDER BY 1")]
    if names := held or world.people.known():
        await world.operating.unlock(world.otto, random.choice(names))
