"""Those who meddle with everything at once: Dana, who lends her right and takes it back, and Opal, who freezes."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import SlackUser
from tests.acceptance.replicas.deeds import PATIENCE
from tests.acceptance.replicas.wishes import OPAL
from tests.acceptance.stories.staged import DANA
from tests.acceptance.workspace import OPS

if TYPE_CHECKING:
    from tests.acceptance.replicas.cluster import Cluster

#: Seconds until a right is lent, until it is taken back, and for which everything is frozen.
LENT_FOR: Final = (0.5, 6.0)
FROZEN_FOR: Final = (0.5, 5.0)
#: How often a right is lent at most, and how often there is a freeze.
TIMES: Final = 3
FREEZES: Final = 0.4

#: How the answers read.
_LENT: Final = re.compile(r"can approve changes for you until|already")
_TAKEN_BACK: Final = re.compile(r"can no longer approve for you|You have not delegated to this person")
_FROZEN: Final = re.compile(r"rozen")
_THAWED: Final = re.compile(r"lifted|not frozen|no freeze", re.IGNORECASE)


class Others:
    """What they do in one trial."""

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self._cluster = cluster
        self._slack = cluster.slack
        self._chance = chance

    async def lend(self, needed: Callable[[], bool]) -> None:
        """Dana lends Max her right and takes it back, a few times, as long as it is needed."""
        dana = self._slack.person(DANA)
        for _ in range(self._chance.randint(1, TIMES)):
            await asyncio.sleep(self._chance.uniform(*LENT_FOR))
            if not needed():
                break
            await self._types(dana, "delegate @Max for 45 minutes", _LENT)
            await asyncio.sleep(self._chance.uniform(*LENT_FOR))
            await self._types(dana, "delegate end @Max", _TAKEN_BACK)

    async def freeze(self) -> None:
        """Opal holds everything back for a while, in some trials."""
        if self._chance.random() >= FREEZES:
            return
        opal = self._slack.person(OPAL)
        await asyncio.sleep(self._chance.uniform(*LENT_FOR))
        await self._types(opal, "freeze The carrier asked us to wait", _FROZEN)
        await asyncio.sleep(self._chance.uniform(*FROZEN_FOR))
        await self._types(opal, "unfreeze", _THAWED)

    async def _types(self, by: SlackUser, command: str, answer: re.Pattern[str]) -> None:
        """Type a command until there is such an answer."""
        heard = len(self._slack.ephemerals(by.id))

        def answered() -> bool:
            told = [self._cluster.read(message) for message in self._slack.ephemerals(by.id)[heard:]]
            return any(answer.search(text) for text in told)

        while not answered():
            await self._cluster.up.wait()
            await by.command("/numbers", command, channel=OPS)
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(answered, timeout=PATIENCE)
