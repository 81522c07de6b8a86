"""One world: the real bot, the stand-ins of the services and the people, in one process and in a time of their own."""

from __future__ import annotations

import asyncio
import itertools
import resource
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any, Final, TextIO

from bot.slack import home_publisher
from bot.workflow.loops import worker
from tests.simulation.adoptions import Adoptions
from tests.simulation.approvals import Approvals
from tests.simulation.census import Census
from tests.simulation.delegating import Delegating
from tests.simulation.delegations import Delegations
from tests.simulation.disk import Disk
from tests.simulation.ending import Ending, unfinished
from tests.simulation.hearing import Hearing
from tests.simulation.judge import Judge
from tests.simulation.liveness import Liveness
from tests.simulation.looking import Looking
from tests.simulation.loop import Stuck
from tests.simulation.modals import Modals
from tests.simulation.nature import LOOK, Nature
from tests.simulation.operating import Operating
from tests.simulation.people import APPROVALS, APPROVERS, FAILURES, REQUESTERS, People
from tests.simulation.plans import Plans
from tests.simulation.policy import Policy
from tests.simulation.process import Process
from tests.simulation.report import Report
from tests.simulation.requesters import Requesters
from tests.simulation.restores import Restores
from tests.simulation.revising import Revising
from tests.simulation.revisions import Revisions
from tests.simulation.script import Item, Order, script
from tests.simulation.services import Services
from tests.simulation.shown import Shown
from tests.simulation.trace import Trace
from tests.simulation.troubles.table import TROUBLES, calm

#: Seals the PINs; it is nobody's.
SECRET_KEY: Final = "c2ltdWxhdGlvbi1rZXktb2YtbGluZXNtYW4tMzJieXQ="
#: Seconds of a world between the end of the faults and its judgement at most.
CALM: Final = 10_800.0
#: How many waits of ten seconds go by from one look of the judge at whether all goes on to the next.
LOOKS: Final = 6


class World(Services):
    """A world from a seed; ``folder`` is for its files, ``template`` an empty database of this version."""

    def __init__(self, order: Order, folder: Path, template: Path, *, out: TextIO | None = None) -> None:
        self.seed = order.seed
        #: When all trouble ends, in seconds.
        self.length = order.minutes * 60
        self.nature = Nature(order.seed)
        self.random = self.nature.random
        self.nature.rule()
        self.trace = Trace(self.nature.loop.time, out)
        #: What was found to be wrong.
        self.faults: list[str] = []
        self.touched = {}
        self.disk = Disk(folder, self.random, template=template, unsafe=self._unsafe)
        #: Whether nothing goes wrong any more, and nobody begins anything new.
        self.calm = False
        self.items = script(order)
        self.policy = Policy(order)
        self._folder = folder
        Hearing(self.nature, self.trace, self.faults)

    def _unsafe(self) -> None:
        """Note that a commit would not survive a power cut."""
        self.faults.append("a commit is not synced, so a power cut loses it")

    def play(self) -> Report:
        """Play it to its end and judge it."""
        loop = self.nature.loop
        asyncio.set_event_loop(loop)
        began = _cpu()
        try:
            loop.run_until_complete(self._play())
        except Stuck as error:
            self.faults.append(f"stuck: {error}")
        return Report(
            seed=self.seed,
            steps=self.trace.steps,
            hash=self.trace.hash,
            seconds=loop.time(),
            cpu=_cpu() - began,
            became=self.ending.became(),
            census=self.census.counted(),
            faults=self.faults,
            latest=list(self.trace.latest),
        )

    async def _play(self) -> None:
        async with AsyncExitStack() as stack:
            await self.furnish(stack)
            self._populate()
            worker.IDLE, home_publisher.IDLE = LOOK, LOOK  # whoever makes work due rings; the rest only spends CPU
            self.process = Process(self, self._environment())
            keeping = asyncio.create_task(self.process.keep())
            await self.process.up.wait()
            deciding = [
                asyncio.create_task(self.people.decide(by, Random(f"{by.id} {self.seed}")))
                for by in (self.max, self.mia, self.ana)
            ]
            deciding += [asyncio.create_task(self.requesters.revise(by)) for by in (self.ana, self.mia)]
            deciding.append(asyncio.create_task(self.delegating.go_on(Random(f"delegating {self.seed}"))))
            deciding.append(asyncio.create_task(self.operating.operate(self.otto, Random(f"operator {self.seed}"))))
            deciding.append(asyncio.create_task(self.operating.stand_in(self.otto, Random(f"fallback {self.seed}"))))
            deciding.append(asyncio.create_task(self.looking.look(Random(f"looking {self.seed}"))))
            happening = [asyncio.create_task(self._happen(item)) for item in self.items]
            deciding.append(keeping)
            await self._until(lambda: self.nature.loop.time() >= self.length, deciding, happening, look=self.look)
            self.trace.add("all trouble ends")
            self.calm = True
            for item, task in zip(self.items, happening, strict=True):
                if item.what != "change":
                    task.cancel()
            await asyncio.sleep(1)
            calm(self)
            ends = self.nature.loop.time() + CALM
            changes = [task for item, task in zip(self.items, happening, strict=True) if item.what == "change"]
            await self._until(
                lambda: (
                    self.nature.loop.time() > ends
                    or (
                        all(task.done() for task in changes)
                        and self.process.up.is_set()
                        and not unfinished(self.judge.rows)
                    )
                ),
                deciding,
                happening,
                look=self.liveness.look,
            )
            for task in [*deciding, *happening]:
                task.cancel()
            await asyncio.sleep(5)
            self.ending.end()
            self.liveness.bounded()
            await self.process.close()
            keeping.cancel()

    def look(self) -> None:
        """Want what has to be so at any time."""
        self.restores.look()
        self.revisions.look()

    def lasts(self, seconds: float) -> None:
        """Let trouble go on for so many more seconds, at least."""
        self.length = max(self.length, self.nature.loop.time() + seconds)

    async def _until(self, over: Any, *tasks: list[asyncio.Task[None]], look: Callable[[], None] | None = None) -> None:
        """Wait until it is over; what breaks among ``tasks`` is raised, and what is wrong ends the wait."""
        for turn in itertools.count():
            if over() or self.faults:
                return
            if look is not None and turn % LOOKS == 0:
                look()
            await asyncio.sleep(10.0)
            for task in (each for some in tasks for each in some):
                if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                    raise error

    def _populate(self) -> None:
        """Have everybody there who acts in it or judges it."""
        self.people, self.judge, self.census = People(self), Judge(self), Census(self)
        self.approvals, self.restores, self.revisions = Approvals(self), Restores(self), Revisions(self)
        self.delegations, self.adoptions = Delegations(self), Adoptions(self)
        self.looking, self.shown = Looking(self), Shown(self)
        self.revising, self.delegating = Revising(self), Delegating(self)
        self.requesters, self.operating, self.plans = Requesters(self), Operating(self), Plans(self)
        self.ending, self.liveness, self.modals = Ending(self), Liveness(self), Modals(self)
        self.watched_by(self.judge)

    def _environment(self) -> dict[str, str]:
        """Return the bot's variables."""
        return {
            **self.variables(),
            "HOST": "127.0.0.1",
            "PORT": "0",
            "LINESMAN_REQUESTERS": ",".join(sorted(REQUESTERS)),
            "LINESMAN_APPROVERS": ",".join(sorted(APPROVERS)),
            "LINESMAN_OPERATORS": "U0OTTO",
            "LINESMAN_APPROVAL_CHANNEL": APPROVALS,
            "LINESMAN_FAILURE_CHANNEL": FAILURES,
            "LINESMAN_SECRET_KEY": SECRET_KEY,
            **self.policy.environment(self._folder),
        }

    async def _happen(self, item: Item) -> None:
        """Let one thing of the script happen."""
        await asyncio.sleep(item.at)
        self.trace.add(f"item {item}")
        if item.what == "change":
            await self.requesters.want(item.random, Random(f"besides {item.seed}"))
        else:
            await TROUBLES[item.what](self, item.random)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
