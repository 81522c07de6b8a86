"""The Bolt app: who the bot is, and how requests from Slack reach the listeners."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.text.characters import sound
from bot.slack.listeners import register
from bot.slack.services import Services
from bot.slack.web_api import call
from bot.telemetry.call_times import ACK, CallTimes

log = structlog.get_logger(__name__)

#: What Slack delivers to this app besides commands (API.md, "Commands"), by the ``type`` of the payload.
_TYPES: Final = frozenset(
    {
        "block_actions",
        "block_suggestion",
        "event_callback",
        "message_action",
        "shortcut",
        "view_closed",
        "view_submission",
    }
)


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


class App(AsyncApp):
    """Bolt's app, which also tells how long Slack waits for its answers, however they are delivered."""

    def __init__(self, *, steady: Callable[[], float], **parts: Any) -> None:  # noqa: ANN401 - Bolt's own
        super().__init__(**parts)
        self._steady = steady
        self.acks = CallTimes("type", "status", buckets=ACK)

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """Answer what Slack delivers."""
        began = self._steady()
        response = await super().async_dispatch(req)
        self.acks.took(_sort(req.body), str(response.status), seconds=self._steady() - began)
        return response


def _sort(body: Mapping[str, Any]) -> str:
    """Return what was delivered; one of a few words, whatever somebody sends."""
    if "command" in body:
        return "command"
    return body["type"] if body.get("type") in _TYPES else "other"


def build_app(
    client: AsyncWebClient,
    identity: Identity,
    services: Services,
    *,
    signing_secret: str,
    steady: Callable[[], float],
) -> App:
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
    app = App(
        steady=steady,
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
