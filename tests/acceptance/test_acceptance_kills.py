"""kill -9 at the moments at which it hurts most (invariant 11)."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance import moments
from tests.acceptance.checker import assert_right
from tests.acceptance.moments import JOBS, Moment, Part, called, message, play, slack_has
from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.stage import Stage

MOMENTS: Final = {
    "planning: while the carrier is read": Moment(
        part=Part.PLANNING,
        arrange=moments.slow_read,
        reached=lambda stage: bool(called(stage, "GET", "/phone_numbers")),
    ),
    "asking: before the request for approval is posted": Moment(
        part=Part.ASKING, arrange=slack_has("chat.postMessage", message(":approval_card"), then="drop_before")
    ),
    "asking: the request is posted, nobody hears of it": Moment(
        part=Part.ASKING, arrange=slack_has("chat.postMessage", message(":approval_card"), then="drop_after")
    ),
    "asking: the card is posted, nobody hears of it": Moment(
        part=Part.ASKING, arrange=slack_has("chat.postMessage", message(":card"), then="drop_after")
    ),
    "asking: the plan's sheet is shared, nobody hears of it": Moment(
        part=Part.ASKING, arrange=slack_has("files.completeUploadExternal", moments.sheet("plan"), then="drop_after")
    ),
    "running: approved, the approver not yet told": Moment(
        part=Part.RUNNING, arrange=slack_has("response_url", moments.anything, then="drop_before")
    ),
    "running: the job is made, its answer under way": Moment(
        part=Part.RUNNING,
        arrange=moments.slow_job(made=True),
        reached=lambda stage: len(stage.telnyx.jobs) == stage.batches,
    ),
    "running: the job is asked for, not made": Moment(
        part=Part.RUNNING,
        arrange=moments.slow_job(made=False),
        reached=lambda stage: len(called(stage, "POST", JOBS)) == stage.batches,
    ),
    "running: while jobs are in progress": Moment(
        part=Part.RUNNING,
        arrange=moments.long_jobs,
        reached=lambda stage: "in_progress" in {job.status for job in stage.telnyx.jobs},
    ),
    "running: while the numbers are read back": Moment(
        part=Part.RUNNING, arrange=moments.very_long_jobs, reached=moments.reading_back
    ),
    "running: a line of the thread is posted, nobody hears of it": Moment(
        part=Part.RUNNING, arrange=slack_has("chat.postMessage", message(":thread:finished"), then="drop_after")
    ),
    "running: the sheet is shared, nobody hears of it": Moment(
        part=Part.RUNNING,
        arrange=slack_has("files.completeUploadExternal", moments.sheet("results"), then="drop_after"),
    ),
    "running: all is settled, the failure not yet told": Moment(
        part=Part.RUNNING, arrange=slack_has("chat.postMessage", message(":failure:failed"), then="drop_before")
    ),
}


@pytest.fixture
async def forked(fork_server: Path) -> AsyncIterator[ProcessPool]:
    """Let the process be forked: it is started many times here, and that is not what is tried."""
    async with ProcessPool(fork_server) as pool:
        yield pool


@pytest.mark.faults  # plain runs kill at the worst steps of the matrix
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
async def test_killed_at_a_bad_moment_nothing_is_lost_and_nothing_doubled(stage: Stage, moment: Moment) -> None:
    """Killed at this moment and started again on the same database, Linesman ends the story as if nothing had been."""
    stage.stock(batches=2, each=4)

    await play(stage, moment, signal.SIGKILL)

    assert stage.process.lives == 2
    assert_right(stage)
