"""The people who want changes: each asks for one after the other, and now and then for what follows one."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import SlackUser
from tests.simulation.asking import Asking
from tests.simulation.temporary import Temporary
from tests.simulation.troubles.providers import spoiled_downloads
from tests.simulation.wishes import Wish, further, wish

if TYPE_CHECKING:
    from tests.simulation.world import World

#: How often two people want the same at the same time, and how often a change is left as it is.
TWINS: Final = 0.15
LEFT: Final = 0.6
#: How often a change is saved once more under its name.
AGAIN: Final = 0.4
#: Seconds in which somebody waits for the results of a change that another one is to follow.
PATIENCE: Final = 3600.0


class Requesters:
    """Who wants changes in one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asking = Asking(world)
        self._temporary = Temporary(world)
        self._keyboards = {by: asyncio.Lock() for by in world.slack.workspace.people}

    async def want(self, random: Random, besides: Random) -> None:
        """Have somebody want a change, and now and then what follows it.

        ``besides`` is for what was added later: what the others do is as it was before.
        """
        world = self._world
        by = random.choice((world.ana, world.mia))
        wanted = further(wish(world, random), besides)
        if wanted.bundled:
            spoiled_downloads(world, besides)
        if random.random() < TWINS:
            await asyncio.gather(*(self._asked(each, wanted) for each in (world.ana, world.mia)))
            return
        change = await self._asked(by, wanted)
        leaving = random.random() < LEFT if change is not None else True
        if change is not None and wanted.minutes:
            await self._temporary.live(by, change, besides, self._keyboards[by.id])
        if change is None or leaving:
            return
        if await world.people.seen(lambda: self._told(change), PATIENCE):
            async with self._keyboards[by.id]:
                await self._follow(by, change, random)

    async def revise(self, by: SlackUser) -> None:
        """Have somebody look after plans of theirs that are sent back."""
        random = Random(f"revising {by.id} {self._world.seed}")
        await self._world.revising.revise(by, self._keyboards[by.id], random)

    async def follow(self, by: SlackUser, change: int, word: str) -> None:
        """Have somebody who holds their keyboard ask for what follows a change, ``undo`` or ``retry``."""
        await self._asking.follow(by, change, word)

    def keyboard(self, by: SlackUser) -> asyncio.Lock:
        """Return what a requester holds while they are at a form."""
        return self._keyboards[by.id]

    async def _asked(self, by: SlackUser, wanted: Wish) -> int | None:
        """Have somebody ask for a change once they have finished what they were at."""
        async with self._keyboards[by.id]:
            return await self._asking.ask(by, wanted)

    async def _follow(self, by: SlackUser, change: int, random: Random) -> None:
        """Have somebody undo a change, retry what failed, or save it and run it again."""
        meant = self._world.plans.wishes.get(self._world.revisions.planned_as(change))
        what = random.choice(("undo", "retry", "template"))
        if what != "template" or meant is None or meant.sheet:
            await self._asking.follow(by, change, "retry" if what == "retry" else "undo")
        elif await self._asking.keep(by, change, f"Like CHG-{change}"):
            await self._asking.run(by, f"like chg-{change}", meant)
            using = Random(f"template {self._world.seed} {change}")
            if using.random() < AGAIN:
                await self._asking.keep(by, change, f"Like CHG-{change}")
            await self._world.looking.use_template(by, using)

    def _told(self, change: int) -> bool:
        name = f"CHG-{change}-results.csv"
        return any(file.name == name and file.channel for file in self._world.slack.files)
