"""Readiness: whether clicks can arrive at all."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aiohttp
import pytest

from bot.endpoints.connections import reserved
from tests.integration.scenarios.stage import Clock, Stage

OPEN = "apps.connections.open"
TROUBLE = 'linesman_trouble{where="slack"} 1.0'


async def test_without_a_connection_to_slack_socket_mode_is_not_ready(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No click can arrive, which probe and alert hear; the connections come back by themselves, and readiness, too."""
    monkeypatch.setattr("bot.slack.sockets.RETRY", 0.05)
    idle.transport = "socket"
    await idle.start()
    before = await idle.get("/readyz")
    idle.slack.faults.add(method="apps.connections.open", kind="drop_before", times=100_000)
    idle.slack.drop_sockets()
    async with asyncio.timeout(30):
        while (during := await idle.get("/readyz"))[0] == 200:  # noqa: ASYNC110 - only another look can tell
            await asyncio.sleep(0.05)
    alerted = TROUBLE in (await idle.get("/metrics"))[1]
    idle.slack.faults.clear()
    async with asyncio.timeout(30):
        while (await idle.get("/readyz"))[0] == 503:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.05)

    assert before[0] == 200
    assert during[0] == 503
    assert "There is no connection to Slack" in during[1]
    assert alerted
    assert TROUBLE not in (await idle.get("/metrics"))[1]


async def test_no_connection_asks_before_slack_wants_to_be_asked(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are lost and may ask at once; told to wait, neither asks again before, however short their own pause is."""
    monkeypatch.setattr("bot.slack.sockets.RETRY", 0.01)
    idle.clock, idle.transport = Clock(rate=1), "socket"
    await idle.start()
    idle.slack.faults.add(method=OPEN, kind="rate_limited", retry_after=1, times=100)

    def asked() -> list[float]:
        """Return when Slack was asked for a connection since then, in seconds after the first time."""
        at = [call.at for call in idle.slack.calls if call.method == OPEN][2:]
        return [(each - at[0]).total_seconds() for each in at]

    idle.slack.drop_sockets()
    async with asyncio.timeout(30):
        while not any(seconds > 0.9 for seconds in asked()):  # noqa: ASYNC110 - only another look can tell
            await asyncio.sleep(0.05)
    idle.slack.faults.clear()
    await idle.slack.wait_for(lambda: idle.slack.sockets == 2, what="both connections")

    assert len([seconds for seconds in asked() if seconds < 0.9]) <= 2


async def test_a_start_without_a_connection_to_slack_is_an_alert(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work goes on already, and nobody can reach it: the start waits, and the figures do not say that all is well."""
    monkeypatch.setattr("bot.slack.sockets.RETRY", 0.05)
    idle.transport = "socket"
    idle.slack.faults.add(method="apps.connections.open", kind="drop_before", times=100_000)
    with reserved("127.0.0.1", 0) as place:
        port = place.getsockname()[1]
    starting = asyncio.create_task(idle.start(PORT=str(port)))
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        told = ""
        while TROUBLE not in told:
            await asyncio.sleep(0.05)
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    told = await answer.text()
    idle.slack.faults.clear()
    await starting

    assert TROUBLE not in (await idle.get("/metrics"))[1]
