"""A workspace and a carrier around the process, and the story that is played between them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import re
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet

from bot.sandbox.close import CloseStandIn
from bot.sandbox.slack import Delivery, FaultKind, Message, SlackStandIn
from bot.sandbox.slack.transcript import lines
from bot.sandbox.telnyx import TelnyxStandIn
from tests.acceptance.process import Serving
from tests.acceptance.process_pool import PooledProcess, ProcessPool
from tests.acceptance.stories import PIN, SETTINGS, Line, Story
from tests.acceptance.workspace import APPROVALS, CHANNELS, EVERYBODY, FAILURES, OPS
from tests.filling import fill

BOT_TOKEN: Final = "xoxb-acceptance-1"
APP_TOKEN: Final = "xapp-acceptance-1"
SIGNING_SECRET: Final = "signing-secret-of-acceptance"
API_KEY: Final = "KEY0acceptance0001"
CLOSE_KEY: Final = "api_acceptance"
#: Seconds for a whole run, restarts included, and half a minute for what a dead process was posting to arrive.
PATIENCE: Final = 90.0
#: Below those that the system hands out by itself: a port must not go to somebody else between two lives of its owner.
_PORTS: Final = itertools.cycle(random.SystemRandom().sample(range(20_000, 30_000), 10_000))
_UNDONE: Final = re.compile(
    r"^linesman_(?:outbox_undelivered|"
    r'work\{task="(?:plan|discard|expire|start|submit|reconcile|poll|verify|finish)"\}) [1-9]',
    re.MULTILINE,
)


@dataclass(kw_only=True, repr=False)
class Stage:
    """``linesman serve`` between the two stand-ins, and Ana, who asks, and Max, who approves."""

    slack: SlackStandIn
    telnyx: TelnyxStandIn
    folder: Path
    #: Close is switched on where a story needs it.
    close: CloseStandIn | None = None
    transport: str = "http"
    #: Where the process is forked; without one it is started as anybody would start it.
    pool: ProcessPool | None = None
    #: What Ana wants to be done.
    story: Story = SETTINGS
    #: Numbers of the change, in the order in which Ana gives them.
    asked: list[Line] = field(default_factory=list)
    #: Those of them that have the wanted values from the beginning.
    settled: list[Line] = field(default_factory=list)
    #: Those of them that the provider will fail.
    failing: list[Line] = field(default_factory=list)
    #: How many jobs the change has to become.
    batches: int = 0
    #: Whom the request for approval named while nobody had decided, and how many jobs there were before all had.
    named: frozenset[str] = frozenset()
    jobs_before_approval: int = 0
    #: What an approver was told at each look at what they lend.
    listed: list[str] = field(default_factory=list)
    secret_key: str = field(default_factory=lambda: Fernet.generate_key().decode())

    def __post_init__(self) -> None:
        people = {**EVERYBODY, **self.story.others}
        for person, name in people.items():
            self.slack.add_person(person, name=name)
        self.ana, self.max = map(self.slack.person, EVERYBODY)
        for channel in CHANNELS:
            self.slack.add_channel(channel, name=channel.removeprefix("C0").lower(), members=tuple(people))
        self.port = free_port()
        env, log = self._environment(), self.folder / "linesman.log"
        self.process = Serving(env, log) if self.pool is None else PooledProcess(self.pool, env, log)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "linesman.db"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that must not be readable at rest."""
        return (PIN, BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, API_KEY, CLOSE_KEY, self.secret_key)

    def _environment(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": self.slack.api_url,
            "TELNYX_API_KEY": self.telnyx.api_key,
            "TELNYX_API_URL": self.telnyx.url,
            "CLOSE_API_KEY": self.close.api_key if self.close else "",
            "CLOSE_API_URL": self.close.url if self.close else "",
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "LINESMAN_REQUESTERS": "U0ANA",
            "LINESMAN_APPROVERS": "U0MAX",
            "LINESMAN_APPROVAL_CHANNEL": APPROVALS,
            "LINESMAN_FAILURE_CHANNEL": FAILURES,
            "LINESMAN_SECRET_KEY": self.secret_key,
            "LINESMAN_POLL_MIN": "0.02",
            "LINESMAN_POLL_MAX": "0.1",
            "LINESMAN_CARD_SECONDS": "0.05",
            "LINESMAN_RECONCILE_SECONDS": "0.3",
            "LINESMAN_PROVIDER_TIMEOUT": "20",
            **self._policy(),
        } | ({"SLACK_APP_TOKEN": APP_TOKEN} if self.transport == "socket" else {"SLACK_SIGNING_SECRET": SIGNING_SECRET})

    def _policy(self) -> dict[str, str]:
        """Write the rules of the story, and return the variable that names them; none when there are none."""
        if not self.story.policy:
            return {}
        file = self.folder / "policy.toml"
        file.write_text(self.story.policy)
        return {"LINESMAN_POLICY_FILE": str(file)}

    # The process

    async def start(self) -> None:
        """Start the process and wait until it can be reached."""
        await self.process.start()
        if self.transport == "http":
            self.slack.deliver_http(f"{self.process.address}/slack/events")
        else:
            await self.slack.wait_for(lambda: self.slack.sockets >= 1, what="a Socket Mode connection")

    async def again(self) -> None:
        """Start it again after an end; the weather has cleared up meanwhile."""
        self.slack.faults.clear()
        self.telnyx.faults.clear()
        await self.start()

    def strike_on(
        self, method: str, suits: Callable[[dict[str, Any]], bool], number: signal.Signals, *, then: FaultKind
    ) -> None:
        """Have the process struck at the instant in which Slack receives the first such call.

        What becomes of the call is said by ``then``: it has its effect and no answer (``drop_after``), neither
        (``drop_before``), or both, a little later (``delay``).
        """

        def fatal(params: dict[str, Any]) -> bool:
            if not suits(params):
                return False
            self.process.strike(number)
            return True

        self.slack.faults.add(method=method, kind=then, where=fatal, seconds=0.2)

    # The provider

    def stock(self, *, batches: int, each: int) -> None:
        """Give the account the numbers of the story, which become ``batches`` jobs of ``each`` numbers.

        On top of them comes one number that has the wanted values already.
        """
        self.story.stock(self, batches=batches, each=each)
        self.batches = batches

    # The story

    async def propose(self) -> None:
        """Ana fills the form and sends it."""
        await self.ana.command("/numbers", self.story.command, channel=OPS)
        await self.ana.wait_for_view(lambda view: view.callback_id == "change_form")
        numbers = [number.phone_number for number in self.asked]
        besides = {"reason": "Moving <!channel> to the *new* PBX"}
        await fill(self.ana, numbers, self.story.wanted, besides=besides)
        sent = await self.ana.submit()

        assert (sent.errors, sent.delivery.error) == (None, None)

    async def request(self) -> None:
        """Ana sees the plan and asks for approval."""
        await self.ana.wait_for_view(
            lambda view: view.callback_id == "preview" and bool(view.content.get("submit")), timeout=PATIENCE
        )
        sent = await self.ana.submit()

        assert (sent.errors, sent.delivery.error) == (None, None)

    async def approve(self) -> Delivery:
        """Max approves once both cards are there; the click may go unanswered when the process has just died."""
        await self.slack.wait_for(
            lambda: self.slack.messages(self.story.approval_channel) and self.slack.messages(OPS),
            timeout=PATIENCE,
            what="both cards",
        )
        return await self.max.click("approve", message=self.slack.messages(self.story.approval_channel)[0])

    async def ended(self) -> None:
        """Wait until the results are in the thread and Linesman has nothing left to do or to say."""
        await self.slack.wait_for(self.sheets, timeout=PATIENCE, what="the results")
        async with asyncio.timeout(PATIENCE):
            while _UNDONE.search((await self.process.read("/metrics"))[1]):  # noqa: ASYNC110 - another process counts
                await asyncio.sleep(0.02)

    # What people see

    def read(self, message: Message) -> str:
        """Return a message as a person reads it."""
        return "\n".join(lines(message, self.slack))

    def sheets(self) -> list[bytes]:
        """Return the results sheets that were shared."""
        return [file.content for file in self.slack.files if file.name.endswith("-results.csv") and file.channel]


@dataclass(kw_only=True, repr=False)
class RestartingStage(Stage):
    """A stage on which processes end at any time, and are started again."""

    #: Set while a click can be heard.
    up: asyncio.Event = field(default_factory=asyncio.Event)
    #: What Ana was told at the end about who holds numbers.
    locks: str = ""


def free_port() -> int:
    """Return a loopback port that nobody listens on, and that the system gives to nobody who asks for any."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
