"""The payloads that Slack sends, in their full documented shapes (docs.slack.dev/reference/interaction-payloads)."""

from __future__ import annotations

import json
import re
import time

from bot.sandbox.slack.modal import View
from bot.sandbox.slack.records import Channel, Json, Profile
from bot.sandbox.slack.workspace import APP, BOT, TEAM, TEAM_DOMAIN, Workspace

#: the deprecated verification token; apps verify signatures instead
VERIFICATION_TOKEN = "deprecated-verification-token"  # noqa: S105 - a made-up value that nothing checks


def view_json(view: View) -> Json:
    """Return a view with everything that Slack adds to it."""
    return {
        **json.loads(json.dumps(view.content)),
        "id": view.id,
        "team_id": TEAM,
        "state": {"values": view.values},
        "hash": view.hash,
        "previous_view_id": view.previous_id,
        "root_view_id": view.root_id,
        "app_id": APP,
        "app_installed_team_id": TEAM,
        "bot_id": BOT,
    }


def interaction(kind: str, profile: Profile) -> Json:
    """Return what every interactive payload carries."""
    return {
        "type": kind,
        "team": {"id": TEAM, "domain": TEAM_DOMAIN},
        "user": {
            "id": profile.id,
            "username": profile.name.lower().replace(" ", "."),
            "name": profile.name.lower().replace(" ", "."),
            "team_id": profile.foreign_team or TEAM,
        },
        "api_app_id": APP,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def slash_command(ws: Workspace, profile: Profile, channel: Channel, command: str, text: str) -> Json:
    """Return a slash command's form."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": profile.foreign_team or TEAM,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": profile.id,
        "user_name": profile.name.lower().replace(" ", "."),
        "command": command,
        "text": _escaped(ws, text) if ws.escapes_commands else text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": ws.link(channel.id, profile.id, None),
        "trigger_id": ws.triggers.issue(profile.id),
    }


def _escaped(ws: Workspace, text: str) -> str:
    """Return a command's text with people, channels and links as ids and with entities, as Slack sends it.

    Source: docs.slack.dev, implementing-slash-commands.

    Somebody who types a name without choosing it from the client's suggestions sends no more than these characters;
    here a name that exists counts as chosen.
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    people = {each.name.lower(): f"<@{each.id}|{each.name.lower()}>" for each in ws.people.values()}
    channels = {each.name: f"<#{each.id}|{each.name}>" for each in ws.channels.values() if each.im_with is None}
    text = re.sub(r"(?<!\S)@([\w.-]+)", lambda found: people.get(found[1].lower(), found[0]), text)
    text = re.sub(r"(?<!\S)#([\w-]+)", lambda found: channels.get(found[1], found[0]), text)
    return re.sub(r"(?<![\S])(https?://[^\s<>|]+)", r"<\1>", text)


def channel_name(channel: Channel) -> str:
    """Return the name that payloads give: private groups and direct messages are not named."""
    if channel.im_with is not None:
        return "directmessage"
    return "privategroup" if channel.private else channel.name


def event(ws: Workspace, inner: Json) -> Json:
    """Return an Events API callback around an inner event."""
    moment = ws.unix_now()
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM,
        "api_app_id": APP,
        "type": "event_callback",
        "event": {"event_ts": ws.next_ts(), **inner},
        "event_id": f"Ev0{time.monotonic_ns():X}",
        "event_time": moment,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }
