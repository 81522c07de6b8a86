"""A stage on which things go wrong: faults are planned, and the process is started again whenever it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from bot.sandbox.close import CloseStandIn
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn
from tests.acceptance import ledger
from tests.acceptance.faults import hooks
from tests.acceptance.faults.approvers import Approvers
from tests.acceptance.faults.fault_kinds import FaultKind, Injection, order
from tests.acceptance.faults.people import People, Wish
from tests.acceptance.faults.steps import TWICE, CloseFaults, Faults, SlackFaults, Step, TelnyxFaults, Watch, ordered
from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.stage import API_KEY, APP_TOKEN, BOT_TOKEN, CLOSE_KEY, SIGNING_SECRET, RestartingStage
from tests.acceptance.stories import (
    BUNDLES,
    CLOSE,
    EMERGENCY,
    REVISED,
    SETTINGS,
    STAGED,
    TAKEN_BACK,
    TEMPORARY,
    WAVES,
    Story,
)
from tests.acceptance.stories.staged import Lending, Staged

#: What a process may end with by itself: a full disk can break the worker, and then whoever runs it starts it again.
BROKE: Final = 1


@dataclass(kw_only=True, repr=False)
class Scene(RestartingStage):
    """The stage, with a process that is started again whenever it ends."""

    watch: Watch = field(default_factory=Watch)
    #: The statuses with which the process has ended.
    ends: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.process.env["LINESMAN_PROVIDER_TIMEOUT"] = "1.5"
        self.slack.faults = SlackFaults(self.watch)
        self.telnyx.faults = TelnyxFaults(self.watch)
        self.telnyx.files.faults = TelnyxFaults(self.watch)
        if self.close is not None:
            self.close.faults = CloseFaults(self.watch)
        self.people = People(self)
        #: Whether something was planned for a commit.
        self._at_commit = False
        self.plan()

    # The fault

    def plan(self, *injections: Injection) -> None:
        """Let each of ``injections`` happen when its step comes, a commit's in the next life; with none, only look."""
        orders: dict[str, object] = {"folder": str(self.folder)}
        for injection in injections:
            if injection.fault.commit is None:
                self.watch.wait_for(injection.step, partial(self._strike, injection.fault))
            else:
                when, what = injection.fault.commit
                orders |= {"step": injection.step.name, "nth": injection.step.nth, "when": when, "what": what}
                self._at_commit = True
        self.process.env[hooks.PLAN] = json.dumps(orders)

    def _strike(self, fault: FaultKind, faults: Faults) -> None:
        if fault.signal is not None:
            self.process.strike(fault.signal)
        order(faults, fault)

    def fill_the_disk(self) -> None:
        """Let nothing fit on the disk for a while."""
        full = self.folder / hooks.FULL
        full.touch()
        asyncio.get_running_loop().call_later(hooks.FULL_FOR, full.unlink, True)  # noqa: FBT003 - its first argument

    @property
    def happened(self) -> bool:
        """Whether everything that was planned has happened."""
        return not self.watch.awaited and (not self._at_commit or (self.folder / hooks.HAPPENED).exists())

    def steps(self) -> list[Step]:
        """Return the steps that were seen: the calls, and then the commits."""
        names = (self.folder / hooks.COMMITS).read_text().splitlines()
        return self.watch.steps() + ordered(("commit", name, names.count(name)) for name in dict.fromkeys(names))

    # The process

    async def keep(self) -> None:
        """Start the process, and start it again whenever it has ended, as whatever runs it would."""
        while True:
            with contextlib.suppress(RuntimeError):  # it ended before it was ready
                await self.start()
                self.up.set()
            self.ends.append(await self.process.gone(within=None))
            self.up.clear()
            (self.folder / hooks.FULL).unlink(missing_ok=True)  # whoever starts it again has made room
            self.plan()

    async def ended(self) -> None:
        """Wait until the process has ended once and is ready again."""
        while not self.ends:  # noqa: ASYNC110 - another process ends
            await asyncio.sleep(0.02)
        await self.up.wait()

    # The story

    async def play(self) -> None:
        """Play the story to its end, and let Ana ask then who holds numbers."""
        story = self.story
        first = {**story.wanted, "customer_reference": story.at_first} if story.at_first else story.wanted
        besides = {**({"until": story.until} if story.until else {}), **story.rollout}
        name = await self.people.ask(Wish(self.asked, first, story.command, story.filters, besides))
        assert name is not None
        if story.at_first:
            await self.people.ask_for_changes(name)
            await self.people.revise(name, story.wanted)
        if isinstance(story, Lending):
            approvers = Approvers(self, self.people, story)
            await approvers.decide(name)
            if isinstance(story, Staged):
                await self.quiet()
                await approvers.take_back()
        else:
            await self.people.approve(name)
        if story.until:
            await self.people.end()
        await self.quiet()
        self.locks = await self.people.ask_for_locks()

    async def quiet(self) -> None:
        """Wait until Linesman has nothing left to do or to say."""
        await self.up.wait()
        while ledger.something_waits(self.database):
            await asyncio.sleep(0.02)
            await self.up.wait()


@dataclass(frozen=True)
class Setting:
    """How a story is played."""

    name: str
    story: Story = SETTINGS
    transport: str = "http"
    batches: int = 2
    #: Whether it goes like the one over HTTP but for a few steps, so that faults at the others say nothing new.
    alike: bool = False
    #: How many steps of one name are no chance, of those few.
    often: int = 1

    def __str__(self) -> str:
        return self.name


OVER_HTTP: Final = Setting("settings over HTTP")
STAGES: Final = Setting("settings in stages", STAGED, alike=True, often=TWICE)
RIGHT_TAKEN_BACK: Final = Setting("settings in stages, a lent right taken back", TAKEN_BACK, alike=True, often=TWICE)
OTHERS: Final = (
    Setting("settings in Socket Mode", transport="socket"),
    Setting("settings of a bundle", BUNDLES, alike=True),
    Setting("settings there and back", TEMPORARY),
    Setting("settings at the second attempt", REVISED),
    Setting("settings in waves", WAVES),
    STAGES,
    RIGHT_TAKEN_BACK,
    Setting("emergency settings", EMERGENCY, batches=1),
    Setting("settings at Close", CLOSE, batches=1),
)


@asynccontextmanager
async def scene(
    pool: ProcessPool, folder: Path, *injections: Injection, setting: Setting = OVER_HTTP
) -> AsyncIterator[Scene]:
    """Set the stage with four numbers to change and one to leave, plan what is to happen, and start the process."""
    slack = SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN)
    async with (
        slack,
        TelnyxStandIn(api_key=API_KEY, job_seconds=0.1) as telnyx,
        CloseStandIn(api_key=CLOSE_KEY) if setting.story is CLOSE else contextlib.nullcontext() as close,
    ):
        made = Scene(
            slack=slack,
            telnyx=telnyx,
            close=close,
            folder=folder,
            transport=setting.transport,
            story=setting.story,
            pool=pool,
        )
        made.stock(batches=setting.batches, each=4 // setting.batches)
        made.plan(*injections)
        keeping = asyncio.create_task(made.keep())
        try:
            yield made
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await made.process.close()
