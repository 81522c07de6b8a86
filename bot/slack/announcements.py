"""Messages for a channel that belong to no change."""

from __future__ import annotations

from bot.slack.client import Client
from bot.slack.views.elements import escape
from bot.slack.web_api import call


class SlackAnnouncements:
    """Implements :class:`bot.workflow.ports.Announcements`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def announce(self, channel: str, text: str) -> None:
        """Post ``text`` in ``channel``."""
        await call(self._client.chat_postMessage(channel=channel, text=escape(text), unfurl_links=False))
