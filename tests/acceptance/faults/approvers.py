"""Those who decide in stages on a bad day: Otto, who comes in for Mia, and Dana, who lends Max her right."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Final

from bot.sandbox.slack import SlackUser
from tests.acceptance.faults.people import SOON, People
from tests.acceptance.stage import RestartingStage
from tests.acceptance.stories.staged import (
    DANA,
    FALLBACK_ASKED,
    FIRST,
    LENT,
    OTTO,
    STAGE_OPEN,
    STAGE_OPEN_AGAIN,
    Lending,
    TakenBack,
)
from tests.acceptance.workspace import OPS

#: How the answers read: to a right that is lent, to the list, to a right that is taken back or was before.
_LENT: Final = re.compile(r"can approve changes for you until")
_LISTED: Final = re.compile(r"Delegations|You have no delegations")
_TAKEN_BACK: Final = re.compile(r"can no longer approve for you|You have not delegated to this person")


class Approvers:
    """Everybody who has a hand in an approval in stages."""

    def __init__(self, scene: RestartingStage, people: People, story: Lending) -> None:
        self._scene = scene
        self._slack = scene.slack
        self._people = people
        self._story = story
        self._dana = scene.slack.person(DANA)

    async def decide(self, name: str) -> None:
        """Each approves once it is their turn, and Max last."""
        self._scene.named = self._people.request(name).mentions.users
        await (self._think_again(name) if isinstance(self._story, TakenBack) else self._stand_in(name))
        self._scene.jobs_before_approval = len(self._scene.telnyx.jobs)
        await self._people.approve(name)

    async def _stand_in(self, name: str) -> None:
        """Otto approves when nobody else has, and Dana lends Max her right for what follows."""
        await self._reads(lambda: self._below_the_request(name, FALLBACK_ASKED))
        await self._people.approve(name, by=self._scene.slack.person(OTTO), stage=FIRST)
        await self._reads(lambda: self._below_the_request(name, STAGE_OPEN))
        await self._lend()

    async def _think_again(self, name: str) -> None:
        """Max approves for Dana, who takes the right back then and approves herself."""
        await self._lend()
        await self._people.approve(name, stage=FIRST)
        await self._reads(lambda: self._below_the_request(name, STAGE_OPEN))
        await self.take_back()
        await self._reads(lambda: self._below_the_request(name, STAGE_OPEN_AGAIN))
        await self._reads(lambda: f"✅ {FIRST}:" not in self._scene.read(self._people.request(name)))
        await self._people.approve(name, by=self._dana, stage=FIRST)
        await self._reads(lambda: self._below_the_request(name, STAGE_OPEN) == 2)

    async def _lend(self) -> None:
        """Dana lends Max her right, who hears of it, and looks what she lends."""
        await self._types(self._dana, f"delegate @Max {self._story.lent_until}", _LENT)
        await self._reads(self._max_is_told)
        await self._list()

    async def take_back(self) -> None:
        """Dana ends what she lends, and looks whether it has ended."""
        await self._types(self._dana, "delegate end @Max", _TAKEN_BACK)
        await self._list()

    async def _list(self) -> None:
        self._scene.listed.append(await self._types(self._dana, "delegate", _LISTED))

    async def _reads(self, there: Callable[[], object]) -> None:
        """Wait for something to read, however long it takes to come."""
        while not there():
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(there, timeout=SOON)

    async def _types(self, by: SlackUser, command: str, answer: re.Pattern[str]) -> str:
        """Type a command until there is such an answer, and return it."""
        heard = len(self._slack.ephemerals(by.id))

        def answers() -> list[str]:
            said = [self._scene.read(message) for message in self._slack.ephemerals(by.id)[heard:]]
            return [text for text in said if answer.search(text)]

        while not answers():
            await self._scene.up.wait()
            await by.command("/numbers", command, channel=OPS)
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(answers, timeout=SOON)
        return answers()[-1]

    def _below_the_request(self, name: str, text: str) -> int:
        """Return how many messages below the request have this text."""
        request = self._people.request(name)
        below = self._slack.thread(request.channel, request.ts)[1:]
        return sum(text in self._scene.read(message) for message in below)

    def _max_is_told(self) -> bool:
        told = self._slack.messages(self._slack.direct_message(self._scene.max.id))
        return any(LENT in self._scene.read(message) for message in told)
