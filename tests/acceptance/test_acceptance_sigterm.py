"""SIGTERM: work is wound down, and goes on after the next start; over Socket Mode, which has most to close."""

from __future__ import annotations

import signal
from typing import Final

import pytest

from tests.acceptance import moments
from tests.acceptance.checker import assert_right
from tests.acceptance.moments import JOBS, Moment, Part, called, message, play, slack_has
from tests.acceptance.stage import Stage, free_port

MOMENTS: Final = {
    "asking: while the request for approval is being posted": Moment(
        part=Part.ASKING, arrange=slack_has("chat.postMessage", message(":approval_card"), then="delay")
    ),
    "running: while a job is asked for and nobody answers": Moment(
        part=Part.RUNNING,
        arrange=moments.slow_job(made=True),
        reached=lambda stage: len(called(stage, "POST", JOBS)) == stage.batches,
    ),
    "running: while jobs are in progress": Moment(
        part=Part.RUNNING,
        arrange=moments.long_jobs,
        reached=lambda stage: "in_progress" in {job.status for job in stage.telnyx.jobs},
    ),
}

#: What the process imports at its start, so that a name is looked up for ever.
NO_NAME_SERVER: Final = """
import socket, time
real = socket.getaddrinfo
def asked(host, *rest, **named):
    return time.sleep(600) if host == "slack.example" else real(host, *rest, **named)
socket.getaddrinfo = asked
"""


@pytest.mark.faults  # plain runs stop it at the worst steps of the matrix, and the demo at its end
@pytest.mark.parametrize("transport", ["socket"])
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
async def test_stopped_by_sigterm_it_exits_well_and_goes_on_later(stage: Stage, moment: Moment) -> None:
    """Asked to stop at this moment, Linesman exits with 0 within ten seconds; started again, it ends the story."""
    stage.stock(batches=2, each=4)

    await play(stage, moment, signal.SIGTERM)

    assert stage.process.lives == 2
    assert_right(stage)


async def test_sigterm_ends_a_start_that_waits_for_slack(stage: Stage) -> None:
    """Linesman waits for a Slack that cannot be reached; asked to stop meanwhile, it exits with 0 at once."""
    stage.process.env["SLACK_API_URL"] = f"http://127.0.0.1:{free_port()}/api/"
    await stage.process.launch()
    await stage.process.until_said("slack does not answer; trying again")

    stage.process.strike(signal.SIGTERM)

    assert await stage.process.gone(within=5) == 0
    assert stage.process.said("ready") == 0


async def test_sigterm_ends_whatever_hangs(stage: Stage) -> None:
    """A name server that does not answer holds a thread that nobody can end; the process ends, and says that it did."""
    (stage.folder / "sitecustomize.py").write_text(NO_NAME_SERVER)
    stage.process.env |= {"SLACK_API_URL": "https://slack.example/api/", "PYTHONPATH": str(stage.folder)}
    await stage.process.launch()
    await stage.process.until_said("database ready")

    stage.process.strike(signal.SIGTERM)
    status = await stage.process.gone()

    assert status == 1
    assert stage.process.said("did not stop in time, and was ended") == 1
