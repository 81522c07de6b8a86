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
#: Times that are more than anybody tries, and seconds in which operators are asked then.
MOST: Final = 10**9
ASKED_WITHIN: Final = 1500.0
#: Whether operators were asked what became of a batch.
ASKED: Final = "SELECT 1 FROM batches WHERE change_id = ? AND escalated_at NOT NULL"
#: Seconds for which Close puts off what is to be updated.
PUT_OFF: Final = 150
#: How often an operator stops what Close has put off.
STOPPED: Final = 0.5
#: Changes of whose batches nobody knows whether they were sent; and numbers of one, with what they are to have.
UNKNOWN: Final = "SELECT change_id FROM batches WHERE state = 'unknown' ORDER BY id"
NUMBERS: Final = "SELECT e164, after FROM operations WHERE change_id = ? AND batch NOT NULL ORDER BY position"
#: Numbers that wait in a run at Close, with the batch that this is and what they are to have.
WAITING: Final = (
    "SELECT r.reference, n.e164, n.wanted FROM runs r JOIN run_numbers n ON n.run_id = r.id "
    "WHERE r.open AND n.state = 'waiting' ORDER BY r.id, n.position"
)


async def unanswered(world: World, random: Random) -> None:
    """Let creations of jobs go unanswered, and something happen before anybody knows what became of one."""
    then = random.choice((_cancelled, _frozen, _edited, _unlisted, _undecided))
    made = then is _unlisted or (then is not _undecided and random.random() < 0.2)
    if then is _unlisted:  # from the first search on, or that would find the job
        world.telnyx.job_seconds, world.telnyx.list_lag = LONG, BLIND
    kind: Any = "drop_after" if made else "drop_before"
    times = MOST if then is _undecided else random.randint(1, 2)
    fault = world.telnyx.faults.add(method="POST", path=JOBS, kind=kind, times=times)
    if found := await _looked_for(world, UNKNOWN):
        await then(world, random, *found[0])
    if then is _unlisted:
        world.telnyx.list_lag, world.telnyx.job_seconds = 0.0, 20.0
    if then is _undecided:
        fault.times = 0


async def put_off(world: World, random: Random) -> None:
    """Let Close put off a few updates, and somebody edit a number before they are due, or an operator stop them."""
    world.close.faults.add(method="PUT", path="*", kind="rate_limited", times=random.randint(3, 9), retry_after=PUT_OFF)
    if found := await _looked_for(world, WAITING):
        reference, e164, wanted = random.choice(found)
        edit(world, random, e164, json.loads(wanted))
        if random.random() < STOPPED:
            await random.choice((_cancelled, _frozen))(world, random, reference.partition("/")[0])


async def _looked_for(world: World, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds as soon as it finds anything; nothing when that does not come."""
    for _ in range(LOOKS):
        await asyncio.sleep(2.0)
        if found := world.judge.rows(query):
            return found
    return []


async def _cancelled(world: World, _: Random, change: object) -> None:
    await world.people.type(world.otto, f"cancel CHG-{change}")


async def _frozen(world: World, random: Random, _: object) -> None:
    await freeze(world, random)


async def _edited(world: World, random: Random, change: object) -> None:
    e164, after = random.choice(world.judge.rows(NUMBERS, change))
    edit(world, random, e164, json.loads(after))


async def _undecided(world: World, _: Random, change: object) -> None:
    """Leave every creation of a job without an effect until operators are asked, however often it is sent."""
    world.lasts(ASKED_WITHIN)
    await world.people.seen(lambda: world.judge.rows(ASKED, change), ASKED_WITHIN)


async def _unlisted(world: World, _: Random, __: object) -> None:
    """Leave the list of jobs blind until it was asked once too often."""
    for _turn in range(LOOKS):
        unseen = world.judge.rows("SELECT absences FROM batches WHERE state = 'unknown'")
        if not unseen:
            break
        if any(absences for (absences,) in unseen):
            world.telnyx.list_lag = 0.0
        await asyncio.sleep(1.0)
