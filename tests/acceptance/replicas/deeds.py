"""What people do about a change while things go wrong: they decide, think again, and press at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import Message, SlackUser, StandInRefused
from tests.acceptance.faults.people import People
from tests.acceptance.faults.reckoning import NEVER_RAN
from tests.acceptance.replicas.wishes import OPAL, Course, Wanted
from tests.acceptance.stories.staged import DANA, MIA, OTTO
from tests.acceptance.workspace import APPROVALS, OPS

if TYPE_CHECKING:
    from tests.acceptance.replicas.cluster import Cluster

#: Seconds that people wait before they try again.
PATIENCE: Final = 9.0
#: Seconds between two looks of those who approve in stages.
LOOKS: Final = (0.3, 2.0)
#: Seconds for which a temporary change is in effect before anybody thinks of its end.
LASTS: Final = (0.0, 1.5)
#: How often it is extended before that, and how often somebody approves a plan as another asks for changes to it.
EXTENDED: Final = 0.5
TOGETHER: Final = 0.4


class Deeds:
    """Everybody who has a hand in the changes of one trial, besides those who ask for them."""

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self._cluster = cluster
        self._slack = cluster.slack
        self._chance = chance
        #: By person: whoever fills a form does nothing else meanwhile.
        self.keyboards: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._opal = cluster.slack.person(OPAL)

    async def decide(self, people: People, name: str, wanted: Wanted) -> None:
        """Have it approved, and do what its course asks for then."""
        match wanted.course:
            case Course.STAGED:
                await self._approve_in_stages(name)
            case Course.REVISED:
                await self._revise(people, name, wanted)
            case _:
                await people.approve(name)
        if wanted.paused:
            await self._let_it_go_on(people, name)
        if wanted.course is Course.TEMPORARY:
            await self._end(people, name)

    # Approval

    async def _approve_in_stages(self, name: str) -> None:
        """Anybody presses Approve, in their turn or not, now and then two at once, until it has run."""
        people = [self._slack.person(id_) for id_ in (MIA, OTTO, DANA)] + [self._cluster.max]
        while not self.over(name):
            await self._cluster.up.wait()
            pressing = self._chance.sample(people, self._chance.choice((1, 1, 2)))
            await asyncio.gather(*(self._click(by, "approve", self.request(name)) for by in pressing))
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(lambda: self.over(name), timeout=self._chance.uniform(*LOOKS))

    async def _revise(self, people: People, name: str, wanted: Wanted) -> None:
        """Max asks for changes, and now and then Mia approves at that moment; what counts then is what came first."""
        if self._chance.random() < TOGETHER:
            await asyncio.gather(
                self._click(self._slack.person(MIA), "approve", self.request(name)), self._ask_for_changes(people, name)
            )
        else:
            await self._ask_for_changes(people, name)
        if await self._is_sent_back(name):
            async with self.keyboards[people.ana.id]:
                await people.revise(name, wanted.wish.values)
            await people.approve(name)

    async def _ask_for_changes(self, people: People, name: str) -> None:
        async with self.keyboards[self._cluster.max.id]:
            await people.ask_for_changes(name)

    async def _is_sent_back(self, name: str) -> bool:
        """Wait for what became of a request without buttons; tell whether its requester has to edit the plan."""

        def seen() -> str:
            if "revise" in buttons(self.card(name)):
                return "revise"
            return "approved" if "approved" in self._cluster.read(self.request(name)) else ""

        while not seen():
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(seen, timeout=PATIENCE)
        return seen() == "revise"

    # After it

    async def _let_it_go_on(self, people: People, name: str) -> None:
        """Ana or Opal, or both at once, let it go on whenever it waits for that."""

        def waits() -> bool:
            return "go_on" in buttons(self.card(name))

        while not self.over(name):
            if waits():
                await self._cluster.up.wait()
                pressing = self._chance.sample([people.ana, self._opal], self._chance.choice((1, 2)))
                await asyncio.gather(*(self._click(by, "go_on", self.card(name)) for by in pressing))
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(lambda: self.over(name) or not waits(), timeout=PATIENCE)
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(lambda: self.over(name) or waits(), timeout=PATIENCE)

    async def _end(self, people: People, name: str) -> None:
        """Ana asks for a later end, perhaps, and ends it before either, perhaps as Opal does."""
        while not (self._ends(name) or self.over(name)):
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(lambda: self._ends(name) or self.over(name), timeout=PATIENCE)
        await asyncio.sleep(self._chance.uniform(*LASTS))
        if self._chance.random() < EXTENDED and not self.over(name):
            await self._extend(people, name)
        pressing = self._chance.sample([people.ana, self._opal], self._chance.choice((1, 2)))
        await self._until(
            lambda: not self._ends(name),
            lambda: asyncio.gather(*(self._click(by, "end_now", self.card(name)) for by in pressing)),
        )

    async def _extend(self, people: People, name: str) -> None:
        """Ana asks for a later end, once or more often; Max approves what he finds, or is too late for it."""
        await self._until(
            lambda: self._extensions(name) or not self._ends(name),
            lambda: people.ana.command("/numbers", f"extend {name} until in 6 hours", channel=OPS),
        )
        if self._chance.random() < 0.5:
            return  # the end comes while Max decides
        for request in self._extensions(name):
            await self._until(
                lambda asked=request: "approve" not in buttons(asked),
                lambda asked=request: self._click(self._cluster.max, "approve", asked),
            )

    async def approve_extensions(self) -> None:
        """Max approves what nobody waits for: it is a matter of chance whether it comes before the end."""
        while True:
            await asyncio.sleep(self._chance.uniform(*LOOKS))
            for request in self._slack.messages(APPROVALS):
                if "Extension of" in self._cluster.read(request) and "approve" in buttons(request):
                    await self._click(self._cluster.max, "approve", request)

    # What stands in Slack

    def card(self, name: str) -> Message:
        """Return the card of a change."""
        return next(each for each in self._slack.messages(OPS) if key_of(each) == f"{name}:card")

    def request(self, name: str) -> Message:
        """Return the request for approval of a change."""
        return next(each for each in self._slack.messages(APPROVALS) if key_of(each) == f"{name}:approval_card")

    async def decided(self, name: str) -> None:
        """Wait until there is nothing to approve about a change any more, for the time being."""
        while "approve" in buttons(self.request(name)):
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(lambda: "approve" not in buttons(self.request(name)), timeout=PATIENCE)

    def over(self, name: str) -> bool:
        """Tell whether a change has come to its end: its results are there, or its card says that it never ran."""
        if any(word in self._cluster.read(self.card(name)) for word in NEVER_RAN):
            return True
        return any(file.channel and file.name == f"{name}-results.csv" for file in self._slack.files)

    def _ends(self, name: str) -> bool:
        return "end_now" in buttons(self.card(name))

    def _extensions(self, name: str) -> list[Message]:
        """Return the requests for a later end of a change."""
        others = [each for each in self._slack.messages(APPROVALS) if key_of(each) != f"{name}:approval_card"]
        read = [(each, self._cluster.read(each)) for each in others]
        return [each for each, text in read if re.search(rf"Extension of {name}\b", text)]

    async def _click(self, by: SlackUser, action: str, message: Message) -> None:
        with contextlib.suppress(StandInRefused):  # the button has just gone, or is not there
            await by.click(action, message=message)

    async def _until(self, there: Callable[[], object], act: Callable[[], Awaitable[object]]) -> None:
        """Do something until there is what somebody waits for."""
        while not there():
            await self._cluster.up.wait()
            await act()
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(there, timeout=PATIENCE)


def key_of(message: Message) -> str:
    """Return the name that the bot gave to a message."""
    return str((message.metadata or {}).get("event_payload", {}).get("key", ""))


def buttons(message: Message) -> set[str]:
    """Return the action ids of a message's buttons."""
    rows = [block for block in message.blocks if block["type"] == "actions"]
    return {element["action_id"] for row in rows for element in row["elements"]}
