"""Readiness: whether clicks can arrive at all."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.scenarios.stage import Stage


async def test_without_a_connection_to_slack_socket_mode_is_not_ready(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No click can arrive, which a probe hears; the connections come back by themselves, and readiness with them."""
    monkeypatch.setattr("bot.slack.sockets.RETRY", 0.05)
    idle.transport = "socket"
    await idle.start()
    before = await idle.get("/readyz")
    idle.slack.faults.add(method="apps.connections.open", kind="drop_before", times=None)
    idle.slack.drop_sockets()
    async with asyncio.timeout(30):
        while (during := await idle.get("/readyz"))[0] == 200:  # noqa: ASYNC110 - only another look can tell
            await asyncio.sleep(0.05)
    idle.slack.faults.clear()
    async with asyncio.timeout(30):
        while (await idle.get("/readyz"))[0] == 503:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.05)

    assert before[0] == 200
    assert during[0] == 503
    assert "There is no connection to Slack" in during[1]
