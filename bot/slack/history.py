"""Reading the messages of a channel or a thread since a time of Slack's, and recognising our own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import DeliveryUnknown
from bot.slack.web_api import call

#: The metadata event that marks our messages. Its payload holds only the outbox key: anybody in the workspace can read
#: metadata (docs.slack.dev/messaging/message-metadata).
EVENT: Final = "linesman_message"


def mark(key: str) -> dict[str, Any]:
    """Return the metadata of a message with this key."""
    return {"event_type": EVENT, "event_payload": {"key": key}}


def key_of(message: Mapping[str, Any]) -> str:
    """Return the key of a message as Slack shows it; empty when it is not ours."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT:
        return ""
    return str(metadata.get("event_payload", {}).get("key", ""))


#: Messages requested at once; Slack advises against more.
PAGE: Final = 200
#: Pages in a row without a new message, after which reading stops.
BARREN: Final = 5
#: Seconds by which a search begins before Slack's last time before the attempt: that time came in whole seconds, and
#: perhaps from another of Slack's machines.
MARGIN: Final = 60.0

Message = Mapping[str, Any]


class History:
    """Reads conversations to their end, page by page. Floors are Slack's own times; without one everything is read.

    A list has ended only when Slack names no next page. A list that breaks off, repeats itself or brings nothing new
    does not show what is missing, and raises DeliveryUnknown.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    def channel(self, channel: str, since: str) -> AsyncIterator[Message]:
        """Return the messages in ``channel`` outside of threads, newest first."""

        async def ask(cursor: str | None) -> AsyncSlackResponse:
            return await self._client.conversations_history(
                channel=channel, oldest=_oldest(since), limit=PAGE, cursor=cursor, include_all_metadata=True
            )

        return _pages(ask)

    def thread(self, channel: str, ts: str, since: str) -> AsyncIterator[Message]:
        """Return a thread's first message and its replies, which Slack lists only from the oldest on."""

        async def ask(cursor: str | None) -> AsyncSlackResponse:
            return await self._client.conversations_replies(
                channel=channel, ts=ts, oldest=_oldest(since), limit=PAGE, cursor=cursor, include_all_metadata=True
            )

        return _pages(ask)


def _oldest(since: str) -> str | None:
    return f"{float(since) - MARGIN:.6f}" if since else None


async def _pages(ask: Callable[[str | None], Awaitable[AsyncSlackResponse]]) -> AsyncIterator[Message]:
    cursors: set[str] = set()
    seen: set[str] = set()
    cursor: str | None = None
    barren = 0
    while True:
        answer = await call(ask(cursor))
        # Slack may return fewer messages than requested, or none; but not for ever.
        new = [each for each in answer["messages"] if each["ts"] not in seen]
        for each in new:
            yield each
        seen |= {each["ts"] for each in new}
        barren = 0 if new else barren + 1
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None and not answer.get("has_more"):
            return
        if cursor is None or cursor in cursors or barren >= BARREN:
            raise DeliveryUnknown("Slack's message history is incomplete and cannot be relied on.", code="no_end")
        cursors.add(cursor)
