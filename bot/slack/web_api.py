"""Calling Slack's Web API so that every answer, and every silence, has one meaning."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import (
    ChannelLost,
    ContentRefused,
    DeliveryPostponed,
    DeliveryRefused,
    DeliveryUnknown,
    MessageGone,
    TokenLost,
)
from bot.workflow.claim_lease import is_held

if TYPE_CHECKING:
    from aiohttp.connector import Connection

#: Errors that mean: Slack itself does not know what happened.
_UNSURE: Final = frozenset(
    {"fatal_error", "internal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
#: Errors that mean: the token no longer works. Nothing is wrong with the messages, and all of them wait.
TOKEN_LOST: Final = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "org_login_required"}
)
#: Errors that mean: the bot can no longer post in the channel (the pages of chat.postMessage, chat.update and
#: conversations.open). Errors on no list say nothing about the channel.
_CHANNEL_LOST: Final = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "messages_tab_disabled",
        "cannot_dm_bot",
        "user_disabled",
        "user_not_found",
        "user_not_in_channel",
    }
)
#: Errors that mean: the message is not there, or no longer ours to edit.
_MESSAGE_GONE: Final = frozenset(
    {
        "message_not_found",
        "thread_not_found",
        "cant_update_message",
        "edit_window_closed",
        "no_item_found",
    }
)
#: Errors about the content of a message or a file: another channel would refuse it as well, today and tomorrow.
_CONTENT: Final = frozenset(
    {
        "msg_too_long",
        "msg_blocks_too_long",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_arguments",
        "invalid_arg_name",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "no_text",
        "file_upload_size_restricted",
    }
)
#: Slack's text in some answers for an expired trigger, instead of its own error string (API.md, "Deadlines").
_TRIGGER_EXPIRED: Final = re.compile(r"trigger_id\W+expired")
#: Seconds for one call, from connecting to the last byte.
TIMEOUT: Final = 20.0
#: Seconds to wait when a connection could not even be made.
UNREACHABLE_WAIT: Final = 2.0
#: Seconds to wait after a 429 without a time.
UNTOLD_WAIT: Final = 5.0
#: Seconds to wait after a 429 at least: "0" would make a loop of what asks again.
LEAST_WAIT: Final = 1.0
#: Longest wait in seconds that Slack can ask for; a longer one is not believed.
LONGEST_WAIT: Final = 86_400.0

_HINTS: Final = {
    "channel_not_found": "the channel does not exist or the bot is not in it; invite it with /invite",
    "not_in_channel": "the bot is not in the channel; invite it with /invite",
    "is_archived": "the channel is archived",
    "message_not_found": "the message was deleted",
    "not_authed": "there is no bot token; set SLACK_BOT_TOKEN",
    "token_expired": "the bot token has expired; install the app again and set SLACK_BOT_TOKEN",
    "invalid_auth": "the bot token is no longer valid; install the app again and set SLACK_BOT_TOKEN",
    "token_revoked": "the bot token was revoked; install the app again and set SLACK_BOT_TOKEN",
    "account_inactive": "the app was removed from the workspace; install it again",
    "is_inactive": "the channel is archived",
    "missing_scope": "the app lacks a scope; compare it with `linesman manifest` and install it again",
    "not_found": "the modal was closed",
}


def session() -> aiohttp.ClientSession:
    """Return the one HTTP session for Slack, with its own timeout: the SDK's does not apply to a shared session."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), request_class=_HeldRequest)


class _NotHeld(TimeoutError):
    """A call would have gone out when another replica may have taken over its work."""


class _HeldRequest(aiohttp.ClientRequest):
    """Goes out only while its work belongs to this replica: the check is the last step before the wire."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send the request; raises _NotHeld."""
        if not is_held():
            raise _NotHeld("the claim has run out")
        return await super().send(conn)


async def call(request: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    """Await a Web API call and return its answer.

    Raises DeliveryRefused when Slack refuses (TokenLost when it refuses everything), DeliveryPostponed when it asks to
    wait or cannot be reached at all, and DeliveryUnknown when nobody can say whether the call had its effect.
    """
    try:
        response = await request
    except SlackApiError as error:
        raise _said_no(error) from error
    except aiohttp.ClientConnectorError as error:
        raise DeliveryPostponed("Slack cannot be reached.", code="unreachable", wait=UNREACHABLE_WAIT) from error
    except _NotHeld as error:
        raise DeliveryUnknown("This replica stood still, so another may be saying it.", code="not_held") from error
    except (TimeoutError, aiohttp.ClientError, SlackClientError, ValueError) as error:
        raise DeliveryUnknown("Slack did not answer.", code="no_answer") from error
    data = response.data
    if not isinstance(data, dict):
        raise DeliveryUnknown("Slack's answer could not be read.", code="unreadable")
    return data


def retry_after(headers: Mapping[str, str]) -> float:
    """Return how many seconds to wait after a 429, at least :data:`LEAST_WAIT`."""
    told = headers.get("Retry-After", "")
    return min(max(float(told), LEAST_WAIT), LONGEST_WAIT) if told.isdecimal() else UNTOLD_WAIT


def _said_no(error: SlackApiError) -> DeliveryPostponed | DeliveryRefused | DeliveryUnknown:
    response = error.response
    status = int(getattr(response, "status_code", 200) or 200)
    if status == 429:
        return DeliveryPostponed("Slack asks to slow down.", wait=retry_after(response.headers))
    data = response.data if isinstance(getattr(response, "data", None), dict) else {}
    code = str(data.get("error", ""))
    if status >= 500 or code in _UNSURE or not code:
        return DeliveryUnknown("Slack had an internal error.", code=code or f"http_{status}")
    if code == "ratelimited":
        return DeliveryPostponed("Slack asks to slow down.")
    hint = _HINTS.get(code, "see docs.slack.dev for this error")
    if code in TOKEN_LOST:
        return TokenLost(f"Slack refused ({code}): {hint}.", code=code)
    details = "; ".join(str(text) for text in data.get("response_metadata", {}).get("messages", []))[:300]
    if code == "invalid_arguments" and _TRIGGER_EXPIRED.search(details):
        code = "expired_trigger_id"
    return _sort(code)(f"Slack refused ({code}): {hint}.{' ' + details if details else ''}", code=code)


def _sort(code: str) -> type[DeliveryRefused]:
    """Return the type of refusal for Slack's error string."""
    if code in _CHANNEL_LOST:
        return ChannelLost
    if code in _MESSAGE_GONE:
        return MessageGone
    return ContentRefused if code in _CONTENT else DeliveryRefused
