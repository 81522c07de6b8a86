"""What operators do: they decide what only they can, and release what others hold."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import Message, SlackUser, StandInRefused
from tests.simulation.people import LATER, SOON, buttons
from tests.simulation.temporary import named

if TYPE_CHECKING:
    from tests.simulation.world import World


#: How often a fallback approver presses Approve in a request, at each look.
STANDS_IN: Final = 0.5
#: How often an operator mistypes a job; and what no job is called.
MISTYPED: Final = 0.2
NO_JOB: Final = "00000000-0000-4000-8000-000000000000"


class Operating:
    """What operators do."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = world.people

    async def operate(self, by: SlackUser, random: Random) -> None:
        """Look for what only an operator can decide, and decide it."""
        people = self._people
        while True:
            await asyncio.sleep(60 + random.random() * 240)
            if self._world.calm and self._world.judge.frozen():
                await people.type(by, "unfreeze")
            for change in people.known():
                card = people.posted(change, "card")
                if card is None:
                    continue
                if "go_on" in buttons(card):
                    await self._decide_on_the_rest(by, card, random)
                for asked in named(people.read(card), "resolve"):
                    await self._resolve(by, asked, random)

    async def _decide_on_the_rest(self, by: SlackUser, card: Message, random: Random) -> None:
        """Have the rest of a rollout go or not, mostly an operator; requesters and others press, too."""
        world = self._world
        by = random.choice((by, by, world.ana, world.mia, world.max, world.sam))
        await self._people.click(by, random.choice(("go_on", "go_on", "stop_rest")), card)

    async def _resolve(self, by: SlackUser, change: int, random: Random) -> None:
        for message in await self.told(by, f"resolve CHG-{change}"):
            offered = [each for each in _questions(message) if self._sensible(change, *each)]
            if not offered:
                continue
            action, value = random.choice(offered)
            if action == "adopt_other":
                await self._adopt(by, message, _batch(value), random)
            else:
                await self._people.click(by, action, message)

    def _sensible(self, change: int, action: str, value: str) -> bool:
        """Tell whether somebody who has looked at the provider's own pages may press this."""
        if action == "send_again":
            return not self._world.judge.somewhere(change)
        if not action.startswith("adopt"):
            return True
        job = self._world.adoptions.job_of(_batch(value))
        return job is not None and (action == "adopt_other" or value.endswith(f"|{job}"))

    async def _adopt(self, by: SlackUser, message: Message, batch: int, random: Random) -> None:
        """Type which job is a batch's, now and then one that there is not."""
        people = self._people
        with suppress(StandInRefused):
            await self._world.judge.click(by, "adopt_other", message)
            if await people.seen(lambda: people.open(by, "adoption"), SOON) is not None:
                job = self._world.adoptions.job_of(batch) or NO_JOB
                await by.type("job", NO_JOB if random.random() < MISTYPED else job)
                await by.submit()
                await people.seen(lambda: people.open(by, "notice"), LATER)
        await people.close(by)

    async def stand_in(self, by: SlackUser, random: Random) -> None:
        """Press Approve as a fallback approver, too early as well."""
        while self._world.policy.staged:
            await asyncio.sleep(random.random() * 90)
            for _, request in self._people.requests():
                if random.random() < STANDS_IN:
                    await self._people.click(by, "approve", request)

    async def unlock(self, by: SlackUser, change: int) -> None:
        """Release the numbers of a change, whatever state it is in."""
        for message in await self.told(by, f"unlock CHG-{change}"):
            if "unlock" in buttons(message):
                self._world.judge.released(change)
                await self._people.click(by, "unlock", message)

    async def told(self, by: SlackUser, text: str) -> list[Message]:
        """Type a command and return what is answered; answers to earlier commands may come meanwhile."""
        slack = self._people.slack
        before, sent = len(slack.ephemerals(by.id)), len(slack.deliveries)
        with suppress(StandInRefused):
            await self._world.judge.command(by, text)
        own = {
            delivery.payload["response_url"].rpartition("/")[2]
            for delivery in slack.deliveries[sent:]
            if delivery.kind == "slash_command"
            and (delivery.payload["user_id"], delivery.payload["text"]) == (by.id, text)
        }

        def answers() -> list[Message]:
            links = slack.workspace.links.items()
            others = [message for token, link in links if token not in own for message in link.posted]
            return [message for message in slack.ephemerals(by.id)[before:] if message not in others]

        await self._people.seen(lambda: bool(answers()), LATER)
        return answers()


def _questions(message: Message) -> list[tuple[str, str]]:
    """Return the buttons of the first question of each sort, with what they carry."""
    found: dict[str, str] = {}
    for block in message.blocks:
        for element in block["elements"] if block["type"] == "actions" else ():
            found.setdefault(element["action_id"], str(element["value"]))
    return list(found.items())


def _batch(value: str) -> int:
    """Return the batch that the button of a question is about."""
    return int(value.partition(":")[0])
