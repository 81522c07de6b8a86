"""Approvers who lend their right to approve, those who borrow it, and whoever ends that before its time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import Message, SlackUser, StandInRefused
from tests.simulation.people import LATER
from tests.simulation.troubles.machine import LATE, die_over

if TYPE_CHECKING:
    from tests.simulation.world import World

#: How often somebody lends their right in a world, when at the latest (as a part of it), and for how many minutes.
OFTEN: Final = 0.35
OFTEN_IN_STAGES: Final = 0.7
LATEST: Final = 0.4
MINUTES: Final = (3, 20)
#: How often whoever borrows it presses Approve, and declines, at each look; before it is lent and after its end, too.
PRESSES: Final = 0.7
DECLINES: Final = 0.1
#: How often it is ended once something was approved with it, and not at any time; and in how many seconds then.
USED: Final = 0.5
SOON: Final = 20.0
#: How often nothing may begin until it has ended, so that what was approved with it waits.
FROZEN: Final = 0.4
#: How long before or after a click of whoever borrows it an end comes, in seconds.
MOMENT: Final = 0.05
#: Approvals by somebody for somebody that count.
APPROVED: Final = "SELECT 1 FROM decisions WHERE on_behalf_of = ? AND person = ? AND verb = 'approve' AND lapse = ''"
#: Those of requests that wait for a later stage; how often one of these is taken back, and in how many seconds.
EARLIER: Final = f"{APPROVED} AND change_id IN (SELECT id FROM changes WHERE state = 'awaiting_approval')"  # noqa: S608 - our own words
BETWEEN: Final = 0.7
AT_ONCE: Final = 5.0
#: How often the process dies while it tells of it, and how it does: by a call that has this in it.
DIES: Final = 0.15
POST: Final = "chat.postMessage"
NOTICE: Final = "delegation:"
#: What opens the list, and the button beside what is lent.
LIST: Final = "delegate"
END: Final = "end_delegation"
#: What is read once it has ended.
GONE: Final = "can no longer approve for"


class Delegating:
    """What is lent in one world, and by whom."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = world.people

    async def go_on(self, random: Random) -> None:
        """Have an approver lend the right to approve, in some worlds, and somebody use it, in time and too late."""
        world = self._world
        if random.random() >= (OFTEN_IN_STAGES if world.policy.staged else OFTEN):
            return
        approvers = (world.max, world.mia, world.ana)
        by = random.choice(approvers)
        to = random.choice((world.sam, world.otto, *(each for each in approvers if each is not by)))
        between = Random(f"between {world.seed}")
        if reopens := world.policy.staged and between.random() < BETWEEN:
            by, to = between.choice((world.mia, world.ana)), world.sam
        pressing = asyncio.create_task(self._press(Random(random.random()), to))
        await asyncio.sleep(random.random() * LATEST * world.length)
        dying = asyncio.create_task(self._die_over_a_notice(Random(f"notice {world.seed}")))
        await self._lend(by, to, random)
        freezing = Random(f"until it ends {world.seed}")
        for _ in range(random.choice((0, 1, 1, 2))):
            frozen = freezing.random() < FROZEN
            if frozen:
                await self._people.type(world.otto, "freeze Until it is clear who approves")
            if random.random() < USED or reopens:
                await self._until_used(by, to, EARLIER if reopens else APPROVED)
                await asyncio.sleep(random.random() * (AT_ONCE if reopens else SOON))
            else:
                await asyncio.sleep(random.random() * (world.length / 2))
            if not world.calm:
                await random.choice((self._type_end, self._press_end, self._end_at_a_click))(by, to, random)
            if frozen:
                await self._people.type(world.otto, "unfreeze")
            if world.calm:
                break
            if random.random() < 0.5:
                await self._lend(by, to, random)
        await asyncio.gather(dying, pressing)

    async def _die_over_a_notice(self, random: Random) -> None:
        """Kill the process, now and then, while it tells somebody of what is lent."""
        if random.random() < DIES:
            await die_over(self._world, random, POST, random.uniform(*LATE), where=lambda call: NOTICE in str(call))

    async def _lend(self, by: SlackUser, to: SlackUser, random: Random) -> None:
        minutes = random.randint(*MINUTES)
        lent = self._world.delegations.lending(by, to, minutes)
        await self._people.type(by, f"delegate @{to.profile.name} for {minutes} minutes")
        lent.answered = self._world.nature.now()

    async def _until_used(self, by: SlackUser, to: SlackUser, used: str) -> None:
        """Wait for something to be approved with what is lent, though not for ever."""
        for _ in range(round(self._world.length / 2)):
            if self._world.judge.rows(used, by.id, to.id):
                break
            await asyncio.sleep(1.0)

    # Those who borrow it

    async def _press(self, random: Random, by: SlackUser) -> None:
        people = self._people
        while True:
            await asyncio.sleep(random.random() * 30)
            for change, message in people.requests():
                chance = random.random()
                if chance < PRESSES:
                    await people.click(by, "approve", message)
                elif chance < PRESSES + DECLINES and not self._world.calm:
                    await random.choice((people.reject, self._world.revising.send_back))(by, change, message)

    # Those who end it

    async def _type_end(self, by: SlackUser, to: SlackUser, random: Random) -> None:
        """End it by a command, which counts if it is the lender's."""
        person = random.choice((by, by, by, self._world.otto, self._world.ana))
        asked = self._world.nature.now()
        self._world.delegations.ending(person, by.id, to.id)
        told = await self._world.operating.told(person, f"delegate end @{to.profile.name}")
        if person is by and any(GONE in self._people.read(each) for each in told):
            self._world.delegations.ended(by.id, to.id, asked)

    async def _press_end(self, by: SlackUser, to: SlackUser, random: Random) -> None:
        """End it in the list: who lends it, who borrows it, or an operator; now and then twice."""
        person = random.choice((by, to, self._world.otto))
        if (shown := await self._listed(person)) is not None:
            for _ in range(random.choice((1, 1, 1, 2))):
                await self._press_in(shown, person, by, to)

    async def _end_at_a_click(self, by: SlackUser, to: SlackUser, random: Random) -> None:
        """End it in the list at the very moment at which whoever borrows it approves something."""
        person = random.choice((by, self._world.otto))
        shown = await self._listed(person)
        requests = await self._people.seen(self._people.requests, LATER)
        if shown is None or not requests:
            return
        _, message = random.choice(requests)
        pause = random.uniform(-MOMENT, MOMENT)

        async def approve() -> None:
            await asyncio.sleep(max(0.0, pause))
            await self._people.click(to, "approve", message)

        async def end() -> None:
            await asyncio.sleep(max(0.0, -pause))
            await self._press_in(shown, person, by, to)

        await asyncio.gather(approve(), end())
        await self._people.click(to, "approve", message)

    async def _listed(self, by: SlackUser) -> Message | None:
        """Return the list of what is lent as somebody sees it; None when it does not come."""
        told = await self._world.operating.told(by, LIST)
        return told[-1] if told else None

    async def _press_in(self, shown: Message, person: SlackUser, by: SlackUser, to: SlackUser) -> None:
        """Press End beside what is lent, if that stands there; the answer takes the place of the list."""
        world = self._world
        asked = world.nature.now()
        world.delegations.ending(person, by.id, to.id)
        with suppress(StandInRefused):
            await world.judge.click(person, END, shown)
            if GONE in self._people.read(shown):
                world.delegations.ended(by.id, to.id, asked)
