"""Many changes at once: who asks for which, and what becomes of each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import SlackUser
from tests.acceptance.faults.people import People, Wish
from tests.acceptance.replicas.deeds import Deeds
from tests.acceptance.replicas.others import Others
from tests.acceptance.replicas.wishes import Course, Wanted, courses, wanted
from tests.acceptance.stage import Stage
from tests.acceptance.workspace import EVERYBODY, OPS

if TYPE_CHECKING:
    from tests.acceptance.replicas.cluster import Cluster

#: People who ask, each for one change after another.
REQUESTERS: Final = {"U0ANA": "Ana", "U0BEA": "Bea", "U0CLEO": "Cleo"}
#: How many times longer people wait than those who have one replica for themselves. Whoever starts anew too soon only
#: makes more work, and on a slow machine never comes to an end.
PATIENCE: Final = 3.0
#: Seconds between an approval and a cancellation.
SECOND_THOUGHTS: Final = (0.0, 2.0)


class Fate(Enum):
    """What people decide about a change."""

    APPROVED = "approved"
    CANCELLED = "cancelled"  #: before anybody decides
    STOPPED = "stopped"  #: approved, and cancelled some time later, perhaps too late


#: How often each is drawn, compared with the others.
_OFTEN: Final = {Fate.APPROVED: 10, Fate.CANCELLED: 1, Fate.STOPPED: 1}


class Workload:
    """The changes of one trial, and everybody who has a hand in them."""

    def __init__(self, cluster: Cluster, chance: random.Random, *, each: int, varied: bool = True) -> None:
        self._cluster = cluster
        self._each = each
        drawn = courses(chance, each * len(REQUESTERS)) if varied else [Course.PLAIN] * each * len(REQUESTERS)
        self._drawn = wanted(cluster, chance, drawn)
        self._fates = chance.choices(list(_OFTEN), list(_OFTEN.values()), k=len(drawn))
        self._people = [People(cluster, requester, patience=PATIENCE) for requester in _requesters(cluster)]
        # What is drawn while it plays hangs on what comes first; nothing else may hang on that.
        self._chance, *others = (random.Random(chance.random()) for _ in range(3))  # noqa: S311 - no secret
        self.deeds, self._others = Deeds(cluster, others[0]), Others(cluster, others[1])
        #: By name of the change: what was wanted, who wanted it and from when to when, and what was decided.
        self.wanted: dict[str, Wanted] = {}
        self.requesters: dict[str, str] = {}
        self.asked: dict[str, tuple[datetime, datetime]] = {}
        self.fates: dict[str, Fate] = {}

    @property
    def wishes(self) -> dict[str, Wish]:
        """What was wanted, by name of the change."""
        return {name: each.wish for name, each in self.wanted.items()}

    async def play(self) -> None:
        """Ask for all of them, and decide about each as soon as it can be decided."""
        async with asyncio.TaskGroup() as group:
            meddling = asyncio.create_task(self.deeds.approve_extensions())
            if any(each.course is Course.STAGED for each in self._drawn):
                group.create_task(self._others.lend(self._is_any_in_stages))
            if any(each.course is not Course.PLAIN for each in self._drawn):
                group.create_task(self._others.freeze())
            async with asyncio.TaskGroup() as deciding:
                for number, people in enumerate(self._people):
                    mine = slice(number * self._each, (number + 1) * self._each)
                    deciding.create_task(self._ask(deciding, people, mine))
        meddling.cancel()

    async def _ask(self, group: asyncio.TaskGroup, people: People, mine: slice) -> None:
        for each, fate in zip(self._drawn[mine], self._fates[mine], strict=True):
            async with self.deeds.keyboards[people.ana.id]:
                since = datetime.now(UTC)
                name = await people.ask(each.first)
            assert name is not None, "nobody else wants these numbers"
            self.wanted[name], self.requesters[name] = each, people.ana.id
            self.asked[name] = since, datetime.now(UTC)
            self.fates[name] = fate
            group.create_task(self._decide(people, name, each))

    async def _decide(self, people: People, name: str, each: Wanted) -> None:
        match self.fates[name]:
            case Fate.CANCELLED:
                await people.cancel_undecided(name)
            case Fate.APPROVED:
                await self.deeds.decide(people, name, each)
            case Fate.STOPPED if each.course is Course.REVISED:  # whoever edits a plan that is cancelled never gets on
                await self.deeds.decide(people, name, each)
                await self._stop(people, name)
            case Fate.STOPPED:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.deeds.decide(people, name, each))
                    group.create_task(self._stop(people, name))

    async def _stop(self, people: People, name: str) -> None:
        """Cancel a change some time after it was decided on; nobody may hear it."""
        await self.deeds.decided(name)
        await asyncio.sleep(self._chance.uniform(*SECOND_THOUGHTS))
        await people.ana.command("/numbers", f"cancel {name}", channel=OPS)

    def _is_any_in_stages(self) -> bool:
        """Tell whether a change that is approved in stages is still to be asked for, or goes on."""
        asked = [name for name, each in self.wanted.items() if each.course is Course.STAGED]
        count = sum(each.course is Course.STAGED for each in self._drawn)
        return len(asked) < count or not all(self.deeds.over(name) for name in asked)


def _requesters(stage: Stage) -> Iterator[SlackUser]:
    for id_, name in REQUESTERS.items():
        if id_ in EVERYBODY:
            yield stage.ana
            continue
        yield stage.slack.add_person(id_, name=name)
        stage.slack.workspace.channels[OPS].members.append(id_)
