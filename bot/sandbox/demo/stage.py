"""The stage: a temporary folder, the stand-ins on loopback, and the real bot between them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from cryptography.fernet import Fernet

from bot.sandbox.bot_process import BotProcess, Ending
from bot.sandbox.demo.fixtures import DemoFixtures, furnish_demo, stand_in_for_close
from bot.sandbox.demo.world import APPROVALS, FAILURES, World, furnish, stand_ins
from bot.sandbox.slack import Delivery, StandInRefused

T = TypeVar("T")

#: Seconds that any one step of the story may take: a busy machine is slow, and nothing waits for this but a fault.
STEP: Final = 90.0


@dataclass(frozen=True, kw_only=True)
class Curtain:
    """What remains when the bot has stopped."""

    ending: Ending
    log: str


class DemoStage:
    """Where the story plays. Everything that is opened here is gone when the block ends, however it ends."""

    def __init__(self) -> None:
        slack, telnyx = stand_ins()
        self._slack, self._telnyx = slack, telnyx
        self._close = stand_in_for_close()
        self._secret_key = Fernet.generate_key().decode()
        self._open = AsyncExitStack()
        self._folder = Path()
        self._bot: BotProcess | None = None
        self._world: World | None = None
        self._team: DemoFixtures | None = None
        #: What is being waited for, in words; for the report when it never comes.
        self.awaited = ""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            folder = tempfile.TemporaryDirectory(prefix="linesman-demo-")
            self._folder = Path(opening.enter_context(folder))
            await opening.enter_async_context(self._slack)
            await opening.enter_async_context(self._telnyx)
            await opening.enter_async_context(self._close)
            self._world = furnish(self._slack, self._telnyx)
            self._team = furnish_demo(self._close)
            self._bot = BotProcess(self.configuration(), self._folder / "linesman.log")
            await opening.enter_async_context(self._bot)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open.aclose()

    @property
    def world(self) -> World:
        """The world; known once the stage is entered."""
        if self._world is None:
            raise RuntimeError("the stage is built by entering its context")
        return self._world

    @property
    def team(self) -> DemoFixtures:
        """The fixtures of the second act; known once the stage is entered."""
        if self._team is None:
            raise RuntimeError("the stage is built by entering its context")
        return self._team

    @property
    def bot(self) -> BotProcess:
        """The bot; known once the stage is entered."""
        if self._bot is None:
            raise RuntimeError("the stage is built by entering its context")
        return self._bot

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that the bot was given."""
        workspace = self._slack.workspace
        return (
            workspace.bot_token,
            workspace.app_token,
            self._telnyx.api_key,
            self._close.api_key,
            self._secret_key,
        )

    def configuration(self) -> dict[str, str]:
        """Return the bot's configuration. Socket Mode needs no port; the paces are those of an impatient audience."""
        people = f"{self.world.ana.id},{self.world.max.id}"
        return {
            "SLACK_BOT_TOKEN": self._slack.workspace.bot_token,
            "SLACK_APP_TOKEN": self._slack.workspace.app_token,
            "SLACK_API_URL": self._slack.api_url,
            "TELNYX_API_KEY": self._telnyx.api_key,
            "TELNYX_API_URL": self._telnyx.url,
            "CLOSE_API_KEY": self._close.api_key,
            "CLOSE_API_URL": self._close.url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{self._folder / 'linesman.db'}",
            "HOST": "127.0.0.1",
            "PORT": "0",
            "LINESMAN_REQUESTERS": people,
            "LINESMAN_APPROVERS": people,
            "LINESMAN_APPROVAL_CHANNEL": APPROVALS,
            "LINESMAN_FAILURE_CHANNEL": FAILURES,
            "LINESMAN_SECRET_KEY": self._secret_key,
            "LINESMAN_POLL_MIN": "0.3",
            "LINESMAN_POLL_MAX": "0.8",
            "LINESMAN_CARD_SECONDS": "0.3",
            "LINESMAN_LOG_FORMAT": "console",
        }

    async def until(self, seen: Callable[[], T], what: str, within: float = STEP) -> T:
        """Return the first truthy value of ``seen()``.

        Raises TimeoutError when it does not come, and BotEndedError when the bot is gone.
        """
        self.awaited = what

        def look() -> T:
            self.bot.check()
            return seen()

        return await self._slack.wait_for(look, timeout=within, what=what)

    async def connected(self) -> None:
        """Wait until the bot listens to Slack, which is the last thing that it does while it starts."""
        await self.until(lambda: self._slack.sockets > 0, "the bot to connect to Slack")

    def answered(self, delivery: Delivery) -> Delivery:
        """Return ``delivery``; raises StandInRefused when the person saw Slack's error instead of an answer."""
        if delivery.error is not None:
            raise StandInRefused(f"the bot did not answer the {delivery.kind}: {delivery.error}")
        return delivery

    async def curtain(self) -> Curtain:
        """Stop the bot as an operator would, and return what it left."""
        self.awaited = "the bot to stop after SIGTERM"
        ending = await self.bot.stop()
        return Curtain(ending=ending, log=self.bot.log())
