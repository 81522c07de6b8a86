"""Socket Mode: single-use addresses, taking turns, and being asked to reconnect."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import DeliveryRefused
from bot.sandbox.slack import SlackStandIn
from bot.slack import sockets
from bot.slack.sockets import connection
from tests.integration.sandbox_slack.tinybot import APP_TOKEN, app_of, client_of, over_socket


async def address(slack: SlackStandIn) -> str:
    """Ask for a fresh address as the app."""
    opened = await AsyncWebClient(token=APP_TOKEN, base_url=slack.api_url).apps_connections_open(app_token=APP_TOKEN)
    return str(opened["url"])


async def test_an_address_is_for_the_app_token_and_for_one_use(slack: SlackStandIn) -> None:
    """The bot token gets no address; the second connection to one is refused; hello greets the first."""
    with pytest.raises(SlackApiError) as caught:
        await client_of(slack).api_call("apps.connections.open")

    assert caught.value.response["error"] == "not_allowed_token_type"

    url = await address(slack)
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        assert (await socket.receive_json(timeout=5))["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url)
        assert refused.value.status == 403


async def test_each_payload_goes_to_one_connection_in_turn(slack: SlackStandIn) -> None:
    """Two connections share the payloads; each envelope says whether it takes an answer."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(await address(slack)) as one,
        session.ws_connect(await address(slack)) as two,
    ):
        for socket in (one, two):
            await socket.receive_json(timeout=5)
        await slack.wait_for(lambda: slack.sockets == 2)
        ana = slack.person("U0ANA")
        got: list[Any] = []

        async def serve(socket: aiohttp.ClientWebSocketResponse, name: str) -> None:
            envelope = await socket.receive_json(timeout=5)
            got.append((name, envelope["type"], envelope["accepts_response_payload"]))
            await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": f"from {name}"}})

        await asyncio.gather(serve(one, "one"), serve(two, "two"), ana.command("/numbers"), ana.command("/numbers"))

        assert sorted(got) == [("one", "slash_commands", True), ("two", "slash_commands", True)]
        assert sorted(message.text for message in slack.ephemerals("U0ANA")) == ["from one", "from two"]


async def test_the_eleventh_connection_is_one_too_many(slack: SlackStandIn) -> None:
    """Beyond ten connections the newcomer is told too_many_websockets."""
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(await address(slack)) for _ in range(11)]
        first = [await socket.receive_json(timeout=5) for socket in sockets]
        for socket in sockets:
            await socket.close()

    assert [frame["type"] for frame in first[:10]] == ["hello"] * 10
    assert first[10]["reason"] == "too_many_websockets"


async def test_a_rotated_bot_comes_back(slack: SlackStandIn) -> None:
    """After a disconnect frame the SDK connects anew, and commands reach the bot again."""
    app = app_of(slack)

    @app.command("/numbers")
    async def numbers(ack: Any) -> None:
        await ack("here")

    async with over_socket(app, slack):
        await slack.rotate_socket()
        await slack.wait_for(lambda: asked(slack) == 2 and slack.sockets == 1, what="the new connection")
        delivery = await slack.person("U0ANA").command("/numbers")

        assert delivery.error is None
        assert [message.text for message in slack.ephemerals("U0ANA")] == ["here"]
        assert asked(slack) == 2


async def test_a_lost_connection_comes_back_at_once(slack: SlackStandIn) -> None:
    """Nobody waits for the next ping, which is hours away here, to notice that the connection is gone."""
    slack.deliver_http(None)
    async with connection(app_of(slack), APP_TOKEN, ping=3600):
        await slack.wait_for(lambda: slack.sockets == 1, what="the connection")
        for times in (2, 3):
            slack.drop_sockets()
            await slack.wait_for(lambda: asked(slack) == times and slack.sockets == 1, what="the new connection")  # noqa: B023 - it is awaited here


async def test_a_connection_waits_for_slack_without_a_traceback(
    slack: SlackStandIn, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack that has a fault or is away is asked again, at the start and after a loss; a wrong token ends the start."""
    monkeypatch.setattr(sockets, "RETRY", 0.01)
    slack.deliver_http(None)
    slack.faults.add(method="apps.connections.open", kind="status", status=502, times=2)
    slack.faults.add(method="apps.connections.open", kind="drop_before", times=2)
    async with connection(app_of(slack), APP_TOKEN, ping=3600):
        await slack.wait_for(lambda: slack.sockets == 1, what="the connection")
        slack.faults.add(method="apps.connections.open", kind="drop_before", times=2)
        slack.drop_sockets()
        await slack.wait_for(lambda: asked(slack) == 8 and slack.sockets == 1, what="the new connection")

    with pytest.raises(DeliveryRefused, match="invalid_auth"):
        async with connection(app_of(slack), "xapp-wrong"):
            pass
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def asked(slack: SlackStandIn) -> int:
    """Return how often the address of a connection was asked for."""
    return [call.method for call in slack.calls].count("apps.connections.open")
