"""What probes hear, from the start of a process to its end."""

from __future__ import annotations

import asyncio
import signal
from typing import Any, Final

import aiohttp
import pytest

from tests.acceptance import moments
from tests.acceptance.checker import assert_right
from tests.acceptance.moments import JOBS, called
from tests.acceptance.stage import Stage, free_port
from tests.integration.unruly_postgres import UnrulyPostgres, unruly, unruly_server

__all__ = ["unruly", "unruly_server"]

#: No service takes longer than a click may take.
WITHIN: Final = 20.0


async def heard(stage: Stage, path: str) -> tuple[int, str]:
    """Return what a page says as soon as the process listens."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                return await stage.process.read(path)
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)


async def test_while_slack_is_waited_for_a_probe_is_answered(stage: Stage) -> None:
    """The process lives and is not ready, so nobody kills it for waiting."""
    stage.process.env["SLACK_API_URL"] = f"http://127.0.0.1:{free_port()}/api/"
    await stage.process.launch()
    await stage.process.until_said("slack does not answer; trying again")

    assert await heard(stage, "/healthz") == (200, "ok")
    assert await heard(stage, "/readyz") == (503, "Linesman is starting: it waits for Slack.")
    status, metrics = await heard(stage, "/metrics")
    assert status == 200
    assert "linesman_build_info" in metrics


async def test_while_the_database_is_waited_for_a_probe_is_answered(stage: Stage, unruly: UnrulyPostgres) -> None:
    """As for Slack; and it starts as soon as the database does."""
    unruly.stop()
    stage.process.env["DATABASE_URL"] = unruly.url
    await stage.process.launch()
    await stage.process.until_said("the database does not answer; trying again")

    assert await heard(stage, "/healthz") == (200, "ok")
    assert await heard(stage, "/readyz") == (503, "Linesman is starting: it waits for the database.")
    assert (await heard(stage, "/metrics"))[0] == 200

    unruly.start()
    await stage.process.until_said("ready")
    assert (await heard(stage, "/readyz"))[0] == 200


async def test_a_stop_is_told_before_connections_are_refused(stage: Stage) -> None:
    """Whoever probes hears 503 first; clicks are taken meanwhile, and health is answered to the end."""
    await stage.start()
    assert (await stage.process.read("/readyz"))[0] == 200
    stage.process.strike(signal.SIGTERM)
    answers: list[tuple[int, str]] = []
    try:
        while True:
            answers.append(await stage.process.read("/readyz"))
            await asyncio.sleep(0.05)
    except aiohttp.ClientError:
        pass
    stopping = [answer for answer in answers if answer == (503, "Linesman is stopping.")]

    assert len(stopping) >= 2
    assert answers[-1] in stopping
    assert await stage.process.gone() == 0


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_with_a_slow_post_and_a_slow_click_it_ends_in_ten_seconds(stage: Stage, transport: Any) -> None:
    """The POST's intent was written down, so the next start finds out what became of it; nothing is sent twice."""
    stage.stock(batches=2, each=4)
    moments.slow_job(made=True)(stage, signal.SIGTERM)
    await stage.start()
    await stage.propose()
    await stage.request()
    await stage.approve()
    await stage.telnyx.wait_for(lambda: len(called(stage, "POST", JOBS)) == stage.batches)
    stage.slack.faults.add(method="chat.postEphemeral", kind="delay", seconds=60, times=None)
    stage.slack.faults.add(method="response_url", kind="delay", seconds=60, times=None)
    clicking = asyncio.create_task(stage.ana.command("/numbers", "list"))
    await asyncio.wait({clicking}, timeout=1)
    stage.process.strike(signal.SIGTERM)

    assert await stage.process.gone() == 0
    clicking.cancel()
    await asyncio.wait({clicking})
    await stage.again()
    await stage.ended()
    assert_right(stage)
    assert transport == stage.transport
