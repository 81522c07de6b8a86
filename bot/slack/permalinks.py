"""Addresses of messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.model.messages import MessageRef
from bot.errors import DeliveryError
from bot.slack.web_api import call

#: Addresses remembered: a message never moves.
_REMEMBERED: Final = 2000


class Permalinks:
    """Asks Slack for the addresses of messages, once each."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[MessageRef, str] = {}

    async def of(self, places: Iterable[MessageRef]) -> Mapping[MessageRef, str]:
        """Return the address of each message, if Slack tells it; a list without a link still helps."""
        wanted = [place for place in dict.fromkeys(places) if place.ts]
        found = await asyncio.gather(*(self._ask(place) for place in wanted))
        return {place: link for place, link in zip(wanted, found, strict=True) if link}

    async def _ask(self, place: MessageRef) -> str:
        if place not in self._known:
            try:
                answer = await call(self._client.chat_getPermalink(channel=place.channel, message_ts=place.ts))
            except DeliveryError:
                return ""
            while len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[place] = str(answer["permalink"])
        return self._known[place]
