"""The Slack app manifest: everything that Slack must know about Linesman, ready to paste.

The form and its limits are those of Slack's manifest schema 2.0.0 (API.md, "Commands").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from bot.changes.text.addresses import parts_of
from bot.errors import ConfigurationError
from bot.slack.commands import COMMAND, usage_hint

#: Callback id of the global shortcut "New number change".
NEW_CHANGE: Final = "new_change"
#: Callback id of the message shortcut "Change these numbers".
CHANGE_THESE: Final = "change_these"
#: The path to which Slack delivers commands, interactions, options requests and events in HTTP mode.
EVENTS_PATH: Final = "/slack/events"

#: Each bot scope -> why Linesman needs it.
SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "commands": "answers /numbers and the two shortcuts",
        "chat:write": "posts and edits cards, threads and failure notices",
        "files:read": "reads the sheets that people upload",
        "files:write": "puts result sheets into the thread",
        "users:read": "sees whether a person is active, a guest or a bot before a decision counts",
        "usergroups:read": "sees who is in the user groups that may request or approve",
        "channels:read": "checks that it is in its public channels",
        "groups:read": "checks that it is in its private channels",
        "channels:history": "checks a public channel for a message that got no response, before posting it again",
        "groups:history": "checks a private channel for a message that got no response, before posting it again",
        "im:write": (
            "writes to a person who cannot be answered in a channel, and sends files to the person who asked for them"
        ),
        "im:history": "checks a direct message for a sheet that got no response, before sending it again",
    }
)

_LONG_DESCRIPTION: Final = (
    "Linesman changes the settings of thousands of phone numbers from Slack. An engineer says which numbers and which "
    "settings with /numbers; Linesman shows exactly what will change; an approver allows exactly that with a button; "
    "then Linesman carries it out through the provider's API, watches every job to its end and accounts for every "
    "single number in the thread."
)


def manifest(*, socket_mode: bool, url: str | None) -> dict[str, Any]:
    """Return the manifest as a JSON document.

    With ``socket_mode`` no address is needed and ``url`` is ignored; otherwise ``url`` is where Slack reaches
    Linesman, such as ``https://linesman.example.com`` (with or without ``/slack/events`` at its end).
    Raises ConfigurationError when HTTP mode has no usable address: Slack delivers to https only.
    """
    address = None if socket_mode else _request_url(url)
    command = {
        "command": COMMAND,
        "description": "Change the settings of many phone numbers, with a preview and an approval",
        "usage_hint": usage_hint(),
        # Otherwise "@ana" arrives as these four characters, and nobody could say which Ana is meant.
        "should_escape": True,
    }
    interactivity: dict[str, Any] = {"is_enabled": True}
    events: dict[str, Any] = {"bot_events": ["app_home_opened"]}
    if address is not None:
        command["url"] = address
        interactivity |= {"request_url": address, "message_menu_options_url": address}
        events["request_url"] = address
    return {
        "_metadata": {"major_version": 2, "minor_version": 0},
        "display_information": {
            "name": "Linesman",
            "description": "Bulk changes to phone numbers: planned in Slack, approved with a button, accounted for.",
            "long_description": _LONG_DESCRIPTION,
            "background_color": "#1d3557",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                # Nothing reads direct messages; an input box would suggest that somebody does.
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Linesman", "always_online": True},
            "shortcuts": [
                {
                    "name": "New number change",
                    "type": "global",
                    "callback_id": NEW_CHANGE,
                    "description": "Plan a change to many phone numbers and request approval",
                },
                {
                    "name": "Change these numbers",
                    "type": "message",
                    "callback_id": CHANGE_THESE,
                    "description": "Plan a change to the phone numbers in this message",
                },
            ],
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }


def missing_scopes(granted: Iterable[str]) -> list[str]:
    """Return the scopes that Linesman needs and ``granted`` lacks, in the order of :data:`SCOPES`."""
    held = set(granted)
    return [scope for scope in SCOPES if scope not in held]


def _request_url(url: str | None) -> str:
    parts = parts_of(url or "")
    if parts is None or parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        problem = (
            "The manifest for HTTP mode needs the https address at which Slack reaches Linesman, such as "
            "https://linesman.example.com; without one, use Socket Mode."
        )
        raise ConfigurationError([problem])
    return parts.geturl().rstrip("/").removesuffix(EVENTS_PATH) + EVENTS_PATH
