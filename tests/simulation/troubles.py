"""What goes wrong, and what people do that makes it no easier; with the calm of the world all of it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.telnyx.misbehaviour import Misbehaviour
from tests.simulation.disk import WHEN

if TYPE_CHECKING:
    from tests.simulation.world import World

Trouble = Callable[["World", Random], Awaitable[None]]

SLACK_METHODS: Final = (
    "chat.postMessage",
    "chat.update",
    "views.open",
    "views.update",
    "users.info",
    "response_url",
    "files.getUploadURLExternal",
    "upload",
    "files.completeUploadExternal",
    "*",
)
SLACK_KINDS: Final = ("error", "status", "rate_limited", "drop_before", "drop_after", "delay", "malformed")
PROVIDER_KINDS: Final = (
    "status",
    "rate_limited",
    "drop_before",
    "drop_after",
    "delay",
    "malformed",
    "empty",
    "gateway",
)
#: The paths of jobs, and the call that creates one.
JOBS: Final = "/phone_numbers/jobs/*"
CREATION: Final = ("POST", JOBS)
#: Numbers of changes that are requested and not over.
GOING_ON: Final = (
    "SELECT o.e164 FROM operations o JOIN changes c ON c.id = o.change_id "
    "WHERE c.state IN ('awaiting_approval', 'approved', 'running') ORDER BY c.id, o.position"
)
#: Ways of a job that end, or that an operator can end.
LIES: Final = (
    Misbehaviour.STUCK_PENDING,
    Misbehaviour.EXPIRED,
    Misbehaviour.FAILED_EMPTY,
    Misbehaviour.COMPLETED_MISSING,
    Misbehaviour.COMPLETED_EMPTY,
    Misbehaviour.NEVER_ENDS,
    Misbehaviour.NUMBER_IN_TWO_LISTS,
    Misbehaviour.NOT_FOUND_LATER,
    Misbehaviour.UNKNOWN_STATUS,
    Misbehaviour.NUMBERS_UNTOLD,
    Misbehaviour.PARAMETERS_UNTOLD,
    Misbehaviour.IDS_AS_INTEGERS,
)


async def slack_fault(world: World, random: Random) -> None:
    """Let Slack spoil a few calls of a method."""
    kind: Any = random.choice(SLACK_KINDS)
    seconds = random.choice((0.5, 3.0, 15.0, 30.0))
    world.slack.faults.add(
        method=random.choice(SLACK_METHODS),
        kind=kind,
        times=random.randint(1, 4),
        after=random.randint(0, 3),
        error=random.choice(("internal_error", "fatal_error", "service_unavailable")),
        status=random.choice((500, 502, 503)),
        retry_after=random.choice((1, 5, 30, 90)),
        seconds=seconds,
        # A 429 is Slack's word that it has done nothing; of its other failures nobody knows.
        effect_first=random.choice((None, None if kind == "rate_limited" else True)),
    )


async def provider_fault(world: World, random: Random) -> None:
    """Let a provider spoil a few calls."""
    provider: Any = random.choice((world.telnyx, world.telnyx, world.close))
    kind: Any = random.choice(PROVIDER_KINDS)
    method, path = random.choice((("*", "*"), ("GET", "*"), CREATION, CREATION))
    if provider is world.close and path is JOBS:
        method, path = "PUT", "*"
    provider.faults.add(
        method=method,
        path=path,
        kind=kind,
        times=random.randint(1, 4),
        after=random.choice((0, 0, 1, 2, 4)),
        status=random.choice((500, 503)),
        seconds=random.choice((1.0, 10.0, 45.0)),
        effect_first=random.choice((None, True)) if kind in ("status", "gateway") else None,
        retry_after=random.choice((1, 20)) if kind == "rate_limited" else None,
    )


async def kill(world: World, _: Random) -> None:
    """Kill the process."""
    world.process.kill("by somebody")


async def kill_at_commit(world: World, random: Random) -> None:
    """Kill the process just before or just after one of the next commits."""
    wanted, when = world.disk.commits + random.randint(1, 12), random.choice(WHEN)

    def watch(number: int, moment: str) -> bool:
        if number < wanted or moment != when:
            return False
        world.disk.watch = None
        world.process.kill(f"{when} commit {number}")
        return True

    world.disk.watch = watch


async def sigterm(world: World, _: Random) -> None:
    """Ask the process to stop; it is started again."""
    world.process.stop()


async def clock_step(world: World, random: Random) -> None:
    """Set the clock of the bot's machine wrongly, and right again."""
    step = random.choice((3.0, 40.0, 250.0, 3600.0)) * random.choice((-1, 1))
    world.nature.ahead += step
    world.judge.clock_set = True
    await asyncio.sleep(random.random() * 600)
    world.nature.ahead -= step


async def full_disk(world: World, random: Random) -> None:
    """Let nothing fit on the disk for a while."""
    world.disk.full = True
    await asyncio.sleep(random.random() * 60)
    world.disk.full = False


async def slack_down(world: World, random: Random) -> None:
    """Let Slack answer nothing for a good while."""
    fault = world.slack.faults.add(method="*", kind=random.choice(("drop_before", "status")), times=10**9)
    await asyncio.sleep(60 + random.random() * 3 * 3600)
    fault.times = 0


async def meddling(world: World, random: Random) -> None:
    """Change a number in the provider's own pages."""
    e164 = wanted(world, random)
    if e164 in world.close_numbers:
        other = world.close.number(e164)
        if random.random() < 0.7:
            other.label = "Somebody else's"
        else:
            other.forward_to = "+13035550199"
    elif (number := world.telnyx._account.find(e164)) is not None:
        if random.random() < 0.7:
            number.customer_reference = "Somebody else's"
        else:
            number.hd_voice_enabled = not number.hd_voice_enabled
    world.touch(e164)


def wanted(world: World, random: Random) -> str:
    """Return a number, mostly one of a change that goes on."""
    going_on = [e164 for (e164,) in world.judge.rows(GOING_ON)]
    everything = [*world.telnyx_numbers, *world.close_numbers]
    return random.choice(going_on if going_on and random.random() < 0.7 else everything)


async def lying_job(world: World, random: Random) -> None:
    """Let the jobs of the next minutes lie."""
    begins = world.nature.now()
    how = random.choice((*LIES, Misbehaviour.SILENTLY_DROPPED))
    field = "customer_reference" if how is Misbehaviour.SILENTLY_DROPPED else None
    lasts = 60 + random.random() * 600
    world.telnyx.misbehave(
        lambda job: begins <= job.created_at and (job.created_at - begins).total_seconds() < lasts, how, field=field
    )


async def lagging_list(world: World, random: Random) -> None:
    """Let new jobs, and new values, be seen late."""
    world.telnyx.list_lag = random.choice((5.0, 20.0))
    world.telnyx.read_lag = random.choice((0.0, 4.0))
    await asyncio.sleep(random.random() * 1200)
    world.telnyx.list_lag = world.telnyx.read_lag = 0.0


async def late_acks(world: World, random: Random) -> None:
    """Let Slack apply late what acks say."""
    world.slack.workspace.ack_lag = random.random() * 3.0
    await asyncio.sleep(random.random() * 1200)
    world.slack.workspace.ack_lag = 0.0


async def failing_number(world: World, random: Random) -> None:
    """Let Telnyx or Close refuse to change a number, once or more."""
    times = random.choice((1, 1, None))
    e164 = wanted(world, random)
    provider: Any = world.close if e164 in world.close_numbers else world.telnyx
    provider.fail(e164, times=times)


async def lost_pages(world: World, random: Random) -> None:
    """Let lists be cut into pages wrongly."""
    for paging in (world.telnyx.paging, world.close.paging):
        paging.cap, paging.repeats = random.choice(((3, False), (None, True), (1, False), (7, True)))
    world.telnyx.paging.total = random.choice(("true", "untold"))
    await asyncio.sleep(random.random() * 600)
    whole_pages(world)


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


async def cancel_unanswered(world: World, random: Random) -> None:
    """Let the next job creations go unanswered, and an operator cancel what nobody knows the fate of."""
    kind: Any = random.choice(("drop_before", "drop_after"))
    world.telnyx.faults.add(method="POST", path=JOBS, kind=kind, times=random.randint(1, 2))
    for _ in range(120):
        await asyncio.sleep(2 + random.random())
        for (change,) in world.judge.rows("SELECT change_id FROM batches WHERE state = 'unknown'"):
            await world.people.type(world.otto, f"cancel CHG-{change}")
            return


async def unlock(world: World, random: Random) -> None:
    """Let an operator release the numbers of a change, whatever state it is in."""
    held = [change for (change,) in world.judge.rows("SELECT DISTINCT change_id FROM locks ORDER BY 1")]
    if names := held or world.people.known():
        await world.operating.unlock(world.otto, random.choice(names))


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


async def redelivery(world: World, random: Random) -> None:
    """Let Slack deliver clicks of before again."""
    for _ in range(random.randint(1, 5)):
        clicks = [each for each in world.slack.deliveries if each.kind in ("block_actions", "view_submission")]
        if clicks:
            await world.slack.redeliver(random.choice(clicks[-6:]))
        await asyncio.sleep(random.random() * 20)


async def stranger(world: World, random: Random) -> None:
    """Let somebody without any right press what there is to press."""
    await world.people.seen(world.people.requests, 300.0)
    await world.people.press_without_right(world.sam, random)


async def slow_telnyx(world: World, random: Random) -> None:
    """Let jobs take long."""
    world.telnyx.job_seconds = 60 + random.random() * 900
    await asyncio.sleep(random.random() * 1800)
    world.telnyx.job_seconds = 20.0


TROUBLES: Final[dict[str, Trouble]] = {
    each.__name__: each
    for each in (
        slack_fault,
        provider_fault,
        kill,
        kill_at_commit,
        sigterm,
        clock_step,
        full_disk,
        slack_down,
        meddling,
        lying_job,
        lagging_list,
        late_acks,
        failing_number,
        lost_pages,
        freeze,
        cancel,
        cancel_unanswered,
        unlock,
        late_click,
        last_moment,
        redelivery,
        stranger,
        slow_telnyx,
    )
}


def whole_pages(world: World) -> None:
    """Let lists be cut into pages rightly."""
    for paging in (world.telnyx.paging, world.close.paging):
        paging.cap, paging.repeats = None, False
    world.telnyx.paging.total = "true"


def calm(world: World) -> None:
    """End every trouble."""
    world.slack.faults.clear()
    world.telnyx.faults.clear()
    world.close.faults.clear()
    world.nature.ahead = 0.0
    world.disk.full, world.disk.watch = False, None
    world.telnyx.list_lag = world.telnyx.read_lag = 0.0
    world.telnyx.job_seconds = 20.0
    world.slack.workspace.ack_lag = 0.0
    whole_pages(world)
