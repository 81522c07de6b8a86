"""Reading back what was said in a channel or a thread since a moment of Slack's time, and knowing our own again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import DeliveryUnknown
from bot.slack.web_api import call

#: The metadata event that marks our messages. Its payload holds the outbox key only: anybody in the workspace can
#: read metadata (docs.slack.dev/messaging/message-metadata).
EVENT: Final = "linesman_message"


def mark(key: str) -> dict[str, Any]:
    """Return the metadata of a message with this key."""
    return {"event_type": EVENT, "event_payload": {"key": key}}


def key_of(message: Mapping[str, Any]) -> str:
    """Return the key of a message as Slack shows it; empty when it is none of ours."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT:
        return ""
    return str(metadata.get("event_payload", {}).get("key", ""))


#: Messages asked for at once; Slack advises against more.
PAGE: Final = 200
#: Pages in a row without a message that was not shown before, after which nobody reads on.
BARREN: Final = 5
#: Seconds by which a look begins earlier than Slack's last word before the attempt: that word came in whole seconds,
#: and perhaps from another of Slack's machines.
MARGIN: Final = 60.0

Message = Mapping[str, Any]


class History:
    """Pages through conversations to their end. Floors are Slack's own times; without one everything is read.

    What ends a list is only that Slack names no next page: a list that breaks off, goes round in circles or brings
    nothing new tells nobody what was not in it, and raises DeliveryUnknown.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    def channel(self, channel: str, since: str) -> AsyncIterator[Message]:
        """Return what was said in ``channel`` outside of threads, the newest first."""

        async def ask(cursor: str | None) -> AsyncSlackResponse:
            return await self._client.conversations_history(
                channel=channel, oldest=_oldest(since), limit=PAGE, cursor=cursor, include_all_metadata=True
            )

        return _pages(ask)

    def thread(self, channel: str, ts: str, since: str) -> AsyncIterator[Message]:
        """Return a thread's first message and its replies, which Slack lists from the oldest on only."""

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
        # Slack may show fewer messages than were asked for, or none; but not for ever.
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
