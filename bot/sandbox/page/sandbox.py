"""The sandbox: the stand-ins, the real bot between them, and the page that shows it all."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.fernet import Fernet

from bot.sandbox.page import world as places
from bot.sandbox.page.accounts import close_part, telnyx_part
from bot.sandbox.page.actions import Actions, sentence
from bot.sandbox.page.bot_keeper import BotKeeper
from bot.sandbox.page.counts import Counts
from bot.sandbox.page.given import Given
from bot.sandbox.page.guide import Guide
from bot.sandbox.page.live import Live, PartSource
from bot.sandbox.page.screens import screen_parts, workspace_parts
from bot.sandbox.page.server import PageServer
from bot.sandbox.page.switches import Switches
from bot.sandbox.page.world import StandIns, furnish, new_stand_ins
from bot.sandbox.slack import StandInRefused
from bot.sandbox.slack.records import Json


class Sandbox:
    """Everything; an asynchronous context manager, after which nothing of it is left.

    ``shortcuts`` and ``commands`` are what the app declares of itself, as the page shows them. Raises OSError when
    somebody else listens on ``port``; 0 takes a free one.
    """

    def __init__(self, *, port: int = 0, shortcuts: Sequence[Json] = (), commands: Sequence[Json] = ()) -> None:
        self._port = port
        self._declared = {"shortcuts": list(shortcuts), "commands": list(commands)}
        self._world = new_stand_ins()
        self._open = AsyncExitStack()
        self.slack, self.telnyx, self.close = self._world.slack, self._world.telnyx, self._world.close
        #: Where the page is, once the context is entered.
        self.url = ""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            place = opening.enter_context(socket.create_server(("127.0.0.1", self._port)))
            folder = opening.enter_context(tempfile.TemporaryDirectory(prefix="linesman-sandbox-"))
            for stand_in in (self.slack, self.telnyx, self.close):
                await opening.enter_async_context(stand_in)
            numbers = furnish(self._world)
            (Path(folder) / "policy.toml").write_text(places.POLICY, encoding="utf-8")
            self.bot = BotKeeper(configuration(self._world, Path(folder)), Path(folder) / "linesman.log")
            self._actions = Actions(self.slack)
            self._switches = Switches(self._world, liar=numbers[5])
            self._counts, self._guide = Counts(self._world), Guide(self._world, numbers)
            server = PageServer(place, self.slack, Live(self._sources(), self._act))
            opening.push_async_callback(self.bot.kill)
            await self.bot.start()
            opening.push_async_callback(server.stop)
            await server.start()
            self.url = server.url
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def _sources(self) -> tuple[PartSource, PartSource]:
        """Return where everything that a page shows comes from; Slack tells when something has changed there."""
        journal = self.slack.workspace.journal
        return PartSource(mark=lambda: journal.changes, parts=self._slack_parts), PartSource(
            mark=lambda: None, parts=self._rest
        )

    def _slack_parts(self) -> Iterator[tuple[str, object]]:
        yield from self._declared.items()
        yield from workspace_parts(self.slack)
        yield from screen_parts(self.slack, self._actions.waiting)
        yield "guide", self._guide.part()

    def _rest(self) -> Iterator[tuple[str, object]]:
        yield "provider:telnyx", telnyx_part(self.telnyx)
        yield "provider:close", close_part(self.close)
        yield "bot", {"running": self.bot.runs, "starts": self.bot.starts, "connected": self.slack.sockets > 0}
        yield "switches", self._switches.part(restarting=self.bot.restarting)
        yield "counts", self._counts.part()

    async def _act(self, given: Given) -> Json:
        try:
            doing = self._switch if given.text("do") == "switch" else self._actions.carry_out
            return await doing(given)
        except StandInRefused as refusal:
            return {"error": sentence(str(refusal))}

    async def _switch(self, given: Given) -> Json:
        name = given.text("switch")
        if name == "kill":
            await self.bot.restart()
        elif not self._switches.turn(name, on=given.flag("on")):
            return {"error": "There is no such switch."}
        return {"error": None}


def configuration(world: StandIns, folder: Path) -> dict[str, str]:
    """Return the bot's configuration. Socket Mode needs no port; the paces are those of an impatient audience."""
    people = f"{places.ANA},{places.MANAGERS}"
    return {
        "SLACK_BOT_TOKEN": world.slack.workspace.bot_token,
        "SLACK_APP_TOKEN": world.slack.workspace.app_token,
        "SLACK_API_URL": world.slack.api_url,
        "TELNYX_API_KEY": world.telnyx.api_key,
        "TELNYX_API_URL": world.telnyx.url,
        "CLOSE_API_KEY": world.close.api_key,
        "CLOSE_API_URL": world.close.url,
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'linesman.db'}",
        "HOST": "127.0.0.1",
        "PORT": "0",
        "LINESMAN_REQUESTERS": people,
        "LINESMAN_APPROVERS": people,
        "LINESMAN_OPERATORS": places.MANAGERS,
        "LINESMAN_APPROVAL_CHANNEL": places.APPROVALS,
        "LINESMAN_FAILURE_CHANNEL": places.FAILURES,
        "LINESMAN_POLICY_FILE": str(folder / "policy.toml"),
        "LINESMAN_SECRET_KEY": Fernet.generate_key().decode(),
        "LINESMAN_POLL_MIN": "0.3",
        "LINESMAN_POLL_MAX": "0.8",
        "LINESMAN_RECONCILE_SECONDS": "5",
        "LINESMAN_STUCK_AFTER": "10",
        "LINESMAN_CARD_SECONDS": "0.3",
        "LINESMAN_LOG_FORMAT": "console",
    }
