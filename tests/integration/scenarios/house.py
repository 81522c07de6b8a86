"""The bot between the two stand-ins: starting, stopping, cutting off, and the time that it lives in."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp

from bot.config import load
from bot.machine import Machine
from bot.sandbox.close import CloseStandIn
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn
from bot.wiring import Running, running

BOT_TOKEN: Final = "xoxb-scenarios-1"
APP_TOKEN: Final = "xapp-scenarios-1"
SIGNING_SECRET: Final = "signing-secret-of-the-scenarios"

#: Where commands are given, where approval is asked for, where failures are told.
OPS: Final = "C0OPS"
APPROVALS: Final = "C0APPROVALS"
FAILURES: Final = "C0FAILURES"

#: Seconds between two looks of the bot's loops for due work.
TICK: Final = 0.05

_DONE: Final = re.compile(r"^linesman_outbox_undelivered 0", re.MULTILINE)
_UNDONE: Final = re.compile(
    r'^linesman_work\{task="(?:plan|start|submit|reconcile|poll|verify|finish)"\} [1-9]', re.MULTILINE
)


class Clock:
    """The bot's time: ``rate`` times as fast as the real one, and ahead of it by what was skipped."""

    def __init__(self, *, rate: float = 10.0) -> None:
        self._began = datetime.now(UTC)
        self._rate = rate
        self._skipped = timedelta()
        self._elapsed = 0.0

    def __call__(self) -> datetime:
        """Return the present time."""
        return self._began + (datetime.now(UTC) - self._began) * self._rate + self._skipped

    def steady(self) -> float:
        """Return seconds that count as fast, and are never set."""
        return ((datetime.now(UTC) - self._began) * self._rate).total_seconds() + self._elapsed

    def advance(self, seconds: float) -> None:
        """Set it ``seconds`` ahead, or back when negative."""
        self._skipped += timedelta(seconds=seconds)

    def elapse(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self.advance(seconds)
        self._elapsed += seconds


@dataclass(kw_only=True)
class House:
    """The bot of :func:`bot.wiring.running` between the two stand-ins, and the people around it.

    Ana asks for changes, Max and Mia approve, Otto operates, Sam is nobody in particular, Gus is a guest and Fay is
    from another workspace.
    """

    slack: SlackStandIn
    telnyx: TelnyxStandIn
    database: Path
    #: Close is switched on where a scenario needs it.
    close: CloseStandIn | None = None
    transport: str = "http"
    clock: Clock = field(default_factory=Clock)
    #: Variables that differ from the usual ones; an empty value unsets.
    env: dict[str, str] = field(default_factory=dict)
    bot: Running | None = None
    _open: AsyncExitStack | None = None
    _session: aiohttp.ClientSession | None = None

    def __post_init__(self) -> None:
        add = self.slack.add_person
        self.ana, self.max, self.mia = add("U0ANA", name="Ana"), add("U0MAX", name="Max"), add("U0MIA", name="Mia")
        self.otto, self.sam = add("U0OTTO", name="Otto"), add("U0SAM", name="Sam")
        self.gus, self.fay = add("U0GUS", name="Gus", guest=True), add("U0FAY", name="Fay", foreign_team="T0OTHER")
        everybody = ["U0ANA", "U0MAX", "U0MIA", "U0OTTO", "U0SAM", "U0GUS", "U0FAY"]
        for channel, name in ((OPS, "ops"), (APPROVALS, "approvals"), (FAILURES, "failures")):
            self.slack.add_channel(channel, name=name, members=everybody)

    # The bot

    async def start(self, **env: str) -> None:
        """Start the bot; ``env`` is remembered for the next start."""
        self.env |= env
        settings = load({**self._usual(), **self.env})
        stack = AsyncExitStack()
        self._open = stack
        self._session = await stack.enter_async_context(aiohttp.ClientSession())
        self.bot = await stack.enter_async_context(
            running(settings, machine=Machine(clock=self.clock, steady=self.clock.steady))
        )
        ringing = asyncio.create_task(self._ring(self.bot))
        stack.push_async_callback(_ended, ringing)
        if self.transport == "http":
            self.slack.deliver_http(f"http://127.0.0.1:{self.bot.port}/slack/events")
        else:
            self.slack.deliver_http(None)
            await self.slack.wait_for(lambda: self.slack.sockets >= 1, what="a Socket Mode connection")

    async def _ring(self, bot: Running) -> None:
        """Have the bot's loops look often: they sleep in real seconds, and the stage's clock runs faster."""
        while True:
            await asyncio.sleep(TICK)
            bot.worker._context.ring()

    async def stop(self) -> None:
        """Stop the bot as SIGTERM does; harmless when it is not running."""
        stack, self._open, self.bot = self._open, None, None
        if stack is not None:
            await stack.aclose()

    async def crash(self) -> None:
        """Cut the bot's work off wherever it is, and end what is left of the process."""
        if self.bot is not None:
            # Between two transactions: one that is cut in its middle rolls back for certain only when its process ends.
            async with self.bot.worker._context.database._writing:
                self.bot.working.cancel()
                await asyncio.wait({self.bot.working}, timeout=0.1)
            await asyncio.wait({self.bot.working})
        await self.stop()

    def stop_clock(self) -> Clock:
        """Have no time pass, once the bot is started again, but what the test lets pass; return the clock."""
        still = Clock(rate=0)
        still.advance((self.clock() - still()).total_seconds())
        self.clock = still
        return still

    async def tamper(self, *statements: str) -> None:
        """Write into the database by hand; each statement changes something.

        In a thread: the bot lives in this loop, and might have to go on before the database can be written.
        """
        await asyncio.to_thread(_write, self.database, statements)

    def _usual(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_APP_TOKEN": APP_TOKEN if self.transport == "socket" else "",
            "SLACK_API_URL": self.slack.api_url,
            "TELNYX_API_KEY": self.telnyx.api_key,
            "TELNYX_API_URL": self.telnyx.url,
            "CLOSE_API_KEY": self.close.api_key if self.close else "",
            "CLOSE_API_URL": self.close.url if self.close else "",
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "HOST": "127.0.0.1",
            "PORT": "0",
            "LINESMAN_REQUESTERS": "U0ANA,U0MIA",
            "LINESMAN_APPROVERS": "U0MAX,U0MIA,U0ANA",
            "LINESMAN_OPERATORS": "U0OTTO",
            "LINESMAN_APPROVAL_CHANNEL": APPROVALS,
            "LINESMAN_FAILURE_CHANNEL": FAILURES,
            "LINESMAN_POLL_MIN": "0.05",
            "LINESMAN_POLL_MAX": "0.2",
            "LINESMAN_CARD_SECONDS": "0.5",
            "LINESMAN_RECONCILE_SECONDS": "0.2",
            "LINESMAN_PROVIDER_TIMEOUT": "5",
        }

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and text of a page of the bot's own server."""
        if self.bot is None or self._session is None:
            raise RuntimeError("the bot is not running")
        async with self._session.get(f"http://127.0.0.1:{self.bot.port}{path}") as answer:
            return answer.status, await answer.text()

    async def ready_says(self, words: str) -> None:
        """Wait until the bot is ready and says ``words`` below it."""
        async with asyncio.timeout(45):
            while (answer := await self.get("/readyz"))[0] != 200 or words not in answer[1]:  # noqa: ASYNC110 - only another look can tell
                await asyncio.sleep(0.06)

    async def quiet(self, timeout: float = 45.0, *, but: str = "") -> None:  # noqa: ASYNC109 - it is asyncio.timeout inside
        """Wait until the bot has nothing left to do or to say, as its own figures tell, ``but`` a task for later."""
        async with asyncio.timeout(timeout):
            while _busy((await self.get("/metrics"))[1].replace(f'{{task="{but}"}}', "")):  # noqa: ASYNC110 - figures signal nobody
                await asyncio.sleep(0.06)


def _busy(told: str) -> bool:
    """Tell whether the bot's figures say that there is something to do, or leave it open: another replica tells."""
    return _DONE.search(told) is None or _UNDONE.search(told) is not None


def _write(database: Path, statements: Sequence[str]) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
