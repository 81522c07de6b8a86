"""Who asks for changes to a plan, and what its requester does then: another plan, the same again, or nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import Message, SlackUser, StandInRefused
from tests.simulation.asking import Asking
from tests.simulation.people import SOON, buttons
from tests.simulation.wishes import Wish

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Seconds between two looks of a requester for what was sent back: at the least, and how much more.
LOOKS: Final = (15.0, 90.0)
#: What a requester does about it, and how often compared with the rest; it expires when nobody does anything.
ACTS: Final = {"another": 6, "same": 3, "cancel": 1, "leave": 3}
#: How often somebody presses Edit whose change it is not.
MEDDLING: Final = 0.05
#: How often a requester plans something anew at such a look that came to nothing.
AGAIN: Final = 0.05


class Revising:
    """What approvers and requesters do about plans that are not right yet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = world.people
        self._asking = Asking(world)

    async def send_back(self, by: SlackUser, change: int, message: Message) -> None:
        """Ask for changes, in words in which a mention is nothing but text."""
        people = self._people
        with suppress(StandInRefused):
            await self._world.judge.click(by, "ask_for_changes", message)
            if await people.seen(lambda: people.open(by, "changes"), SOON) is not None:
                await by.type("what", f"Not like this, <!channel>: *CHG-{change}*")
                self._world.revisions.asking(by, change)
                sent = await by.submit()
                self._world.trace.add(f"{by.profile.name} asks for changes: {sent.errors} {sent.delivery.error}")
                await people.seen(lambda: people.open(by, "notice"), SOON)
        await people.close(by)

    async def revise(self, by: SlackUser, keyboard: asyncio.Lock, random: Random) -> None:
        """Look for plans that were sent back now and then, and do something about some."""
        least, more = LOOKS
        while True:
            await asyncio.sleep(least + random.random() * more)
            for change, card in self._sent_back():
                [(requester,)] = self._world.judge.rows("SELECT requester FROM changes WHERE id = ?", change)
                [act] = random.choices(list(ACTS), list(ACTS.values()))
                if by.id != requester and random.random() >= MEDDLING:
                    continue
                async with keyboard:
                    if act == "cancel":
                        await self._people.type(by, f"cancel CHG-{change}")
                    elif act != "leave":
                        await self._edit(by, change, card, random if act == "another" else None)

            if random.random() < AGAIN:
                async with keyboard:
                    await self._plan_again(by, random)

    async def _plan_again(self, by: SlackUser, random: Random) -> None:
        """Plan something of theirs anew that came to nothing, and request approval of it."""
        people, world = self._people, self._world
        theirs = {change for (change,) in world.judge.rows("SELECT id FROM changes WHERE requester = ?", by.id)}
        cards = [(change, people.posted(change, "card")) for change in people.known() if change in theirs]
        ended = [(change, card) for change, card in cards if card is not None and "plan_again" in buttons(card)]
        if not ended or world.calm:
            return
        change, card = random.choice(ended)
        with suppress(StandInRefused):
            await world.judge.click(by, "plan_again", card)
            planned = await self._asking.planned_again(by)
            wish = world.plans.wishes.get(world.revisions.planned_as(change))
            if planned and wish is not None:
                world.plans.shown(planned, wish, world.meant(wish), whole=False)
            if planned and await self._asking.request(by, planned):
                world.plans.requested(planned)
        await people.close(by)

    def _sent_back(self) -> list[tuple[int, Message]]:
        cards = [(change, self._people.posted(change, "card")) for change in self._people.known()]
        return [(change, card) for change, card in cards if card is not None and "revise" in buttons(card)]

    async def _edit(self, by: SlackUser, change: int, card: Message, random: Random | None) -> None:
        """Plan it anew, as something else if there is a ``random``, and request approval again."""
        people, world = self._people, self._world
        with suppress(StandInRefused):
            await world.judge.click(by, "revise", card)
            if await people.seen(lambda: people.open(by, "change_form"), SOON) is not None:
                wish = world.plans.wishes.get(world.revisions.planned_as(change))
                if wish is not None and random is not None:
                    wish = _another(wish, random)
                planned = await self._asking.plan(by, None if wish is not None and wish.sheet else wish)
                if planned and await self._asking.request(by, planned, lambda: self._is_open(change)):
                    world.plans.requested(change)
        await people.close(by)

    def _is_open(self, change: int) -> bool:
        """Tell whether the request for approval of a change can be decided on."""
        request = self._people.posted(change, "approval_card")
        return request is not None and "approve" in buttons(request)


def _another(wish: Wish, random: Random) -> Wish:
    """Return a wish with other texts, and now and then with a number less."""
    if len(wish.numbers) > 1 and "canary" not in wish.besides and random.random() < 0.5:
        wish = replace(wish, numbers=wish.numbers[:-1])
    return wish.other(random)
