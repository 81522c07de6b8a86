"""The stage for scenarios: both stand-ins, the people, and the bot on a database file of its own."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from bot.providers.close import execution
from bot.sandbox.close import CloseStandIn, Fixtures, furnish
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn
from bot.store.database import Database
from bot.store.migrations import migrate
from tests.integration.scenarios.stage import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Stage


@pytest.fixture(autouse=True)
def warnings_only() -> Iterator[None]:
    """Log what is wrong and nothing else, without local variables: rendering those keeps the loop for seconds."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ],
    )
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty database in the form of this version, to be copied: to make one takes longer than many a test."""
    file = tmp_path_factory.mktemp("database") / "linesman.db"

    async def make() -> None:
        async with Database(f"sqlite+aiosqlite:///{file}") as database:
            await migrate(database)

    asyncio.run(make())
    return file


@pytest.fixture
async def idle(tmp_path: Path, fresh_database: Path) -> AsyncIterator[Stage]:
    """Set the stage without the bot, for tests that start it in their own way."""
    shutil.copyfile(fresh_database, tmp_path / "linesman.db")
    slack = SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN)
    async with slack, TelnyxStandIn(job_seconds=0.02) as telnyx:
        stage = Stage(slack=slack, telnyx=telnyx, database=tmp_path / "linesman.db")
        yield stage
        await stage.stop()


@pytest.fixture
async def stage(idle: Stage) -> Stage:
    """Set the stage with the bot at work, over signed HTTP."""
    await idle.start()
    return idle


@pytest.fixture(params=["http", "socket"])
async def either(request: pytest.FixtureRequest, idle: Stage) -> Stage:
    """Set the stage with the bot at work, once over signed HTTP and once over Socket Mode."""
    idle.transport = request.param
    await idle.start()
    return idle


@pytest.fixture
async def close() -> AsyncIterator[CloseStandIn]:
    """Return an empty organization at Close."""
    async with CloseStandIn(api_key="api_scenarios") as standing_in:
        yield standing_in


@pytest.fixture
def team(close: CloseStandIn, monkeypatch: pytest.MonkeyPatch) -> Fixtures:
    """Return what stands in the organization: people, two teams and their numbers, few of which are at work at once."""
    monkeypatch.setattr(execution, "WIDEST", execution.WIDTH)
    return furnish(close, shared=24)


@pytest.fixture
async def both(idle: Stage, close: CloseStandIn, team: Fixtures) -> Stage:
    """Set the stage with the bot between Slack, Telnyx and Close."""
    assert team.shared
    idle.close = close
    await idle.start()
    return idle
