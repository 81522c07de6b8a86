"""What people do while a temporary change is in effect: they end it, ask that it lasts longer, or leave it alone."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import SlackUser, StandInRefused
from tests.simulation.people import LATER, SOON, buttons
from tests.simulation.troubles.numbers import edit

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Seconds in which somebody waits for a change to be in effect.
PATIENCE: Final = 3600.0
#: Seconds that pass until somebody does something about it, at most.
PAUSE: Final = 500.0
#: How often somebody changes one of its numbers meanwhile; and these numbers, with what they were to have.
EDITED: Final = 0.4
NUMBERS: Final = "SELECT e164, after FROM operations WHERE change_id = ? AND batch NOT NULL ORDER BY position"
#: For how many minutes more somebody asks.
LONGER: Final = (15, 45)
#: How long before or after the very moment of the end a click comes, in seconds.
MOMENT: Final = 0.05


class Temporary:
    """What people do about the temporary changes of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = world.people

    async def live(self, by: SlackUser, change: int, random: Random, keyboard: asyncio.Lock) -> None:
        """Have the requester, and others, do something about a change once it is in effect."""
        if await self._people.seen(lambda: self._ends(change), PATIENCE) is None:
            return
        if (editing := Random(f"edit {self._world.seed} {change}")).random() < EDITED:
            self._edit(change, editing)
        for _ in range(random.randint(0, 2)):
            await asyncio.sleep(random.random() * PAUSE)
            acting = random.choice((self._end, self._end, self._extend, self._extend, self._meddle, self._at_the_end))
            async with keyboard:
                await acting(by, change, random)

    def _edit(self, change: int, random: Random) -> None:
        """Have somebody change one of its numbers in the provider's own pages: it is left at the end."""
        e164, after = random.choice(self._world.judge.rows(NUMBERS, change))
        edit(self._world, random, e164, json.loads(after))

    def _ends(self, change: int) -> bool:
        """Tell whether there is a button that ends it."""
        card = self._people.posted(change, "card")
        return card is not None and "end_now" in buttons(card)

    async def _end(self, by: SlackUser, change: int, random: Random) -> None:
        """End it, once or twice, by the button or by a command; an operator may as well."""
        by = random.choice((by, by, self._world.otto))
        for _ in range(random.choice((1, 2))):
            await self._press_end(by, change, random)

    async def _meddle(self, _: SlackUser, change: int, random: Random) -> None:
        """Have somebody press End who may not."""
        await self._press_end(random.choice((self._world.max, self._world.sam)), change, random)

    async def _at_the_end(self, by: SlackUser, change: int, random: Random) -> None:
        """End it at the very moment at which it ends anyhow, or ask for more."""
        left = self._world.restores.end_of(change) - self._world.nature.now()
        at = left + timedelta(seconds=random.uniform(-MOMENT, MOMENT))
        await asyncio.sleep(max(0.0, at.total_seconds()))
        await random.choice((self._press_end, self._type_extension))(by, change, random)

    async def _press_end(self, by: SlackUser, change: int, random: Random) -> None:
        card = self._people.posted(change, "card")
        self._world.restores.ending(by, change)
        if card is None or "end_now" not in buttons(card) or random.random() < 0.3:
            await self._people.type(by, f"end CHG-{change}")
        elif random.random() < 0.2:
            await asyncio.gather(*(self._people.click(by, "end_now", card) for _ in range(2)))
        else:
            await self._people.click(by, "end_now", card)

    async def _extend(self, by: SlackUser, change: int, random: Random) -> None:
        """Ask that it lasts longer, in the form or by a command."""
        card = self._people.posted(change, "card")
        if card is None or "extend" not in buttons(card) or random.random() < 0.3:
            await self._type_extension(by, change, random)
            return
        minutes = random.randint(*LONGER)
        people = self._people
        with suppress(StandInRefused):
            await self._world.judge.click(by, "extend", card)
            if await people.seen(lambda: people.open(by, "extension"), SOON) is not None:
                await by.type("until", f"in {minutes} minutes")
                self._world.restores.extending(change, minutes)
                sent = await by.submit()
                self._world.trace.add(f"{by.profile.name} extends CHG-{change}: {sent.errors} {sent.delivery.error}")
                await people.seen(lambda: people.open(by, "notice"), LATER)
        await people.close(by)

    async def _type_extension(self, by: SlackUser, change: int, random: Random) -> None:
        minutes = random.randint(*LONGER)
        self._world.restores.extending(change, minutes)
        await self._people.type(by, f"extend CHG-{change} until in {minutes} minutes")


def named(text: str, command: str) -> list[int]:
    """Return the changes of which a text says that this command is to be typed."""
    return sorted({int(found) for found in re.findall(rf"/numbers {command} CHG-(\d+)", text)})
