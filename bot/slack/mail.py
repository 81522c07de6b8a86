"""Files and words for one person, in their direct message with the bot."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.calls import call
from bot.slack.views.elements import escape

#: How far Slack's clock and ours may be apart when the direct message is searched.
_SKEW: Final = timedelta(minutes=2)


class SlackMail:
    """Implements :class:`bot.workflow.ports.Mail`."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def write(self, user: str, text: str) -> None:
        """Say ``text`` to ``user``."""
        place = await self._place(user)
        await call(self._client.chat_postMessage(channel=place, text=escape(text), unfurl_links=False))

    async def send(self, user: str, name: str, content: bytes, text: str) -> None:
        """Send a file called ``name`` with ``text`` beside it."""
        await call(
            self._client.files_upload_v2(
                filename=name,
                title=name,
                content=content,
                channel=await self._place(user),
                initial_comment=escape(text),
            )
        )

    async def arrived(self, user: str, names: Collection[str], since: datetime) -> bool:
        """Tell whether a file called by one of ``names`` was sent to ``user`` after ``since``."""
        place, oldest = await self._place(user), f"{(since - _SKEW).timestamp():.6f}"
        cursor: str | None = None
        while True:
            answer = await call(
                self._client.conversations_history(channel=place, oldest=oldest, limit=200, cursor=cursor)
            )
            if any(file.get("name") in names for each in answer["messages"] for file in each.get("files", [])):
                return True
            cursor = answer.get("response_metadata", {}).get("next_cursor") or None
            if cursor is None:
                return False

    async def _place(self, user: str) -> str:
        """Return the direct message's id; files go into conversations only, and a person's id is none."""
        answer = await call(self._client.conversations_open(users=user))
        return str(answer["channel"]["id"])
