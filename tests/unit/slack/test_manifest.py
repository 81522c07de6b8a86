"""The manifest that is pasted into Slack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.errors import ConfigurationError
from bot.slack.commands import COMMANDS
from bot.slack.manifest import CHANGE_THESE, NEW_CHANGE, SCOPES, manifest, missing_scopes

SOCKET = manifest(socket_mode=True, url=None)
HTTP = manifest(socket_mode=False, url="https://linesman.example.com")
ADDRESS = "https://linesman.example.com/slack/events"


def urls(document: Any) -> list[str]:
    """Return every address in ``document``."""
    if isinstance(document, dict):
        return [url for value in document.values() for url in urls(value)]
    if isinstance(document, list):
        return [url for value in document for url in urls(value)]
    return [document] if isinstance(document, str) and "://" in document else []


def test_socket_mode_has_no_address() -> None:
    """In Socket Mode nothing has to be reachable from outside."""
    assert SOCKET["settings"]["socket_mode_enabled"] is True
    assert urls(SOCKET) == []


def test_people_in_a_command_arrive_as_people() -> None:
    """Without it "@ana" would be a word, and nobody could say who is meant."""
    command = SOCKET["features"]["slash_commands"][0]

    assert command["should_escape"] is True
    assert [each.usage for each in COMMANDS if each.usage not in command["usage_hint"]] == []


def test_http_mode_uses_one_address() -> None:
    """In HTTP mode commands, interactions, menu options and events all come to the one path that the bot serves."""
    assert HTTP["settings"]["socket_mode_enabled"] is False
    assert HTTP["settings"]["interactivity"]["message_menu_options_url"] == ADDRESS
    assert HTTP["features"]["slash_commands"][0]["url"] == ADDRESS
    assert urls(HTTP) == [ADDRESS] * 4


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://linesman.example.com/", ADDRESS),
        (ADDRESS, ADDRESS),
        ("https://example.com/bots/linesman", "https://example.com/bots/linesman/slack/events"),
    ],
)
def test_address_is_completed(url: str, expected: str) -> None:
    """The path is added once, whether or not the address has it or ends with a slash."""
    document = manifest(socket_mode=False, url=url)

    assert document["settings"]["event_subscriptions"]["request_url"] == expected


@pytest.mark.parametrize(
    "url", [None, "", "linesman.example.com", "http://linesman.example.com", "https://", "https://h?a=b", "https://[x"]
)
def test_http_mode_needs_an_https_address(url: str | None) -> None:
    """Without an address that Slack could use there is no manifest, but a sentence that names both ways out."""
    with pytest.raises(ConfigurationError, match=r"needs the https address .* use Socket Mode"):
        manifest(socket_mode=False, url=url)


@pytest.mark.parametrize("document", [SOCKET, HTTP], ids=["socket", "http"])
class TestBoth:
    """What holds in Socket Mode and over HTTP."""

    def test_ways_in(self, document: dict[str, Any]) -> None:
        """People can start from the command, from anywhere, from a message and from the Home tab."""
        features = document["features"]
        shortcuts = {one["callback_id"]: (one["type"], one["name"]) for one in features["shortcuts"]}

        assert [command["command"] for command in features["slash_commands"]] == ["/numbers"]
        assert shortcuts == {
            NEW_CHANGE: ("global", "New number change"),
            CHANGE_THESE: ("message", "Change these numbers"),
        }
        assert features["app_home"]["home_tab_enabled"] is True
        assert features["app_home"]["messages_tab_enabled"] is True
        assert document["settings"]["event_subscriptions"]["bot_events"] == ["app_home_opened"]
        assert document["settings"]["interactivity"]["is_enabled"] is True

    def test_scopes(self, document: dict[str, Any]) -> None:
        """The app asks for exactly the scopes that `check` compares with."""
        assert document["oauth_config"] == {"scopes": {"bot": list(SCOPES)}}

    def test_off(self, document: dict[str, Any]) -> None:
        """Token rotation and org-wide deployment are off: one bot token serves one workspace."""
        assert document["settings"]["token_rotation_enabled"] is False
        assert document["settings"]["org_deploy_enabled"] is False

    def test_limits(self, document: dict[str, Any]) -> None:
        """No text is longer (or shorter) than Slack's manifest schema allows."""
        display, features = document["display_information"], document["features"]
        lengths = [
            (display["name"], 1, 35),
            (display["description"], 1, 140),
            (display["long_description"], 175, 4000),
            (features["bot_user"]["display_name"], 1, 80),
            *((shortcut["name"], 1, 24) for shortcut in features["shortcuts"]),
            *((shortcut["description"], 1, 150) for shortcut in features["shortcuts"]),
            *((command["description"], 1, 2000) for command in features["slash_commands"]),
            *((command["usage_hint"], 1, 1000) for command in features["slash_commands"]),
        ]

        assert [text for text, least, most in lengths if not least <= len(text) <= most] == []

    def test_json(self, document: dict[str, Any]) -> None:
        """The document survives the trip through JSON, which is what Slack's form takes."""
        assert json.loads(json.dumps(document)) == document


def test_missing_scopes() -> None:
    """What is missing is named in the manifest's order; what is granted beyond need does not matter."""
    granted = [scope for scope in SCOPES if scope not in {"files:write", "commands"}]

    assert missing_scopes([*granted, "reactions:write"]) == ["commands", "files:write"]
    assert missing_scopes(SCOPES) == []
