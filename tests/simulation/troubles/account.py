"""What an account at Telnyx does not allow: too many jobs at once, a job as it was asked for, a number's service."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Final

from tests.simulation.troubles.providers import CREATION

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Jobs that may be under way at once, and seconds for which somebody else has as many.
LIMIT: Final = 20
CROWDED: Final = (30.0, 400.0)


async def crowded(world: World, random: Random) -> None:
    """Let somebody else have as many jobs under way as the account may, so that those of changes wait."""
    world.telnyx.other_jobs(LIMIT, "update_phone_numbers")
    await asyncio.sleep(random.uniform(*CROWDED))
    world.telnyx.end_other_jobs()


async def refused(world: World, random: Random) -> None:
    """Let Telnyx refuse to create the next jobs."""
    method, path = CREATION
    times = random.randint(1, 2)
    world.telnyx.faults.add(method=method, path=path, kind="status", status=403, times=times)


async def turned_down(world: World, random: Random) -> None:
    """Let the emergency service of some numbers not be switched on, or take long, whatever their jobs report."""
    emergency = world.telnyx.emergency
    emergency.turned_down = {*random.sample(world.telnyx_numbers, len(world.telnyx_numbers) // 2)}
    emergency.seconds = random.choice((0.0, 60.0, 600.0))


def allowing(world: World) -> None:
    """Let the account allow everything."""
    world.telnyx.end_other_jobs()
    world.telnyx.emergency.turned_down, world.telnyx.emergency.seconds = set(), 0.0
