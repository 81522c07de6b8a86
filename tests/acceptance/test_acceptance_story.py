"""The whole story with a real process, over both transports."""

from __future__ import annotations

import signal

import pytest

from tests.acceptance.checker import assert_right
from tests.acceptance.stage import Stage


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_the_whole_story_with_a_real_process(stage: Stage) -> None:
    """From the command to the last number over either transport, and then SIGTERM ends it with status 0."""
    stage.stock(batches=3, each=4)
    await stage.start()

    await stage.propose()
    await stage.request()
    clicked = await stage.approve()
    await stage.ended()

    assert clicked.error is None
    assert_right(stage)
    stage.process.strike(signal.SIGTERM)
    assert await stage.process.gone() == 0
    assert_right(stage)
