"""People who look at changes, numbers, lists, templates and sheets; some may not, and some press on from there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import Message, SlackUser, StandInRefused
from tests.simulation.people import LATER, SOON, buttons

if TYPE_CHECKING:
    from tests.simulation.world import World

#: How often people look in a world, and within which part of it.
LOOKS: Final = (1, 4)
PART: Final = 0.9
#: Seconds in which somebody waits for what they want to look at.
PATIENCE: Final = 120.0
#: How often an operator asks for the audit log, and not somebody who may not.
OPERATOR: Final = 0.8
#: Changes that have given numbers back at the end of a temporary one, with who wanted that.
RESTORES: Final = (
    "SELECT id, requester FROM changes WHERE part_of NOT NULL AND ends_at IS NULL AND state = 'finished' ORDER BY id"
)
#: How often a template that is listed is deleted, and not run.
DELETED: Final = 0.6


class Looking:
    """What people of one world look at, beside what they are at."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = world.people

    async def look(self, random: Random) -> None:
        """Have people look at this and that at some times of the world."""
        times = sorted(random.random() * PART * self._world.length for _ in range(random.randint(*LOOKS)))
        for at in times:
            await asyncio.sleep(max(0.0, at - self._world.nature.loop.time()))
            looking = random.choice(
                (self._read, self._read, self._read, self._open, self._take, self._templates, self._undo_an_end)
            )
            with suppress(StandInRefused):
                await looking(random)

    async def _read(self, random: Random) -> None:
        """Type a command that shows something."""
        world = self._world
        by = random.choice((world.ana, world.max, world.otto, world.sam))
        name = f"CHG-{random.choice(self._people.known() or [1])}"
        number = random.choice([*world.telnyx_numbers, *world.close_numbers])
        held = [e164 for (e164,) in world.judge.rows("SELECT DISTINCT e164 FROM operations ORDER BY 1")]
        if held and random.random() < 0.8:
            number = random.choice(held)
        commands = (f"find {number}", f"find {number}", f"status {name}", f"status {name} xlsx", "locks", "list")
        others = ("list mine", "list scheduled", "list failed", "sheet update", "sheet close", "help")
        await world.shown.typed(by, random.choice((*commands, random.choice(others))))

    async def _open(self, random: Random) -> None:
        """Open something, read it and close it: the details of a request, results, or the form in ways of its own."""
        world, people = self._world, self._people
        what = random.choice(("details", "home", "workbook", "shortcut"))
        if what == "details":
            by = random.choice((world.otto, world.sam))
            for _, message in (await people.seen(people.requests, PATIENCE) or [])[:1]:
                await people.click(by, "details", message)
            await people.close(by)
        elif what == "workbook":
            by = random.choice((world.max, world.ana, world.sam))
            for message in (await people.seen(lambda: self._with_button("workbook"), PATIENCE) or [])[:1]:
                await people.click(by, "workbook", message)
        else:
            by = random.choice((world.ana, world.mia))
            async with world.requesters.keyboard(by):
                await (self._from_home(by) if what == "home" else self._by_shortcut(by, random))
                await people.close(by)

    async def _from_home(self, by: SlackUser) -> None:
        people = self._people
        await by.open_home()
        await people.seen(lambda: by.id in people.slack.workspace.views.homes, SOON)
        await self._world.judge.act(by, "home_start", by.click("home_start", home=True))

    async def _by_shortcut(self, by: SlackUser, random: Random) -> None:
        messages = self._people.messages()
        if messages and random.random() < 0.5:
            act = by.message_shortcut("change_these", message=random.choice(messages))
            await self._world.judge.act(by, "change_these", act)
        else:
            await self._world.judge.act(by, "new_change", by.global_shortcut("new_change"))

    async def _take(self, random: Random) -> None:
        """Ask for a file: the audit log, or current values of numbers."""
        world, people = self._world, self._people
        if random.random() < 0.5:
            by = world.otto if random.random() < OPERATOR else world.max
            await world.shown.exported(by, random.choice(("export", "export csv", "export jsonl")))
            return
        by = random.choice((world.ana, world.mia))
        async with world.requesters.keyboard(by):
            command = random.choice(("update", "close"))
            numbers = world.close_numbers if command == "close" else world.telnyx_numbers
            await people.type(by, f"values {command} {' '.join(random.sample(numbers, 3))}")
            if await people.seen(lambda: people.open(by, "values_form"), SOON) is not None:
                with suppress(StandInRefused):
                    await by.submit()
                    await people.think(SOON)
            await people.close(by)

    async def _templates(self, random: Random) -> None:
        """List what is saved, and open it or delete it."""
        by = random.choice((self._world.ana, self._world.mia))
        async with self._world.requesters.keyboard(by):
            await self.use_template(by, random)

    async def use_template(self, by: SlackUser, random: Random) -> None:
        """List what is saved, and open the form with it or delete it: who does not own it may not."""
        people = self._people
        told = await self._world.shown.typed(by, "templates")
        action = "delete_template" if random.random() < DELETED else "run_template"
        for message in (each for each in told if action in buttons(each)):
            await people.click(by, action, message)
            if action == "run_template":
                await people.seen(lambda: people.open(by, "change_form"), LATER)
            await people.close(by)

    async def _undo_an_end(self, _: Random) -> None:
        """Undo what has restored the numbers of a temporary change, once there is such a thing."""
        world = self._world
        await self._people.seen(lambda: world.judge.rows(RESTORES), PATIENCE)
        for change, requester in world.judge.rows(RESTORES)[:1]:
            by = world.ana if requester == world.ana.id else world.mia
            async with world.requesters.keyboard(by):
                await world.requesters.follow(by, change, "undo")

    def _with_button(self, action: str) -> list[Message]:
        return [each for each in self._people.messages() if action in buttons(each)]
