"""A stand-in Slack for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.slack import Deadlines, SlackStandIn
from tests.integration.sandbox_slack.tinybot import standin


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    """Run a stand-in with Slack's own deadlines."""
    async with standin() as running:
        yield running


@pytest.fixture
async def hasty() -> AsyncIterator[SlackStandIn]:
    """Run a stand-in whose deadlines pass within the patience of a test."""
    async with standin(Deadlines(ack=0.4, trigger=0.3, response_url=0.3)) as running:
        yield running
