"""The same promises for every provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.provider_contract.worlds import World, close_world, telnyx_world

WORLDS = {"telnyx": telnyx_world, "close": close_world}


@pytest.fixture(params=list(WORLDS))
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Return one provider over its stand-in; each test runs with each of them."""
    async with WORLDS[request.param](tmp_path) as opened:
        yield opened
