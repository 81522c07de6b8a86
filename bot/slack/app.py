"""The Bolt app: who the bot is, and how requests from Slack reach the listeners."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.text.surrogates import sound
from bot.slack.listeners import register
from bot.slack.services import Services
from bot.slack.web_api import call

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who the bot token belongs to."""

    team: str
    enterprise: str | None
    user: str
    bot: str
    #: The workspace's name.
    workspace: str


async def identify(client: AsyncWebClient) -> Identity:
    """Ask Slack who the bot is; raises DeliveryError leaves."""
    said = await call(client.auth_test())
    return Identity(
        team=said["team_id"],
        enterprise=said.get("enterprise_id"),
        user=said["user_id"],
        bot=said.get("bot_id", ""),
        workspace=said.get("team", ""),
    )


def build_app(client: AsyncWebClient, identity: Identity, services: Services, *, signing_secret: str) -> AsyncApp:
    """Return the app with every listener.

    The identity is known beforehand, so that the first click does not pay for ``auth.test`` out of its three seconds
    (API.md, "Bolt and the SDK"). Without a signing secret only Socket Mode can be used, where nothing is signed.
    """
    result = AuthorizeResult(
        enterprise_id=identity.enterprise,
        team_id=identity.team,
        bot_user_id=identity.user,
        bot_id=identity.bot,
        bot_token=client.token,
    )

    async def authorize() -> AuthorizeResult:
        return result

    logging.getLogger("slack_bolt.AsyncApp").addFilter(_worth_saying)
    app = AsyncApp(
        name="linesman",  # otherwise it looks through the whole stack for one
        client=client,
        authorize=authorize,
        signing_secret=signing_secret or "unused: Socket Mode",
        # What is posted to us by other bots is none of our business; our own events are left out as well.
        ignoring_self_events_enabled=True,
    )
    app.middleware(_sound_body)
    register(app, services)
    app.error(_failed)
    return app


async def _sound_body(body: dict[str, Any], next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 - Bolt's name
    """Let no half of a surrogate pair in: it could be neither stored nor sent, and a task would fail over it for ever.

    The character that stands for it is refused as a value, and shown everywhere else.
    """
    whole = sound(body)
    body.clear()
    body.update(whole)
    await next()


def _worth_saying(record: logging.LogRecord) -> bool:
    """Leave out what Bolt says at every start about tokens that it sees and, rightly, does not use."""
    return "`token`" not in record.getMessage()


async def _failed(error: Exception, body: dict[str, Any]) -> None:
    """Log what a listener let through."""
    log.error("listener failed", type=body.get("type"), exc_info=error)
