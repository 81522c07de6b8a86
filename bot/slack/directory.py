"""Who people are, who is in which user group, and where the bot may post."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.policy import Membership, Person, UnknownGroup
from bot.errors import ChannelLost, DeliveryError, DeliveryPostponed, DeliveryRefused, TokenLost
from bot.machine import steady
from bot.slack.people_lookups import LookupPace, PeopleLookups
from bot.slack.web_api import call

log = structlog.get_logger(__name__)

#: usergroups.users.list allows 20 calls a minute in the workspace (Slack tier 2, API.md, "Rate limits"): 8 at once and
#: then one every 5 s never exceed that. users.info allows 100, a limit that Slack itself enforces.
GROUP_BURST: Final = 8
GROUP_STEP: Final = 5.0

#: Error of usergroups.users.list -> the problem with the group and what to do (API.md, "People and groups"). These
#: problems last until somebody acts.
GROUP_TROUBLE: Final[Mapping[str, str]] = {
    "no_such_subteam": "which Slack does not know: take the id from the group's page in Slack",
    "subteam_not_found": "which Slack does not know: take the id from the group's page in Slack",
    "subteam_disabled": "which is disabled: enable it in Slack, or remove it here",
    "plan_upgrade_required": "but this workspace's plan has no user groups: list the people themselves",
}


class SlackDirectory:
    """Implements :class:`bot.workflow.ports.Directory`. ``team`` is the bot's own workspace."""

    def __init__(self, client: AsyncWebClient, team: str, *, now: Callable[[], float] = steady) -> None:
        self._client = client
        self._team = team
        self._people: PeopleLookups[Person] = PeopleLookups(self._read_person, now)
        self._groups: PeopleLookups[frozenset[str]] = PeopleLookups(
            self._read_group, now, LookupPace(GROUP_BURST, GROUP_STEP, now)
        )
        self._channels: PeopleLookups[bool] = PeopleLookups(self._read_channel, now)
        self._direct: PeopleLookups[str] = PeopleLookups(self._read_direct, now)

    async def person(self, user: str, *, fresh: bool) -> Person:
        """Return who ``user`` is; raises DeliveryError when Slack does not answer."""
        return await (self._people.fresh(user) if fresh else self._people.shown(user))

    async def membership(self, groups: Iterable[str], *, fresh: bool) -> Membership:
        """Return who is in each group, or why that is not known."""
        return {group: await self._group(group, fresh=fresh) for group in groups}

    def remembered_person(self, user: str) -> tuple[Person, float] | None:
        """Return who ``user`` was in Slack's last answer, and how many seconds ago; None after some minutes."""
        return self._people.remembered(user)

    def remembered_group(self, group: str) -> tuple[frozenset[str], float] | None:
        """Return who was in ``group``, in the same way."""
        return self._groups.remembered(group)

    async def can_post(self, channel: str, person: str) -> bool:
        """Tell whether the bot may post in ``channel``, where ``person`` is; True when Slack does not answer just now.

        Without the scope im:read, Slack tells nothing about direct messages, and with it nobody's membership. So Slack
        is asked for the bot's direct message with ``person`` instead; any other one is between other people.

        A temporary fault of Slack or the token is no reason to move the card permanently; if the post itself is
        refused, the card moves then.
        """
        try:
            if channel.startswith("D"):
                return channel == await self._direct.shown(person)
            return await self._channels.shown(channel)
        except DeliveryError as error:
            log.info("channel unreadable", channel=channel, code=error.code)
            return not isinstance(error, ChannelLost)

    async def _group(self, group: str, *, fresh: bool) -> frozenset[str] | UnknownGroup:
        try:
            return await (self._groups.fresh(group) if fresh else self._groups.shown(group))
        except DeliveryError as error:
            log.warning("user group unreadable", group=group, code=error.code)
            return unread(error)

    async def _read_person(self, user: str) -> Person:
        info = (await call(self._client.users_info(user=user)))["user"]
        return Person(
            id=user,
            name=info.get("real_name") or info.get("profile", {}).get("real_name") or info.get("name") or user,
            active=not info.get("deleted", False),
            guest=bool(info.get("is_restricted") or info.get("is_ultra_restricted")),
            foreign=_foreign(info, self._team),
            invited=bool(info.get("is_invited_user")),
            bot=bool(info.get("is_bot")),
            zone=info.get("tz") or "UTC",
        )

    async def _read_group(self, group: str) -> frozenset[str]:
        return frozenset((await call(self._client.usergroups_users_list(usergroup=group)))["users"])

    async def _read_channel(self, channel: str) -> bool:
        info = (await call(self._client.conversations_info(channel=channel)))["channel"]
        return bool(info.get("is_member")) and not info.get("is_archived", False)

    async def _read_direct(self, person: str) -> str:
        return str((await call(self._client.conversations_open(users=[person])))["channel"]["id"])


def unread(error: DeliveryError) -> UnknownGroup:
    """Return what ``error`` says about the requested group."""
    if isinstance(error, DeliveryPostponed):
        return UnknownGroup(wait=error.wait)
    # A lost token says nothing about the group, and is reported elsewhere.
    if not isinstance(error, DeliveryRefused) or isinstance(error, TokenLost):
        return UnknownGroup()
    return UnknownGroup(trouble=GROUP_TROUBLE.get(error.code, f"which Slack does not show ({error.code})"))


def _foreign(info: Mapping[str, Any], team: str) -> bool:
    """Return whether the user described by users.info belongs to none of our workspaces.

    In an Enterprise Grid organisation, ``team_id`` may be missing, or be the person's home in a sister workspace;
    ``enterprise_user.teams`` then has all their workspaces. A person whom Slack marks as a stranger is one, whatever
    workspace it names. A person without any workspace is treated as a stranger too: this fails closed.
    """
    if info.get("is_stranger"):
        return True
    return info.get("team_id") != team and team not in (info.get("enterprise_user") or {}).get("teams", ())
