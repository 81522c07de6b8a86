"""A long run in bad company: the process ends again and again."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.checker import assert_right
from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.stage import Stage

#: Ends of the process during the run; the last one comes when the jobs are over and nobody has read them.
ENDS = 4
#: Longer than all ends together: until time is skipped, no job is over.
JOB_SECONDS = 120.0


@pytest.fixture
async def forked(fork_server: Path) -> AsyncIterator[ProcessPool]:
    """Let the process be forked: it is started many times here, and that is not what is tried."""
    async with ProcessPool(fork_server) as pool:
        yield pool


@pytest.mark.parametrize("seed", [20260])
async def test_a_run_survives_many_ends_of_the_process(stage: Stage, seed: int) -> None:
    """Twelve jobs, and the process is ended four times at random moments, by kill -9 or SIGTERM: all ends right."""
    chance = random.Random(seed)  # noqa: S311 - it plays fate, it keeps no secret
    stage.stock(batches=12, each=2)
    stage.telnyx.job_seconds = JOB_SECONDS
    await stage.start()
    await stage.propose()
    await stage.request()
    await stage.approve()

    for end in range(1, ENDS + 1):
        if end == ENDS:
            stage.telnyx.advance(JOB_SECONDS)
            stage.telnyx.job_seconds = 0.1  # of those that are still to come
        await asyncio.sleep(chance.uniform(0.0, 0.4))  # not to wait for anything: the moment is to be a random one
        number = chance.choice([signal.SIGKILL, signal.SIGTERM])
        stage.process.strike(number)

        assert await stage.process.gone() == (0 if number is signal.SIGTERM else -number)
        await stage.start()
    await stage.ended()

    assert stage.process.lives == 1 + ENDS
    assert_right(stage)
