"""The stage of the acceptance tests; when a test fails, the log of the process is shown with it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn

# A failed check has to show what it compared, also outside the test files.
pytest.register_assert_rewrite(
    "tests.acceptance.ledger",
    "tests.acceptance.checker",
    "tests.acceptance.stories",
    "tests.acceptance.stage",
    "tests.acceptance.faults.reckoning",
    "tests.acceptance.faults.trials",
    "tests.acceptance.replicas.approvals",
    "tests.acceptance.replicas.cluster",
    "tests.acceptance.replicas.endings",
    "tests.acceptance.replicas.trails",
    "tests.acceptance.replicas.trials",
    "tests.acceptance.replicas.verdict",
    "tests.acceptance.replicas.waves",
)

from tests.acceptance import process_pool  # noqa: E402 - the rewriting has to be asked for first
from tests.acceptance.process_pool import ProcessPool  # noqa: E402 - the same
from tests.acceptance.stage import API_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Stage  # noqa: E402 - the same


@pytest.fixture
def transport() -> str:
    """Return how Slack reaches the process: "http" or "socket"."""
    return "http"


@pytest.fixture(scope="session")
def fork_server() -> Iterator[Path]:
    """Run the program that processes are forked from, for tests that start many; give the path of its socket."""
    with process_pool.fork_server() as path:
        yield path


@pytest.fixture
async def forked() -> ProcessPool | None:
    """Return None: the process is started as anybody would start it."""
    return None


@pytest.fixture
async def stage(tmp_path: Path, transport: str, forked: ProcessPool | None) -> AsyncIterator[Stage]:
    """Set the stage; the process is not started yet."""
    slack = SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN)
    async with slack, TelnyxStandIn(api_key=API_KEY, job_seconds=0.3) as telnyx:
        stage = Stage(slack=slack, telnyx=telnyx, folder=tmp_path, transport=transport, pool=forked)
        yield stage
        await stage.process.close()
    # Pytest shows what a fixture wrote with the test that failed, and only then.
    sys.stdout.write(stage.process.written())
