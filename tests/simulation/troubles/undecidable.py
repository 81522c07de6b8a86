"""What goes wrong so that only an operator can go on: nothing proves whose job it is, or no number can be read back."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Final

from bot.sandbox.telnyx.misbehaviour import Misbehaviour
from tests.simulation.troubles.providers import CREATION

if TYPE_CHECKING:
    from bot.sandbox.telnyx import Job
    from tests.simulation.world import World

#: Seconds in which it begins, and between two looks whether it has; and seconds in which operators decide.
PATIENCE: Final = 600.0
LOOK: Final = 2.0
DECIDED_WITHIN: Final = 900.0
#: Times that are more than anybody tries.
MOST: Final = 10**9
#: What a job does not tell, so that nothing proves that it is a batch's.
UNTOLD: Final = (Misbehaviour.NUMBERS_UNTOLD, Misbehaviour.PARAMETERS_UNTOLD)
#: The list of jobs; the lists of numbers, and each of them.
JOBS: Final = "/phone_numbers/jobs"
NUMBERS: Final = ("/phone_numbers", "/phone_numbers/slim", "/phone_numbers/voice", "/phone_numbers/[0-9]*")
#: Changes of whose batches nobody knows whether they were sent.
UNKNOWN: Final = "SELECT change_id FROM batches WHERE state = 'unknown' ORDER BY id"
#: Changes at Telnyx of which everything is there, so that they are read back next.
NEXT: Final = (
    "SELECT b.change_id FROM batches b JOIN changes c ON c.id = b.change_id WHERE c.kind LIKE 'telnyx.%' "
    "GROUP BY 1 HAVING max(b.state = 'submitted') AND min(b.state IN ('submitted', 'settled'))"
)
OVER: Final = "SELECT 1 FROM events WHERE change_id = ? AND what IN ('read_back_ended', 'finished', 'in_effect')"


async def unproven(world: World, random: Random) -> None:
    """Let Telnyx make a job and not answer, and let nothing prove that it is the batch's, until operators decide.

    The job does not tell what it was made with, or nobody can read the list of jobs, whose owner has it by its id.
    """
    method, path = CREATION
    world.telnyx.faults.add(method=method, path=path, kind="drop_after")
    how = random.choice((*UNTOLD, None, None))
    if how is None:
        listing = world.telnyx.faults.add(method="GET", path=JOBS, kind="status", status=403, times=MOST)
    else:
        begins = world.nature.now()

        def meant(job: Job) -> bool:
            return 0 <= (job.created_at - begins).total_seconds() < PATIENCE

        world.telnyx.misbehave(meant, how)
    if await _found(world, UNKNOWN) is not None:
        world.lasts(DECIDED_WITHIN)
        await world.people.seen(lambda: not world.judge.rows(UNKNOWN), DECIDED_WITHIN)
    if how is None:
        listing.times = 0


async def unreadable(world: World, _: Random) -> None:
    """Let nobody read a number at Telnyx when a change is to be read back, until an operator ends that."""
    if (change := await _found(world, NEXT)) is None:
        return
    faults = [
        world.telnyx.faults.add(method="GET", path=path, kind="status", status=503, times=MOST) for path in NUMBERS
    ]
    world.lasts(DECIDED_WITHIN)
    await world.people.seen(lambda: world.judge.rows(OVER, change), DECIDED_WITHIN)
    for fault in faults:
        fault.times = 0


async def _found(world: World, query: str) -> int | None:
    """Return the first change that a query finds; None when there is none in time."""
    for _ in range(round(PATIENCE / LOOK)):
        if found := world.judge.rows(query):
            return int(found[0][0])
        await asyncio.sleep(LOOK)
    return None
