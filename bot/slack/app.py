"""The Bolt app: the bot's identity, and how requests from Slack reach the listeners."""

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

#: Payloads that Slack delivers to this app besides commands (API.md, "Commands"), by their ``type``.
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
    """The owner of the bot token."""

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
    """Bolt's app, which also measures how long Slack waits for its answers, however they are delivered."""

    def __init__(self, *, steady: Callable[[], float], **parts: Any) -> None:  # noqa: ANN401 - Bolt's own
        super().__init__(**parts)
        self._steady = steady
        self.acks = CallTimes("type", "status", buckets=ACK)

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """Answer a request from Slack."""
        began = self._steady()
        response = await super().async_dispatch(req)
        self.acks.took(_sort(req.body), str(response.status), seconds=self._steady() - began)
        return response


def _sort(body: Mapping[str, Any]) -> str:
    """Return the type of the request, one of a few words, whatever somebody sends."""
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

    The identity is known beforehand, so that the first click does not spend part of its three seconds on ``auth.test``
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
        name="linesman",  # otherwise it searches the whole stack for a name
        client=client,
        authorize=authorize,
        signing_secret=signing_secret or "unused: Socket Mode",
        # Messages of other bots do not concern us; our own events are left out as well.
        ignoring_self_events_enabled=True,
    )
    app.middleware(_sound_body)
    register(app, services)
    app.error(_failed)
    return app


async def _sound_body(body: dict[str, Any], next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 - Bolt's name
    """Replace halves of surrogate pairs: they cannot be stored or sent, and a task would fail on them for ever.

    The replacement character is refused as a value, and shown everywhere else.
    """
    whole = sound(body)
    body.clear()
    body.update(whole)
    await next()


def _worth_saying(record: logging.LogRecord) -> bool:
    """Drop Bolt's messages at every start about tokens that it sees and rightly does not use."""
    return "`token`" not in record.getMessage()


async def _failed(error: Exception, body: dict[str, Any]) -> None:
    """Log an error that a listener did not handle."""
    log.error("listener failed", type=body.get("type"), exc_info=error)
