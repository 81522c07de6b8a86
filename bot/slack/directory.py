"""Who people are, who is in which user group, and where the bot may post."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.policy import Membership, Person
from bot.errors import ChannelLost, DeliveryError
from bot.slack.calls import call

log = structlog.get_logger(__name__)

#: How long an answer is believed, in seconds: usergroups.users.list allows 20 calls a minute (Slack tier 2).
TTL = 60.0

_Answer = TypeVar("_Answer")


class _Memory(Generic[_Answer]):
    """Remembers answers for a while; two who ask for the same thing at once share one call. Failures are not kept."""

    def __init__(self, ask: Callable[[str], Awaitable[_Answer]], now: Callable[[], float]) -> None:
        self._ask = ask
        self._now = now
        self._answers: dict[str, tuple[float, _Answer]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, key: str) -> _Answer:
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._answers.get(key)
            if known is not None and known[0] > self._now():
                return known[1]
            answer = await self._ask(key)
            self._answers[key] = (self._now() + TTL, answer)
            return answer


class SlackDirectory:
    """Implements :class:`bot.workflow.ports.Directory`. ``team`` is the bot's own workspace."""

    def __init__(self, client: AsyncWebClient, team: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._team = team
        self._people: _Memory[Person] = _Memory(self._read_person, now)
        self._groups: _Memory[frozenset[str]] = _Memory(self._read_group, now)
        self._channels: _Memory[bool] = _Memory(self._read_channel, now)

    async def person(self, user: str) -> Person:
        """Return who ``user`` is; raises DeliveryError when Slack does not say."""
        return await self._people.get(user)

    async def membership(self, groups: Iterable[str]) -> Membership:
        """Return who is in each group; None for one that cannot be read."""
        return {group: await self._group(group) for group in groups}

    async def can_post(self, channel: str) -> bool:
        """Tell whether the bot may post in ``channel``; True when Slack does not say just now.

        A bad minute of Slack's, or of the token's, is no reason to put the card elsewhere for good; when the post
        itself is refused, the card finds another place then.
        """
        try:
            return await self._channels.get(channel)
        except DeliveryError as error:
            log.info("channel unreadable", channel=channel, code=error.code)
            return not isinstance(error, ChannelLost)

    async def _group(self, group: str) -> frozenset[str] | None:
        try:
            return await self._groups.get(group)
        except DeliveryError as error:
            log.warning("user group unreadable", group=group, code=error.code)
            return None

    async def _read_person(self, user: str) -> Person:
        info = (await call(self._client.users_info(user=user)))["user"]
        return Person(
            id=user,
            name=info.get("real_name") or info.get("profile", {}).get("real_name") or info.get("name") or user,
            active=not info.get("deleted", False),
            guest=bool(info.get("is_restricted") or info.get("is_ultra_restricted")),
            # A person whose workspace Slack does not tell is treated as foreign: it fails closed.
            foreign=info.get("team_id") != self._team,
            bot=bool(info.get("is_bot")),
            zone=info.get("tz") or "UTC",
        )

    async def _read_group(self, group: str) -> frozenset[str]:
        return frozenset((await call(self._client.usergroups_users_list(usergroup=group)))["users"])

    async def _read_channel(self, channel: str) -> bool:
        info = (await call(self._client.conversations_info(channel=channel)))["channel"]
        return bool(info.get("is_member")) and not info.get("is_archived", False)
