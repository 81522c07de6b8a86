"""What Slack spoils, delays and says twice."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.simulation.world import World

METHODS: Final = (
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
KINDS: Final = ("error", "status", "rate_limited", "drop_before", "drop_after", "delay", "malformed")

#: How often Slack is down for hours, which takes a world long.
HOURS: Final = 0.3


async def slack_fault(world: World, random: Random) -> None:
    """Let Slack spoil a few calls of a method."""
    kind: Any = random.choice(KINDS)
    seconds = random.choice((0.5, 3.0, 15.0, 30.0))
    world.slack.faults.add(
        method=random.choice(METHODS),
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


async def slack_down(world: World, random: Random) -> None:
    """Let Slack answer nothing for minutes, and now and then for hours."""
    seconds = random.uniform(3600, 3 * 3600) if random.random() < HOURS else random.uniform(60, 900)
    world.lasts(seconds)
    fault = world.slack.faults.add(method="*", kind=random.choice(("drop_before", "status")), times=10**9)
    await asyncio.sleep(seconds)
    fault.times = 0


async def late_acks(world: World, random: Random) -> None:
    """Let Slack apply late what acks say."""
    world.slack.workspace.ack_lag = random.random() * 3.0
    await asyncio.sleep(random.random() * 1200)
    world.slack.workspace.ack_lag = 0.0


async def redelivery(world: World, random: Random) -> None:
    """Let Slack deliver clicks of before again."""
    for _ in range(random.randint(1, 5)):
        clicks = [each for each in world.slack.deliveries if each.kind in ("block_actions", "view_submission")]
        if clicks:
            world.restores.redelivered()
            await world.slack.redeliver(random.choice(clicks[-6:]))
        await asyncio.sleep(random.random() * 20)
