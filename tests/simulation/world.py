"""One world: the real bot, the stand-ins of the services and the people, in one process and in a time of their own."""

from __future__ import annotations

import asyncio
import itertools
import logging
import resource
import traceback
import zlib
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, TextIO

import structlog

from bot.sandbox.close import CloseStandIn, furnish
from bot.sandbox.slack import SlackStandIn, SlackUser
from bot.sandbox.slack import log as slack_log
from bot.sandbox.telnyx import TelnyxStandIn
from bot.slack import home_publisher
from bot.workflow import worker
from tests.simulation.asking import Asking
from tests.simulation.disk import Disk
from tests.simulation.ending import Ending, unfinished
from tests.simulation.judge import Judge
from tests.simulation.liveness import Liveness
from tests.simulation.loop import Stuck
from tests.simulation.nature import Nature
from tests.simulation.operating import Operating
from tests.simulation.people import APPROVALS, APPROVERS, FAILURES, OPS, REQUESTERS, People
from tests.simulation.plans import Plans
from tests.simulation.policy import Policy
from tests.simulation.process import Process
from tests.simulation.script import Item, Order, script
from tests.simulation.trace import Trace
from tests.simulation.troubles import TROUBLES, calm
from tests.simulation.wishes import ADDRESS, Wish, wish

BOT_TOKEN: Final = "xoxb-simulation-1"
SIGNING_SECRET: Final = "signing-secret-of-the-simulation"
#: Seals the PINs; it is nobody's.
SECRET_KEY: Final = "c2ltdWxhdGlvbi1rZXktb2YtbGluZXNtYW4tMzJieXQ="
#: Seconds of a world between the end of the faults and its judgement at most.
CALM: Final = 7200.0
#: How often two people want the same at the same time.
TWINS: Final = 0.15
#: How many waits of ten seconds go by from one look of the judge at whether all goes on to the next.
LOOKS: Final = 6
#: Seconds between two looks of the bot's loops for work that nobody rang for.
LOOK: Final = 60.0


class Told(list[Any]):
    """A log of a stand-in whose entries go into the trace as well."""

    def __init__(self, trace: Trace, describe: Any) -> None:
        super().__init__()
        self._trace = trace
        self._describe = describe

    def append(self, entry: Any) -> None:
        """Note an entry."""
        super().append(entry)
        self._trace.add(self._describe(entry))


@dataclass(kw_only=True)
class Report:
    """How a world went."""

    seed: int
    steps: int
    hash: str
    #: Virtual seconds, and seconds of CPU.
    seconds: float
    cpu: float
    #: What became of the changes, and how many lives the process had.
    became: Mapping[str, int] = field(default_factory=dict)
    #: What was wrong; empty when nothing was.
    faults: list[str] = field(default_factory=list)
    latest: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = "; ".join(self.faults) or "right"
        took = f"{self.seconds:.0f} s in {self.cpu:.1f} s of CPU"
        became = ", ".join(f"{count} {what}" for what, count in sorted(self.became.items()))
        return f"seed {self.seed}: {self.steps} steps, trace {self.hash}, {took}, {became}: {verdict}"


class World:
    """A world from a seed; ``folder`` is for its files, ``template`` an empty database of this version."""

    def __init__(self, order: Order, folder: Path, template: Path, *, out: TextIO | None = None) -> None:
        self.seed = order.seed
        self.length = order.minutes * 60
        self.nature = Nature(order.seed)
        self.random = self.nature.random
        self.nature.rule()
        self.trace = Trace(self.nature.loop.time, out)
        self.disk = Disk(folder, self.random, template=template, unsafe=self.unsafe)
        #: Whether nothing goes wrong any more, and nobody begins anything new.
        self.calm = False
        self.items = script(order)
        self.policy = Policy(order)
        self._folder = folder
        #: Numbers that somebody else has changed, and when.
        self.touched: dict[str, float] = {}
        #: What was found to be wrong.
        self.faults: list[str] = []
        self.nature.loop.set_exception_handler(self._lost)
        self._log()

    # What is said

    def _log(self) -> None:
        structlog.configure(processors=[self._said], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
        logging.basicConfig(handlers=[_Handler(self)], level=logging.ERROR, force=True)

    def _said(self, _: Any, level: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        told = {name: value for name, value in event.items() if name not in ("exc_info", "event", "file", "port")}
        self.trace.add(f"log {level}: {event['event']} {told}")
        if event.get("exc_info"):
            self.unforeseen(f"{event['event']} {told}")
        raise structlog.DropEvent

    def unforeseen(self, what: str) -> None:
        """Note an error that nobody foresaw, with the traceback of this moment."""
        self.faults.append(f"unforeseen: {what}\n{traceback.format_exc()}")

    def unsafe(self) -> None:
        """Note that a commit would not survive a power cut."""
        self.faults.append("a commit is not synced, so a power cut loses it")

    def _lost(self, _: Any, context: dict[str, Any]) -> None:
        self.faults.append(f"the loop was told: {context.get('message')} {context.get('exception')!r}")

    def ended(self, task: asyncio.Task[Any]) -> None:
        """Note how the process ended by itself."""
        error = None if task.cancelled() else task.exception()
        self.trace.add(f"the process ended: {error!r}")

    # The play

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
            faults=self.faults,
            latest=list(self.trace.latest),
        )

    async def _play(self) -> None:
        async with AsyncExitStack() as stack:
            await self._furnish(stack)
            self.process = Process(self, self._environment())
            keeping = asyncio.create_task(self.process.keep())
            await self.process.up.wait()
            deciding = [
                asyncio.create_task(self.people.decide(by, Random(f"{by.id} {self.seed}")))
                for by in (self.max, self.mia, self.ana)
            ]
            deciding.append(asyncio.create_task(self.operating.operate(self.otto, Random(f"operator {self.seed}"))))
            happening = [asyncio.create_task(self._happen(item)) for item in self.items]
            deciding.append(keeping)
            await self._until(lambda: self.nature.loop.time() >= self.length, deciding, happening)
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

    async def _furnish(self, stack: AsyncExitStack) -> None:
        slack_log.BACKSTOP_SECONDS = 5.0
        worker.IDLE, home_publisher.IDLE = LOOK, LOOK  # whoever makes work due rings; the rest only spends CPU
        now = self.nature.now
        self.slack = await stack.enter_async_context(
            SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, clock=now)
        )
        self.telnyx = await stack.enter_async_context(TelnyxStandIn(clock=now, job_seconds=20.0))
        self.close = await stack.enter_async_context(CloseStandIn(clock=now))
        journal = self.slack.workspace.journal
        journal.calls = Told(self.trace, lambda call: f"slack {call.method} {_brief(call.params)}")
        journal.deliveries = Told(self.trace, lambda sent: f"click {sent.kind} {_brief(sent.payload)}")
        for name, provider in (("telnyx", self.telnyx), ("close", self.close)):
            provider._wire.calls = Told(
                self.trace, lambda call, name=name: f"{name} {call.method} {call.path} {call.query} {_brief(call.body)}"
            )
        people = ("Ana", "Max", "Mia", "Otto", "Sam")
        add = self.slack.add_person
        self.ana, self.max, self.mia, self.otto, self.sam = (add(f"U0{name.upper()}", name=name) for name in people)
        for channel, name in ((OPS, "ops"), (APPROVALS, "approvals"), (FAILURES, "failures")):
            self.slack.add_channel(channel, name=name, members=[f"U0{each.upper()}" for each in people])
        self.telnyx.add_numbers(40, start="+13035550000")
        furnish(self.close, shared=24)
        self.telnyx.add_address("1600 Broadway", id=ADDRESS)
        self.telnyx_numbers = [each.phone_number for each in self.telnyx.numbers.values()]
        self.close_numbers = [each.number for each in self.close.numbers.values() if each.is_group_number]
        self.people, self.judge = People(self), Judge(self)
        self.asking, self.operating, self.plans = Asking(self), Operating(self), Plans(self)
        self.ending, self.liveness = Ending(self), Liveness(self)
        self._keyboards = {by: asyncio.Lock() for by in self.slack.workspace.people}
        self._watch_providers()

    def _watch_providers(self) -> None:
        """Let the judge see every job and every update as soon as it is there."""
        book, judge = self.telnyx._book, self.judge
        add = book.add

        def added(job: Any) -> Any:
            made = add(job)
            if not job.of_somebody_else:
                judge.job_made(made)
            return made

        book.add = added  # type: ignore[method-assign]
        ids = {each.number: each.id for each in self.close.numbers.values()}
        updates = self.close._behaviour

        class Updates(list[Any]):
            def append(self, update: Any) -> None:
                super().append(update)
                judge.updated(ids[update.number], dict(update.settings), f"update {len(self)}")

        updates.updates = Updates()

    def _environment(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": self.slack.api_url,
            "TELNYX_API_KEY": self.telnyx.api_key,
            "TELNYX_API_URL": self.telnyx.url,
            "CLOSE_API_KEY": self.close.api_key,
            "CLOSE_API_URL": self.close.url,
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

    # What happens

    async def _happen(self, item: Item) -> None:
        """Let one thing of the script happen."""
        await asyncio.sleep(item.at)
        random = item.random
        self.trace.add(f"item {item}")
        if item.what == "change":
            await self._change(random)
        else:
            await TROUBLES[item.what](self, random)

    async def _change(self, random: Random) -> None:
        """Have somebody want a change, and now and then what follows it."""
        by = random.choice((self.ana, self.mia))
        wanted = wish(self, random)
        if random.random() < TWINS:
            await asyncio.gather(*(self._asked(each, wanted) for each in (self.ana, self.mia)))
            return
        change = await self._asked(by, wanted)
        if change is None or random.random() < 0.6:
            return
        if await self.people.seen(lambda: self._told(change), 3600.0):
            async with self._keyboards[by.id]:
                await self._follow(by, change, random)

    async def _asked(self, by: SlackUser, wanted: Wish) -> int | None:
        """Have somebody ask for a change once they have finished what they were at."""
        async with self._keyboards[by.id]:
            return await self.asking.ask(by, wanted)

    async def _follow(self, by: SlackUser, change: int, random: Random) -> None:
        """Have somebody undo a change, retry what failed, or save it and run it again."""
        meant = self.plans.wishes.get(change)
        what = random.choice(("undo", "retry", "template"))
        if what != "template" or meant is None:
            await self.asking.follow(by, change, "retry" if what == "retry" else "undo")
        elif await self.asking.keep(by, change, f"Like CHG-{change}"):
            await self.asking.run(by, f"like chg-{change}", meant)

    def _told(self, change: int) -> bool:
        return any(file.name == f"CHG-{change}-results.csv" and file.channel for file in self.slack.files)

    # What is true

    def meant(self, wish: Wish) -> set[str]:
        """Return the numbers that a wish means at this moment."""
        if not wish.part:
            return set(wish.numbers)
        return {each.phone_number for each in self.telnyx.numbers.values() if wish.part in each.phone_number}

    def touch(self, e164: str) -> None:
        """Note that somebody else has changed a number."""
        self.touched[e164] = self.nature.loop.time()

    def value(self, provider: str, e164: str, name: str) -> Any:
        """Return what a number has at its provider."""
        if provider == "close":
            return getattr(self.close.number(e164), name)
        number = self.telnyx._account.find(e164)
        if number is None or not name:
            return None
        return number.value(name)


class _Handler(logging.Handler):
    """Takes what libraries complain of."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Note it."""
        self._world.trace.add(f"log of {record.name}: {record.getMessage()[:200]}")
        if record.exc_info:
            self._world.unforeseen(f"{record.name}: {record.getMessage()}")


def _brief(given: object) -> str:
    """Return a short text that differs where ``given`` does."""
    return f"{zlib.crc32(repr(given).encode()):08x}"


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
