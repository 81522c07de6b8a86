"""Checking the Slack workspace: the bot, its scopes, its channels; the people are in :mod:`bot.checks.people`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.changes.text.counts import counted
from bot.checks.asking import patiently
from bot.checks.findings import Finding, bounded, fail, ok, warn
from bot.checks.people import people
from bot.checks.roles import further_lists, listings
from bot.config import Settings
from bot.errors import DeliveryError, DeliveryRefused
from bot.slack.client import Client
from bot.slack.directory import SlackDirectory
from bot.slack.manifest import SCOPES, missing_scopes
from bot.slack.web_api import call

_REACH: Final = "check SLACK_API_URL, and whether it can be reached from here"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bot:
    """The owner of the bot token."""

    team: str
    #: The name after the @.
    handle: str
    #: The workspace's name.
    workspace: str
    #: The granted scopes; None if Slack did not tell.
    scopes: frozenset[str] | None


class WorkspaceCheck:
    """The workspace, as the bot token shows it."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._bot: Bot | None = None

    async def findings(self, limit: float) -> Sequence[Finding]:
        """Check the bot, then everything else together; ``limit`` is in seconds, for each."""
        found = await bounded(self._introduction(), what="The bot token", advice=_REACH, limit=limit)
        if (bot := self._bot) is None:
            skipped = "The scopes, channels and people were not checked: Slack must accept the bot token first."
            return [*found, warn(skipped)]
        directory = SlackDirectory(self._client, bot.team)
        rest = await asyncio.gather(
            bounded(self._channels(bot), what="The channels", advice=_REACH, limit=limit),
            bounded(
                people(listings(self._settings), further_lists(self._settings), self._client, directory),
                what="The people",
                advice="Slack is slow or asks to slow down, so run `linesman check` again in a minute",
                limit=limit,
            ),
        )
        return [*found, *(finding for findings in rest for finding in findings)]

    async def _introduction(self) -> Sequence[Finding]:
        try:
            self._bot = bot = await patiently(self._identify)
        except DeliveryRefused as error:
            return [fail(error.message)]
        except DeliveryError as error:
            return [fail(f"{error.message} Nothing else of Slack can be checked: {_REACH}.")]
        return [ok(f"The bot is @{bot.handle} in the workspace {bot.workspace}."), _scopes(bot), *self._skew()]

    def _skew(self) -> Sequence[Finding]:
        """Compare the clocks using the answer."""
        skew = self._client.clock.skew
        return [warn(skew)] if skew else []

    async def _identify(self) -> Bot:
        scopes: list[str | None] = []

        async def ask() -> AsyncSlackResponse:
            response = await self._client.auth_test()
            scopes.append(response.headers.get("x-oauth-scopes"))
            return response

        said = await call(ask())
        granted = scopes[-1]
        return Bot(
            team=said["team_id"],
            handle=said.get("user", ""),
            workspace=said.get("team", ""),
            scopes=None if granted is None else frozenset(scope.strip() for scope in granted.split(",")),
        )

    async def _channels(self, bot: Bot) -> Sequence[Finding]:
        return [await self._channel(bot, channel, *said) for channel, said in _channels(self._settings).items()]

    async def _channel(self, bot: Bot, id_: str, role: str, remedy: str) -> Finding:
        """Check one channel; ``remedy`` is how to use another one: "set LINESMAN_… to another channel"."""
        try:
            answer = await patiently(lambda: call(self._client.conversations_info(channel=id_)))
        except DeliveryError as error:
            if error.code != "channel_not_found":
                return fail(f"The {role} {id_} could not be checked. {error.message}")
            return fail(
                f"The {role} {id_} does not exist, or is private and Linesman is not in it: type "
                f"`/invite @{bot.handle}` there, or {remedy}."
            )
        channel = answer["channel"]
        shown = f"the {role} #{channel.get('name', '')} ({id_})"
        if channel.get("is_archived"):
            return fail(f"T{shown[1:]} is archived: unarchive it, or {remedy}.")
        if not channel.get("is_member"):
            return fail(f"Linesman is not in {shown}: type `/invite @{bot.handle}` there.")
        return ok(f"Linesman is in {shown}.")


def _channels(settings: Settings) -> Mapping[str, tuple[str, str]]:
    """Return every channel for notifications -> its purpose, and how to use another one."""
    policy = settings.policy
    found = {policy.approval_channel: ("approval channel", "set LINESMAN_APPROVAL_CHANNEL to another channel")}
    found.setdefault(policy.failure_channel, ("failure channel", "set LINESMAN_FAILURE_CHANNEL to another channel"))
    roles: dict[str, list[str]] = {}
    if (file := settings.policy_file) is not None:
        for rule in file.rules:
            for which, channel in (("approval", rule.approval_channel), ("failure", rule.failure_channel)):
                if channel is not None and channel not in found:
                    roles.setdefault(channel, []).append(f"{which} channel of {file.place(rule)}")
    return found | {channel: (" and ".join(said), "name another channel there") for channel, said in roles.items()}


def _scopes(bot: Bot) -> Finding:
    if bot.scopes is None:
        return warn("Slack did not say which scopes the app has: compare them with `linesman manifest`.")
    missing = missing_scopes(bot.scopes)
    if not missing:
        return ok(f"The app has the {len(SCOPES)} scopes that Linesman needs.")
    listed = ", ".join(f"{scope} ({SCOPES[scope]})" for scope in missing)
    return fail(
        f"The app lacks {counted(len(missing), 'scope')}: {listed}. Paste what `linesman manifest` prints into your "
        f"Slack app's App Manifest, reinstall the app, and set SLACK_BOT_TOKEN to the new token."
    )
