"""Approvers who lend their right to approve, those who borrow it, and whether a lent right is worth what it may be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.simulation.world import World

#: How often somebody lends their right in a world, when at the latest (as a part of it), and for how many minutes.
OFTEN: Final = 0.35
LATEST: Final = 0.4
MINUTES: Final = (3, 20)
#: How often whoever borrows it presses Approve, at each look; before it is lent and after its end as well.
PRESSES: Final = 0.7
#: How much later than it was typed it may begin, and with that end: a command waits, and an end is on a whole minute.
BEGUN: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Lent:
    """What somebody typed that they lend."""

    delegator: str
    delegate: str
    since: datetime
    until: datetime


class Delegating:
    """What is lent in one world, and by whom."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = world.people
        self._lent: list[Lent] = []

    async def go_on(self, random: Random) -> None:
        """Have an approver lend the right to approve, in some worlds, and somebody use it, in time and too late."""
        if random.random() >= OFTEN:
            return
        world = self._world
        by = random.choice((world.max, world.mia, world.ana))
        to = random.choice((world.sam, world.otto))
        pressing = asyncio.create_task(self._press(random, to.id))
        await asyncio.sleep(random.random() * LATEST * world.length)
        now, minutes = world.nature.now(), random.randint(*MINUTES)
        self._lent.append(Lent(by.id, to.id, now, now + timedelta(minutes=minutes) + BEGUN))
        await self._people.type(by, f"delegate @{to.profile.name} for {minutes} minutes")
        await pressing

    async def _press(self, random: Random, to: str) -> None:
        by = next(each for each in (self._world.sam, self._world.otto) if each.id == to)
        while True:
            await asyncio.sleep(random.random() * 30)
            for _, message in self._people.requests():
                if random.random() < PRESSES:
                    await self._people.click(by, "approve", message)

    def lends(self, delegator: str, delegate: str, at: datetime) -> bool:
        """Return whether somebody could approve then with somebody else's right; a clock that was set tells nothing."""
        return any(
            (each.delegator, each.delegate) == (delegator, delegate)
            and (each.since <= at <= each.until or self._world.judge.clock_set)
            for each in self._lent
        )
