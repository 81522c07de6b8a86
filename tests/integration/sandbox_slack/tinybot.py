"""A tiny bot of slack_bolt, and a stand-in Slack for it to live in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Deadlines, SlackStandIn

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BOT_TOKEN = "xoxb-standin"
APP_TOKEN = "xapp-standin"


def text_input(block_id: str, **element: Any) -> dict[str, Any]:
    """Return an input block with a plain text input."""
    optional = element.pop("optional", False)
    return {
        "type": "input",
        "block_id": block_id,
        "optional": optional,
        "label": {"type": "plain_text", "text": block_id},
        "element": {"type": "plain_text_input", "action_id": "value", **element},
    }


def button(action_id: str, text: str = "Press", **extra: Any) -> dict[str, Any]:
    """Return a button."""
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}, **extra}


def actions(*elements: dict[str, Any], block_id: str = "buttons") -> dict[str, Any]:
    """Return an actions block."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def section(text: str, **extra: Any) -> dict[str, Any]:
    """Return a section of mrkdwn."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **extra}


def option(value: str) -> dict[str, Any]:
    """Return a menu option that is called as it is valued."""
    return {"text": {"type": "plain_text", "text": value.title()}, "value": value}


def menu(block_id: str, kind: str, **element: Any) -> dict[str, Any]:
    """Return an input block with a menu."""
    return {
        "type": "input",
        "block_id": block_id,
        "optional": True,
        "label": {"type": "plain_text", "text": block_id},
        "element": {"type": kind, "action_id": "value", **element},
    }


def modal(*blocks: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """Return a modal with a Submit button."""
    return {
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": "A form"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": list(blocks),
        **extra,
    }


@asynccontextmanager
async def standin(deadlines: Deadlines | None = None) -> AsyncIterator[SlackStandIn]:
    """Run a workspace with Ana (in #ops), Ben (in #ops) and a private and an unjoined channel."""
    slack = SlackStandIn(
        signing_secret=SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN, deadlines=deadlines or Deadlines()
    )
    async with slack:
        slack.add_person("U0ANA", name="Ana", tz="America/Denver")
        slack.add_person("U0BEN", name="Ben")
        slack.add_person("U0CAT", name="Cat")
        slack.add_channel("C0OPS", name="ops", members=["U0ANA", "U0BEN"])
        slack.add_channel("C0FAR", name="far", members=["U0ANA"], bot_is_member=False)
        slack.add_channel("G0SECRET", name="secret", members=["U0ANA"], private=True, bot_is_member=False)
        slack.add_channel("C0OLD", name="old", members=["U0ANA"], archived=True)
        slack.add_usergroup("S0MGRS", handle="managers", members=["U0BEN"])
        yield slack


def client_of(slack: SlackStandIn) -> AsyncWebClient:
    """Return the Web API client of a bot, without its default retries."""
    return AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])


def app_of(slack: SlackStandIn) -> AsyncApp:
    """Return a bot with no listeners yet."""
    return AsyncApp(client=client_of(slack), signing_secret=SECRET)


@asynccontextmanager
async def over_http(app: AsyncApp, slack: SlackStandIn) -> AsyncIterator[None]:
    """Serve a bot on loopback and have the stand-in deliver to it."""
    runner = web.AppRunner(app.web_app(path="/slack/events"), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.deliver_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def over_socket(app: AsyncApp, slack: SlackStandIn) -> AsyncIterator[None]:
    """Connect a bot by Socket Mode."""
    slack.deliver_http(None)
    web_client = AsyncWebClient(token=APP_TOKEN, base_url=slack.api_url)
    handler = AsyncSocketModeHandler(app, APP_TOKEN, web_client=web_client)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped
    try:
        await slack.wait_for(lambda: slack.sockets == 1, what="the bot's connection")
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped
        await asyncio.sleep(0)
