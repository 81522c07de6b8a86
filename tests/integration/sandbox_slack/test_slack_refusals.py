"""The Web API's refusals, method by method, in Slack's own error strings."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import SlackStandIn
from tests.integration.sandbox_slack.tinybot import client_of, modal, section, text_input

HOME = {"type": "home", "blocks": [section("x")]}
POST = {"channel": "C0OPS", "text": "x"}


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        pytest.param("api.test", {"error": "my_error"}, "my_error", id="api-test-echoes-an-error"),
        pytest.param("chat.postMessage", {"text": "x"}, "invalid_arguments", id="post-without-channel"),
        pytest.param("chat.postMessage", POST | {"text": "x" * 40_001}, "msg_too_long", id="text-40000"),
        pytest.param("chat.postMessage", POST | {"blocks": "[{"}, "invalid_blocks_format", id="blocks-not-json"),
        pytest.param("chat.postMessage", POST | {"blocks": "{}"}, "invalid_blocks_format", id="blocks-not-a-list"),
        pytest.param("chat.postMessage", POST | {"attachments": [{}] * 101}, "too_many_attachments", id="attachments"),
        pytest.param("chat.postMessage", POST | {"attachments": [1]}, "invalid_attachments", id="attachment-shape"),
        pytest.param(
            "chat.postMessage",
            POST | {"attachments": [{"blocks": [{"type": "fancy"}]}]},
            "invalid_attachments",
            id="blocks-in-attachments",
        ),
        pytest.param("chat.postMessage", POST | {"thread_ts": 17.5}, "invalid_arguments", id="thread-ts-not-a-string"),
        pytest.param("chat.postMessage", POST | {"metadata": "x{"}, "invalid_metadata_format", id="metadata-not-json"),
        pytest.param("chat.postMessage", POST | {"metadata": [1]}, "invalid_metadata_format", id="metadata-a-list"),
        pytest.param(
            "chat.postMessage",
            POST | {"metadata": {"event_type": "x", "event_payload": {"a": "x" * 16_000}}},
            "metadata_too_large",
            id="metadata-16-kb",
        ),
        pytest.param("chat.postMessage", POST | {"channel": "#far"}, "not_in_channel", id="channel-by-name"),
        pytest.param(
            "chat.postEphemeral", POST | {"channel": "C0OLD", "user": "U0ANA"}, "is_archived", id="old-ephemeral"
        ),
        pytest.param(
            "chat.getPermalink", {"channel": "C0OPS", "message_ts": "1.0"}, "message_not_found", id="permalink"
        ),
        pytest.param("conversations.history", {"channel": "C0FAR"}, "not_in_channel", id="history-not-joined"),
        pytest.param("conversations.history", {"channel": "C0OPS", "cursor": "x"}, "invalid_cursor", id="cursor"),
        pytest.param("conversations.history", {"channel": "C0OPS", "limit": 1001}, "invalid_limit", id="limit"),
        pytest.param(
            "conversations.history", {"channel": "C0OPS", "limit": "many"}, "invalid_arguments", id="limit-word"
        ),
        pytest.param("conversations.info", {"channel": "G0SECRET"}, "channel_not_found", id="info-private"),
        pytest.param("conversations.replies", {"channel": "C0OPS", "ts": "1.0"}, "thread_not_found", id="replies"),
        pytest.param("conversations.open", {}, "users_list_not_supplied", id="open-nobody"),
        pytest.param("conversations.open", {"users": "U0NONE"}, "user_not_found", id="open-stranger"),
        pytest.param("bots.info", {"bot": "B0OTHER"}, "bot_not_found", id="other-bot"),
        pytest.param("team.info", {"team": "T0OTHER"}, "team_not_found", id="other-team"),
        pytest.param("files.info", {"file": "F0NONE"}, "file_not_found", id="file"),
        pytest.param("files.getUploadURLExternal", {"filename": "a"}, "invalid_arguments", id="upload-without-length"),
        pytest.param("files.completeUploadExternal", {"files": "[]"}, "invalid_arguments", id="complete-nothing"),
        pytest.param("views.open", {"view": modal(section("x"))}, "invalid_arguments", id="open-without-trigger"),
        pytest.param("views.update", {"view": modal(section("x"))}, "invalid_arguments", id="update-which"),
        pytest.param("views.update", {"view_id": "V0NONE", "view": modal(section("x"))}, "not_found", id="update-none"),
        pytest.param("views.publish", {"user_id": "U0NONE", "view": HOME}, "invalid_arguments", id="publish-to-nobody"),
        pytest.param(
            "views.publish", {"user_id": "U0ANA", "view": modal(section("x"))}, "invalid_arguments", id="not-a-home"
        ),
        pytest.param("views.publish", {"user_id": "U0ANA", "view": "x"}, "invalid_arguments", id="view-not-json"),
    ],
)
async def test_a_call_is_refused(slack: SlackStandIn, method: str, arguments: dict[str, Any], error: str) -> None:
    """The call gets Slack's error string, the log has it, and no channel has a new message."""
    with pytest.raises(SlackApiError) as caught:
        await client_of(slack).api_call(method, json=arguments)

    assert caught.value.response["error"] == error
    assert slack.calls[-1].error == error
    assert slack.messages("C0OPS") == []


async def test_an_archived_channel_keeps_its_messages_as_they_are(slack: SlackStandIn) -> None:
    """chat.update in a channel that was archived meanwhile is is_inactive."""
    client = client_of(slack)
    posted = await client.chat_postMessage(channel="C0OPS", text="x")
    slack.workspace.channels["C0OPS"].archived = True

    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel="C0OPS", ts=posted["ts"], text="y")

    assert caught.value.response["error"] == "is_inactive"


async def test_a_home_tab_can_be_stale_or_switched_off(slack: SlackStandIn) -> None:
    """views.publish refuses an older hash, and everything when the Home tab is not enabled."""
    client = client_of(slack)
    first = (await client.views_publish(user_id="U0ANA", view=HOME))["view"]["hash"]
    await client.views_publish(user_id="U0ANA", view=HOME, hash=first)

    with pytest.raises(SlackApiError) as stale:
        await client.views_publish(user_id="U0ANA", view=HOME, hash=first)

    slack.workspace.home_enabled = False

    with pytest.raises(SlackApiError) as disabled:
        await client.views_publish(user_id="U0ANA", view=HOME)

    assert stale.value.response["error"] == "hash_conflict"
    assert disabled.value.response["error"] == "not_enabled"


async def test_the_loud_habits_are_complained_of(slack: SlackStandIn) -> None:
    """Long texts, link_names and opening a second modal from inside one pass, and are complaints."""
    client = client_of(slack)
    await client.chat_postMessage(channel="C0OPS", text="x" * 4001)
    await client.chat_postMessage(channel="C0OPS", text="@here", link_names=True)
    root = await client.views_open(trigger_id=slack.workspace.triggers.issue("U0ANA"), view=modal(text_input("a")))
    inside = slack.workspace.triggers.issue("U0ANA", root["view"]["root_view_id"])
    await client.views_open(trigger_id=inside, view=modal(section("x")))

    assert [complaint.split(":")[0] for complaint in slack.complaints] == [
        "chat.postMessage",
        "chat.postMessage",
        "views.open from inside an open modal; views.push or views.update is meant for that",
    ]
