"""What the providers spoil, and what they say that is not so."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.telnyx.misbehaviour import Misbehaviour
from tests.simulation.troubles.numbers import TELNYX

if TYPE_CHECKING:
    from tests.simulation.world import World

KINDS: Final = (
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
#: How often each is so of the files of numbers, and a number that is in none of them rightly.
SPOILED: Final = 0.15
ELSEWHERE: Final = "+17205550100"
#: How often a job that lies shows it, and does not only leave values as they were.
TOLD: Final = 0.6
#: Ways of a job that end, or that an operator can end.
LIES: Final = (
    Misbehaviour.STUCK_PENDING,
    Misbehaviour.STUCK_PENDING,
    Misbehaviour.EXPIRED,
    Misbehaviour.FAILED_EMPTY,
    Misbehaviour.COMPLETED_MISSING,
    Misbehaviour.COMPLETED_EMPTY,
    Misbehaviour.NEVER_ENDS,
    Misbehaviour.NEVER_ENDS,
    Misbehaviour.NUMBER_IN_TWO_LISTS,
    Misbehaviour.NOT_FOUND_LATER,
    Misbehaviour.UNKNOWN_STATUS,
    Misbehaviour.NUMBERS_UNTOLD,
    Misbehaviour.PARAMETERS_UNTOLD,
    Misbehaviour.IDS_AS_INTEGERS,
)


async def provider_fault(world: World, random: Random) -> None:
    """Let a provider spoil a few calls."""
    provider: Any = random.choice((world.telnyx, world.telnyx, world.close))
    kind: Any = random.choice(KINDS)
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


async def lying_job(world: World, random: Random) -> None:
    """Let the jobs of the next minutes lie."""
    begins = world.nature.now()
    how = random.choice(LIES) if random.random() < TOLD else Misbehaviour.SILENTLY_DROPPED
    lasts = 60 + random.random() * 600
    for field in TELNYX if how is Misbehaviour.SILENTLY_DROPPED else (None,):
        world.telnyx.misbehave(
            lambda job: begins <= job.created_at and (job.created_at - begins).total_seconds() < lasts, how, field=field
        )


async def lagging_list(world: World, random: Random) -> None:
    """Let new jobs, and new values, be seen late."""
    world.telnyx.list_lag = random.choice((5.0, 20.0))
    world.telnyx.read_lag = random.choice((0.0, 4.0))
    await asyncio.sleep(random.random() * 1200)
    world.telnyx.list_lag = world.telnyx.read_lag = 0.0


async def lost_pages(world: World, random: Random) -> None:
    """Let lists be cut into pages wrongly."""
    for paging in (world.telnyx.paging, world.close.paging):
        paging.cap, paging.repeats = random.choice(((3, False), (None, True), (1, False), (7, True)))
    world.telnyx.paging.total = random.choice(("true", "untold"))
    await asyncio.sleep(random.random() * 600)
    whole_pages(world)


def whole_pages(world: World) -> None:
    """Let lists be cut into pages rightly."""
    for paging in (world.telnyx.paging, world.close.paging):
        paging.cap, paging.repeats = None, False
    world.telnyx.paging.total = "true"


def spoiled_downloads(world: World, random: Random) -> None:
    """Let the files of numbers be slow, fail or be of other numbers than were asked for, in so far as one can tell."""
    downloads = world.telnyx.downloads
    downloads.seconds = random.choice((0.0, 0.0, 3.0, 20.0))
    downloads.end = "failed" if random.random() < SPOILED else "complete"
    downloads.ignored = {"filter[has_bundle]"} if random.random() < SPOILED else set()
    downloads.intruders = [ELSEWHERE] if random.random() < SPOILED else []


def whole_downloads(world: World) -> None:
    """Let the files of numbers be what was asked for."""
    downloads = world.telnyx.downloads
    downloads.seconds, downloads.end = 0.0, "complete"
    downloads.ignored, downloads.intruders = set(), []


async def slow_telnyx(world: World, random: Random) -> None:
    """Let jobs take long."""
    world.telnyx.job_seconds = 60 + random.random() * 900
    await asyncio.sleep(random.random() * 1800)
    world.telnyx.job_seconds = 20.0
