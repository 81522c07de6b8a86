"""A sandbox for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.page.bot_keeper import BotKeeper
from bot.sandbox.page.sandbox import Sandbox


@pytest.fixture
async def quiet(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """Run a sandbox whose bot never starts: nobody answers, and nothing happens by itself."""

    async def nothing(_: BotKeeper) -> None:
        """Start nothing."""

    monkeypatch.setattr(BotKeeper, "start", nothing)
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Run the whole sandbox, with the bot as a process of its own."""
    async with Sandbox() as running:
        yield running
