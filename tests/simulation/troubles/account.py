"""What an account at Telnyx does not allow: too many jobs at once, a job as it was asked for, a number's service."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import TYPE_CHECKING, Final

from tests.simulation.judge import UNDER_WAY
from tests.simulation.troubles.numbers import edit
from tests.simulation.troubles.providers import CREATION

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Jobs that may be under way at once, and seconds for which somebody else has as many.
LIMIT: Final = 20
CROWDED: Final = (30.0, 400.0)
#: How often somebody changes a number that waits for a job; seconds in which one does, and in which it goes on to.
EDITED: Final = 0.5
PATIENCE: Final = 240.0
LONGER: Final = (0.0, 200.0)
#: Numbers that wait for their job though their change has begun, with what they are to have.
WAITING: Final = (
    "SELECT o.e164, o.after FROM operations o JOIN changes c ON c.id = o.change_id "
    "JOIN batches b ON b.change_id = o.change_id AND b.position = o.batch "
    "WHERE c.state = 'running' AND b.state = 'queued' AND c.kind LIKE 'telnyx.%' ORDER BY c.id, o.position"
)


async def crowded(world: World, random: Random) -> None:
    """Let somebody else have as many jobs under way as the account may, so that those of changes wait."""
    world.telnyx.other_jobs(LIMIT, "update_phone_numbers")
    if random.random() < EDITED:
        if found := await world.people.seen(lambda: world.judge.rows(WAITING), PATIENCE):
            e164, after = random.choice(found)
            edit(world, random, e164, json.loads(after))
            await asyncio.sleep(UNDER_WAY.total_seconds() + random.uniform(*LONGER))
    else:
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
