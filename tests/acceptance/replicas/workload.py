"""Many changes at once: who asks for which, and what becomes of each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import SlackUser
from tests.acceptance.faults.people import People, Wish
from tests.acceptance.stage import Stage
from tests.acceptance.stories import FORWARDING, PIN, REFERENCE
from tests.acceptance.workspace import EVERYBODY, OPS

if TYPE_CHECKING:
    from tests.acceptance.replicas.cluster import Cluster

#: People who ask, each for one change after another.
REQUESTERS: Final = {"U0ANA": "Ana", "U0BEA": "Bea", "U0CLEO": "Cleo"}
#: Jobs of a change, and numbers of a job.
JOBS: Final = 3
NUMBERS: Final = 2
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


class Workload:
    """The changes of one trial, and everybody who has a hand in them."""

    def __init__(self, cluster: Cluster, chance: random.Random, *, each: int) -> None:
        self._cluster = cluster
        self._chance = chance
        self._each = each
        self._wishes = list(_wishes(cluster, each))
        self._people = [People(cluster, requester, patience=PATIENCE) for requester in _requesters(cluster)]
        #: By name of the change: what was wanted, who wanted it, and what was decided.
        self.wishes: dict[str, Wish] = {}
        self.requesters: dict[str, str] = {}
        self.fates: dict[str, Fate] = {}

    async def play(self) -> None:
        """Ask for all of them, and decide about each as soon as it can be decided."""
        async with asyncio.TaskGroup() as group:
            for number, people in enumerate(self._people):
                mine = self._wishes[number * self._each : (number + 1) * self._each]
                group.create_task(self._ask(group, people, mine))

    async def _ask(self, group: asyncio.TaskGroup, people: People, wishes: list[Wish]) -> None:
        for wish in wishes:
            name = await people.ask(wish)
            assert name is not None, "nobody else wants these numbers"
            self.wishes[name], self.requesters[name] = wish, people.ana.id
            self.fates[name] = self._chance.choice([*(Fate.APPROVED for _ in range(10)), Fate.CANCELLED, Fate.STOPPED])
            group.create_task(self._decide(people, name))

    async def _decide(self, people: People, name: str) -> None:
        if self.fates[name] is Fate.CANCELLED:
            await people.cancel_undecided(name)
            return
        await people.approve(name)
        if self.fates[name] is Fate.STOPPED:
            await asyncio.sleep(self._chance.uniform(*SECOND_THOUGHTS))
            await people.ana.command("/numbers", f"cancel {name}", channel=OPS)  # nobody may hear it


def _requesters(stage: Stage) -> Iterator[SlackUser]:
    for id_, name in REQUESTERS.items():
        if id_ in EVERYBODY:
            yield stage.ana
            continue
        yield stage.slack.add_person(id_, name=name)
        stage.slack.workspace.channels[OPS].members.append(id_)


def _wishes(stage: Stage, each: int) -> Iterator[Wish]:
    """Give the account the numbers, and say what is wanted of them: no two changes want the same.

    A nested object is sent whole, so numbers that forward to different places go into different jobs. The carrier
    fails one number of every third change.
    """
    for number in range(each * len(REQUESTERS)):
        lines = []
        for job in range(number * JOBS, (number + 1) * JOBS):
            forwarding = {"call_forwarding_enabled": True, "forwards_to": f"+1720555{job:04}"}
            voice = {"call_forwarding": {**forwarding, "forwarding_type": "always"}}
            lines += stage.telnyx.add_numbers(NUMBERS, start=f"+1303555{job * NUMBERS:04}", voice=voice)
        if number % 3 == 0:
            stage.telnyx.fail(lines[1].phone_number, detail="The field is invalid.", pointer="/external_pin")
        values = {"external_pin": PIN, "customer_reference": f"{REFERENCE}-{number}", FORWARDING: "on-failure"}
        yield Wish(lines, values)
