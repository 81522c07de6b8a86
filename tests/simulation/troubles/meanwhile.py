"""What happens to a change between its approval and its sending, of which most are sent at once."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.troubles.brakes import freeze
from tests.simulation.troubles.numbers import edit
from tests.simulation.troubles.providers import JOBS

if TYPE_CHECKING:
    from tests.simulation.world import World

#: How often somebody looks whether there is anything to do something about, and how often whether it is over.
LOOKS: Final = 120
#: Seconds that a job takes which nobody lists: it has to be there when its numbers are looked at again.
LONG: Final = 300.0
#: Seconds by which a list is behind that shows no job at all.
BLIND: Final = 1e6
#: Seconds for which Close puts off what is to be updated.
PUT_OFF: Final = 150
#: A batch of which nobody knows whether it was sent, and its numbers with what they are to have.
UNKNOWN: Final = "SELECT change_id FROM batches WHERE state = 'unknown' ORDER BY id"
UNKNOWN_NUMBERS: Final = (
    "SELECT o.e164, o.after FROM operations o JOIN batches b ON b.change_id = o.change_id AND b.position = o.batch "
    "WHERE b.state = 'unknown' ORDER BY b.id, o.position"
)
#: Runs at Close in which numbers wait.
WAITING: Final = (
    "SELECT DISTINCT r.reference FROM runs r JOIN run_numbers n ON n.run_id = r.id "
    "WHERE r.open AND n.state = 'waiting' ORDER BY r.id"
)


async def unanswered(world: World, random: Random) -> None:
    """Let creations of jobs go unanswered, and something happen before anybody knows what became of one."""
    then = random.choice((_cancelled, _frozen, _edited, _unlisted))
    made = then is _unlisted or random.random() < 0.2
    if then is _unlisted:
        world.telnyx.job_seconds = LONG
    kind: Any = "drop_after" if made else "drop_before"
    world.telnyx.faults.add(method="POST", path=JOBS, kind=kind, times=random.randint(1, 2))
    if changes := await _looked_for(world, UNKNOWN):
        await then(world, random, changes[0])


async def put_off(world: World, random: Random) -> None:
    """Let Close put off a few updates, and an operator freeze everything or cancel the change before they are due."""
    world.close.faults.add(method="PUT", path="*", kind="rate_limited", times=random.randint(1, 9), retry_after=PUT_OFF)
    if references := await _looked_for(world, WAITING):
        await random.choice((_cancelled, _frozen))(world, random, references[0].partition("/")[0])


async def _looked_for(world: World, query: str) -> list[Any]:
    """Return what a query finds as soon as it finds anything; nothing when that does not come."""
    for _ in range(LOOKS):
        await asyncio.sleep(2.0)
        if found := [first for (first,) in world.judge.rows(query)]:
            return found
    return []


async def _cancelled(world: World, _: Random, change: object) -> None:
    await world.people.type(world.otto, f"cancel CHG-{change}")


async def _frozen(world: World, random: Random, _: object) -> None:
    await freeze(world, random)


async def _edited(world: World, random: Random, _: object) -> None:
    if numbers := world.judge.rows(UNKNOWN_NUMBERS):
        e164, after = random.choice(numbers)
        edit(world, random, e164, json.loads(after))


async def _unlisted(world: World, _: Random, __: object) -> None:
    """Let the list of jobs be blind until it was asked once too often."""
    world.telnyx.list_lag = BLIND
    for _turn in range(LOOKS):
        unseen = world.judge.rows("SELECT absences FROM batches WHERE state = 'unknown'")
        if not unseen:
            break
        if any(absences for (absences,) in unseen):
            world.telnyx.list_lag = 0.0
        await asyncio.sleep(1.0)
    world.telnyx.list_lag, world.telnyx.job_seconds = 0.0, 20.0
