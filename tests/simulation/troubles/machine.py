"""What befalls the process and its machine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.disk import WHEN
from tests.simulation.nature import LOOK
from tests.simulation.people import APPROVALS, OPS

if TYPE_CHECKING:
    from tests.simulation.world import World


#: Calls that post something.
POSTS: Final = ("chat.postMessage", "chat.postMessage", "files.completeUploadExternal")
#: Seconds that Slack takes for what a dead process was posting, and seconds to wait for something to be posted.
LATE: Final = (5.0, 28.0)
PATIENCE: Final = 600.0
#: Seconds that Slack takes for a card over which a process dies, and when in them somebody cancels its change.
CARD_LATE: Final = (20.0, 28.0)
CANCELLED: Final = (5.0, 15.0)


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


async def cut_off(world: World, random: Random) -> None:
    """Kill the process while it posts something, and have Slack carry that out when the next one has looked for it."""
    method, late = random.choice(POSTS), random.uniform(*LATE)
    await die_over(world, random, method, late, after=random.choice((0, 0, 1, 2)))


async def die_over(
    world: World,
    random: Random,
    method: str,
    late: float,
    *,
    after: int = 0,
    where: Callable[[dict[str, Any]], bool] | None = None,
) -> None:
    """Do so over the next call of ``method`` that suits ``where``, once ``after`` others have passed."""
    fault = world.slack.faults.add(method=method, kind="delay", seconds=late, after=after, where=where)
    if await world.people.seen(lambda: fault.fired, PATIENCE):
        await asyncio.sleep(random.random())
        if not world.calm:
            world.process.kill(f"while Slack takes {late:.1f} s for {method}")


async def overtaken(world: World, random: Random) -> None:
    """Kill the process while it posts a card, and have an operator cancel that change before Slack has posted it."""
    names: list[str] = []

    def is_card(call: dict[str, Any]) -> bool:
        named = re.search(r"CHG-\d+", str(call))
        if named is None or call.get("thread_ts") or call.get("channel") not in (OPS, APPROVALS):
            return False
        names.append(named[0])
        return True

    await die_over(world, random, "chat.postMessage", random.uniform(*CARD_LATE), where=is_card)
    if names and not world.calm:
        await asyncio.sleep(random.uniform(*CANCELLED))
        await world.people.type(world.otto, f"cancel {names[0]}")


async def sigterm(world: World, _: Random) -> None:
    """Ask the process to stop; it is started again."""
    world.process.stop()


async def clock_step(world: World, random: Random) -> None:
    """Set the clock of the bot's machine wrongly, and right again, never so soon that nobody has looked in between.

    A real worker looks once a second, one in a world so seldom that a step would escape it.
    """
    if world.nature.loop.time() + LOOK > world.length:
        return
    step = random.choice((3.0, 40.0, 250.0, 3600.0)) * random.choice((-1, 1))
    world.nature.ahead += step
    world.judge.clock_set = True
    await asyncio.sleep(LOOK + random.random() * 600)
    world.nature.ahead -= step


async def full_disk(world: World, random: Random) -> None:
    """Let nothing fit on the disk for a while."""
    world.disk.full = True
    await asyncio.sleep(random.random() * 60)
    world.disk.full = False
