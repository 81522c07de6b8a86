"""A workspace, an account and an environment in which everything is in order, for tests to spoil."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from cryptography.fernet import Fernet

from bot.cli import main
from bot.config import VARIABLES, load
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn

BOT_TOKEN = "xoxb-1111-standin"
APP_TOKEN = "xapp-1-standin"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
API_KEY = "KEY0123456789"
READING = "OK    Who may look at changes and numbers: {}; never guests and people of other workspaces."
#: How variables begin that are not called LINESMAN_….
FOREIGN = ("SLACK_", "TELNYX_", "CLOSE_", "DATABASE_", "PORT", "HOST")


@dataclass(kw_only=True)
class Place:
    """Where Linesman is to be installed."""

    slack: SlackStandIn
    telnyx: TelnyxStandIn
    #: The environment; change it before the check.
    env: dict[str, str]
    #: The SQLite file that the environment names.
    file: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    async def check(self) -> tuple[int, list[str]]:
        """Run ``linesman check`` in a thread; return its exit status and the lines of its standard output."""
        ours = {variable.name for variable in VARIABLES}
        for name in [name for name in os.environ if name in ours or name.startswith("LINESMAN_")]:
            self.monkeypatch.delenv(name)
        for name, value in self.env.items():
            self.monkeypatch.setenv(name, value)
        status = await asyncio.to_thread(main, ["check"])
        out, err = self.capsys.readouterr()
        for secret in load(self.env).secrets():
            assert secret not in out + err
        return status, out.splitlines()

    async def tells(self, said: Mapping[str, Sequence[str]], **env: str) -> None:
        """Prove that the whole report is the good one but for ``said``, and that the exit status goes with it.

        ``said`` is what is checked -> the lines of it now; with ``+`` before the name, lines that follow the good
        ones. ``env`` are variables to change, with or without LINESMAN_; an empty one is not set.
        """
        full = {name if name.startswith(FOREIGN) else f"LINESMAN_{name}": value for name, value in env.items()}
        self.env = {name: value for name, value in (self.env | full).items() if value}
        expected: list[str] = []
        for name, lines in self.good().items():
            expected += said.get(name, [*lines, *said.get(f"+{name}", [])])

        status, told = await self.check()

        assert told == expected
        assert status == any(line.startswith("FAIL") for line in expected)

    def good(self) -> dict[str, list[str]]:
        """Return what is checked -> the lines of it when all is well, in the order of the report."""
        return {
            "configuration": [
                f"OK    The configuration is valid: {len(self.env)} variables are set, of {len(VARIABLES)}.",
                READING.format(
                    "every active full member of the workspace"
                    if "*" in self.env.get("LINESMAN_REQUESTERS", "")
                    else "requesters, approvers and operators"
                ),
            ],
            "database": [f"OK    The database {self.file} does not exist yet: the first start creates it."],
            "port": ["OK    The HTTP server can listen on a free port of 127.0.0.1."],
            "bot": ["OK    The bot is @linesman in the workspace Linesman sandbox."],
            "scopes": ["OK    The app has the 12 scopes that Linesman needs."],
            "approvals": ["OK    Linesman is in the approval channel #approvals (C0APPROVE)."],
            "failures": ["OK    Linesman is in the failure channel #failures (C0FAIL)."],
            "requesters": [
                "OK    LINESMAN_REQUESTERS is valid: 1 person and 1 user group may request changes.",
            ],
            "approvers": ["OK    LINESMAN_APPROVERS is valid: 1 person and 1 user group may approve changes."],
            "enough": ["OK    At least 2 people can approve, and a change needs 1 approval."],
            "operators": ["OK    LINESMAN_OPERATORS is valid: 1 person may act as an operator."],
            "socket": ["OK    SLACK_APP_TOKEN opens Socket Mode."],
            "telnyx": ["OK    Telnyx accepts the API key; the account has 3 numbers."],
        }


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    """Put logging back as it was: the command configures it for a whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    quiet = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "alembic")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in quiet.items():
        logging.getLogger(name).setLevel(old)
    structlog.reset_defaults()


@pytest.fixture
async def place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    _logging_as_before: None,
) -> AsyncIterator[Place]:
    """Return a place where nothing is wrong."""
    async with (
        SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN) as slack,
        TelnyxStandIn(api_key=API_KEY) as telnyx,
    ):
        telnyx.add_numbers(3, start="+13035550100")
        for id_, name in (("U0ANA", "Ana"), ("U0MAX", "Max"), ("U0EVA", "Eva"), ("U0IDA", "Ida")):
            slack.add_person(id_, name=name)
        slack.add_usergroup("S0OPS", handle="ops", members=["U0ANA", "U0IDA"])
        slack.add_usergroup("S0LEADS", handle="leads", members=["U0MAX", "U0EVA"])
        slack.add_channel("C0APPROVE", name="approvals", members=["U0MAX"])
        slack.add_channel("C0FAIL", name="failures", members=["U0ANA"])
        file = tmp_path / "linesman.db"
        env = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_API_URL": slack.api_url,
            "TELNYX_API_KEY": API_KEY,
            "TELNYX_API_URL": telnyx.url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{file}",
            "PORT": "0",
            "LINESMAN_REQUESTERS": "U0ANA,S0OPS",
            "LINESMAN_APPROVERS": "U0MAX,S0LEADS",
            "LINESMAN_OPERATORS": "U0ANA",
            "LINESMAN_APPROVAL_CHANNEL": "C0APPROVE",
            "LINESMAN_FAILURE_CHANNEL": "C0FAIL",
            "LINESMAN_SECRET_KEY": Fernet.generate_key().decode(),
        }
        yield Place(slack=slack, telnyx=telnyx, env=env, file=file, monkeypatch=monkeypatch, capsys=capsys)
