"""Messages: who may post where, what an edit does, what a thread is, and whom a message would notify."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import SlackStandIn, escape
from tests.integration.sandbox_slack.tinybot import APP_TOKEN, BOT_TOKEN, actions, button, client_of, section


async def refusal(call: Any) -> str:
    """Return the error string with which a call is refused."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        pytest.param("C0NOWHERE", "channel_not_found", id="unknown"),
        pytest.param("G0SECRET", "channel_not_found", id="private-without-the-bot"),
        pytest.param("C0FAR", "not_in_channel", id="public-without-the-bot"),
        pytest.param("C0OLD", "is_archived", id="archived"),
    ],
)
async def test_posting_needs_a_place(slack: SlackStandIn, channel: str, error: str) -> None:
    """The bot posts only where it is a member, and cannot tell a private channel from none."""
    assert await refusal(client_of(slack).chat_postMessage(channel=channel, text="Hello")) == error
    assert slack.messages(channel) == []


async def test_a_person_id_means_the_direct_message_for_posting_only(slack: SlackStandIn) -> None:
    """chat.postMessage to U… opens the direct message; chat.update wants the D… id that it returned."""
    client = client_of(slack)
    posted = await client.chat_postMessage(channel="U0ANA", text="Hello")

    assert posted["channel"] == slack.direct_message("U0ANA")
    assert await refusal(client.chat_update(channel="U0ANA", ts=posted["ts"], text="Bye")) == "channel_not_found"

    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="Bye")

    assert [message.text for message in slack.messages(posted["channel"])] == ["Bye"]


async def test_a_message_needs_something_to_say(slack: SlackStandIn) -> None:
    """No text, no blocks: no_text; blocks without text are posted, and complained of."""
    client = client_of(slack)

    with pytest.warns(UserWarning, match="text"):
        error = await refusal(client.chat_postMessage(channel="C0OPS"))
    await client.api_call("chat.postMessage", json={"channel": "C0OPS", "blocks": [section("Hello")]})

    assert error == "no_text"
    assert len(slack.complaints) == 1
    assert "without text" in slack.complaints[0]


async def test_text_without_blocks_removes_the_blocks(slack: SlackStandIn) -> None:
    """chat.update with text alone drops the buttons and shows (edited); with blocks it does not show it."""
    client = client_of(slack)
    posted = await client.chat_postMessage(
        channel="C0OPS", text="Card", blocks=[section("Card"), actions(button("go"))]
    )
    (card,) = slack.messages("C0OPS")
    await client.chat_update(channel="C0OPS", ts=posted["ts"], text="Card", blocks=[section("50 %")])

    assert (card.edited_count, card.edited_shown) == (1, False)

    await client.chat_update(channel="C0OPS", ts=posted["ts"], text="Done")

    assert (card.text, card.blocks) == ("Done", [])
    assert (card.edited_count, card.edited_shown) == (2, True)


async def test_only_its_own_messages_may_be_edited(slack: SlackStandIn) -> None:
    """Somebody else's message, one that is gone and an ephemeral one cannot be edited."""
    client = client_of(slack)
    theirs = slack.person("U0ANA").post("C0OPS", "Mine")
    gone = await client.chat_postMessage(channel="C0OPS", text="Soon gone")
    await client.chat_delete(channel="C0OPS", ts=gone["ts"])
    seen = await client.chat_postEphemeral(channel="C0OPS", user="U0ANA", text="Only you")

    assert await refusal(client.chat_update(channel="C0OPS", ts=theirs.ts, text="x")) == "cant_update_message"
    assert await refusal(client.chat_delete(channel="C0OPS", ts=theirs.ts)) == "cant_delete_message"
    assert await refusal(client.chat_update(channel="C0OPS", ts=gone["ts"], text="x")) == "message_not_found"
    assert await refusal(client.chat_update(channel="C0OPS", ts=seen["message_ts"], text="x")) == "message_not_found"


async def test_an_edit_has_at_most_4000_characters(slack: SlackStandIn) -> None:
    """chat.update refuses longer text as msg_too_long."""
    client = client_of(slack)
    posted = await client.chat_postMessage(channel="C0OPS", text="x")
    await client.chat_update(channel="C0OPS", ts=posted["ts"], text="x" * 4000)

    assert await refusal(client.chat_update(channel="C0OPS", ts=posted["ts"], text="x" * 4001)) == "msg_too_long"


async def test_metadata_stays_until_it_is_emptied(slack: SlackStandIn) -> None:
    """An edit keeps the metadata unless it gives some; an empty object removes it; other shapes are refused."""
    client = client_of(slack)
    posted = await client.chat_postMessage(
        channel="C0OPS", text="Card", metadata={"event_type": "change", "event_payload": {"id": "CHG-42"}}
    )
    (card,) = slack.messages("C0OPS")
    await client.chat_update(channel="C0OPS", ts=posted["ts"], text="Card 2")

    assert card.metadata == {"event_type": "change", "event_payload": {"id": "CHG-42"}}

    await client.chat_update(channel="C0OPS", ts=posted["ts"], text="Card 3", metadata={})

    assert card.metadata is None

    nested = {"event_type": "change", "event_payload": {"a": {"b": {"c": 1}}}}

    assert (
        await refusal(client.chat_postMessage(channel="C0OPS", text="x", metadata=nested)) == "invalid_metadata_schema"
    )


async def test_a_thread_hangs_on_its_parent(slack: SlackStandIn) -> None:
    """Replies go to a parent's ts; a reply's ts or an unknown one is refused; only broadcasts show in the channel."""
    client = client_of(slack)
    parent = (await client.chat_postMessage(channel="C0OPS", text="Parent"))["ts"]
    reply = (await client.chat_postMessage(channel="C0OPS", text="Reply", thread_ts=parent))["ts"]
    await client.chat_postMessage(channel="C0OPS", text="Loud", thread_ts=parent, reply_broadcast=True)

    assert [message.text for message in slack.thread("C0OPS", parent)] == ["Parent", "Reply", "Loud"]
    assert [message.text for message in slack.messages("C0OPS")] == ["Parent", "Loud"]
    assert await refusal(client.chat_postMessage(channel="C0OPS", text="x", thread_ts=reply)) == "thread_not_found"
    assert await refusal(client.chat_postMessage(channel="C0OPS", text="x", thread_ts="1.000000")) == "thread_not_found"

    read = await client.conversations_replies(channel="C0OPS", ts=parent)

    assert [message["text"] for message in read["messages"]] == ["Parent", "Reply", "Loud"]
    assert read["messages"][0]["reply_count"] == 2


async def test_history_comes_in_pages_the_newest_first(slack: SlackStandIn) -> None:
    """conversations.history pages with cursors and leaves replies out."""
    client = client_of(slack)
    for number in range(5):
        posted = await client.chat_postMessage(channel="C0OPS", text=str(number))
    await client.chat_postMessage(channel="C0OPS", text="reply", thread_ts=posted["ts"])
    texts: list[str] = []
    cursor = ""
    while True:
        found = await client.conversations_history(channel="C0OPS", limit=2, cursor=cursor)
        texts.extend(message["text"] for message in found["messages"])
        if not found["has_more"]:
            break
        cursor = found["response_metadata"]["next_cursor"]

    assert texts == ["4", "3", "2", "1", "0"]


async def test_ephemerals_are_for_members(slack: SlackStandIn) -> None:
    """Somebody outside the channel gets no ephemeral; inside, only they see it."""
    client = client_of(slack)

    assert await refusal(client.chat_postEphemeral(channel="C0OPS", user="U0CAT", text="x")) == "user_not_in_channel"

    await client.chat_postEphemeral(channel="C0OPS", user="U0ANA", text="Only you")

    assert [message.text for message in slack.ephemerals("U0ANA")] == ["Only you"]
    assert slack.ephemerals("U0BEN") == []
    assert slack.messages("C0OPS") == []


HOSTILE = "<!channel> <@U0BEN> <!subteam^S0MGRS>"


@pytest.mark.parametrize(
    ("blocks", "text", "fires"),
    [
        pytest.param([], HOSTILE, True, id="text"),
        pytest.param([], escape(HOSTILE), False, id="escaped-text"),
        pytest.param([section(HOSTILE)], "x", True, id="mrkdwn"),
        pytest.param([section(escape(HOSTILE))], "x", False, id="escaped-mrkdwn"),
        pytest.param(
            [{"type": "section", "text": {"type": "plain_text", "text": HOSTILE}}], "x", False, id="plain-text"
        ),
        pytest.param([{"type": "markdown", "text": HOSTILE}], "x", True, id="markdown"),
        pytest.param(
            [{"type": "table", "rows": [[{"type": "raw_text", "text": HOSTILE}]]}], "x", False, id="raw-table-cell"
        ),
        pytest.param(
            [
                {
                    "type": "rich_text",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": HOSTILE}]}],
                }
            ],
            "x",
            False,
            id="rich-text-leaf",
        ),
        pytest.param(
            [
                {
                    "type": "rich_text",
                    "elements": [
                        {
                            "type": "rich_text_section",
                            "elements": [
                                {"type": "broadcast", "range": "channel"},
                                {"type": "user", "user_id": "U0BEN"},
                                {"type": "usergroup", "usergroup_id": "S0MGRS"},
                            ],
                        }
                    ],
                }
            ],
            "x",
            True,
            id="rich-text-mentions",
        ),
    ],
)
async def test_a_message_knows_whom_it_notifies(
    slack: SlackStandIn,
    blocks: list[dict[str, Any]],
    text: str,
    fires: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Mentions fire from mrkdwn and rich-text mention leaves, never from literal or escaped text."""
    await client_of(slack).chat_postMessage(channel="C0OPS", text=text, blocks=blocks)
    (message,) = slack.messages("C0OPS")

    assert bool(message.mentions) is fires
    if fires:
        assert message.mentions.users == {"U0BEN"}
        assert message.mentions.groups == {"S0MGRS"}
        assert message.mentions.broadcasts == {"channel"}


@pytest.mark.parametrize(
    ("mrkdwn", "shown"),
    [
        pytest.param("<@U0ANA> in <#C0OPS>", "@Ana in #ops", id="names"),
        pytest.param("<!subteam^S0MGRS> <!here>", "@managers @here", id="groups"),
        pytest.param("<https://example.com|the plan> &amp; &lt;more&gt;", "the plan & <more>", id="links"),
        pytest.param("<!date^1700000000^{date_short} at {time}|then>", "Nov 14, 2023 at 3:13 PM", id="date"),
        pytest.param("<!date^soon^{date}|then>", "then", id="bad-date"),
        pytest.param("<tel:+19705550100|970 555 0100>", "970 555 0100", id="phone"),
    ],
)
async def test_mrkdwn_reads_as_a_person_reads_it(slack: SlackStandIn, mrkdwn: str, shown: str) -> None:
    """Ids become names, links show their labels, dates are in the reader's time zone."""
    assert slack.render_text(mrkdwn, tz="America/Denver") == shown


@pytest.mark.parametrize(
    ("token", "error"),
    [
        pytest.param("xoxb-other", "invalid_auth", id="unknown"),
        pytest.param("", "not_authed", id="none"),
        pytest.param(APP_TOKEN, "not_allowed_token_type", id="app-token"),
    ],
)
async def test_the_web_api_wants_the_bot_token(slack: SlackStandIn, token: str, error: str) -> None:
    """Another token is refused, and no token is ever in the log."""
    client = AsyncWebClient(token=token or None, base_url=slack.api_url)

    assert await refusal(client.api_call("auth.test")) == error
    assert await refusal(client_of(slack).api_call("no.such")) == "unknown_method"
    assert BOT_TOKEN not in str(slack.calls)


@pytest.mark.parametrize(
    ("verb", "how"),
    [
        pytest.param("GET", "params", id="get-query"),
        pytest.param("POST", "params", id="post-query"),
        pytest.param("POST", "data", id="post-form"),
        pytest.param("POST", "json", id="post-json"),
    ],
)
async def test_arguments_come_in_every_form(slack: SlackStandIn, verb: str, how: str) -> None:
    """Query string, form and JSON body carry the same arguments, the token included."""
    blocks: Any = [section("Hello")] if how == "json" else json.dumps([section("Hello")])
    arguments = {"token": BOT_TOKEN, "channel": "C0OPS", "text": "Hello", "blocks": blocks}
    address = f"{slack.api_url}chat.postMessage"
    sent: Any = {how: arguments}
    async with aiohttp.ClientSession() as session, session.request(verb, address, **sent) as response:
        answer = await response.json()

    assert answer["ok"] is True
    assert slack.messages("C0OPS")[0].blocks[0]["text"]["text"] == "Hello"
    assert "token" not in slack.calls[0].params


async def test_a_body_that_is_not_json_is_refused(slack: SlackStandIn) -> None:
    """A broken JSON body is invalid_json, and in the log like any call."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {BOT_TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{slack.api_url}chat.postMessage", data=b"{") as response,
    ):
        assert (await response.json())["error"] == "invalid_json"

    assert [call.error for call in slack.calls] == ["invalid_json"]


async def test_auth_test_tells_the_scopes_and_they_are_enforced(slack: SlackStandIn) -> None:
    """The granted scopes are in a header; a method without its scope is missing_scope and says which."""
    client = client_of(slack)
    slack.scopes.discard("usergroups:read")
    known = await client.auth_test()

    assert "usergroups:read" not in known.headers["x-oauth-scopes"].split(",")
    assert "chat:write" in known.headers["x-oauth-scopes"].split(",")

    with pytest.raises(SlackApiError) as caught:
        await client.usergroups_users_list(usergroup="S0MGRS")

    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "usergroups:read"


async def test_who_is_who(slack: SlackStandIn) -> None:
    """People, groups and members are as they were put in; the deactivated drop out of groups."""
    client = client_of(slack)
    slack.add_person("U0OLD", name="Old", deleted=True)
    slack.add_person("U0GUEST", name="Guest", guest=True)
    slack.add_person("U0EXT", name="Ext", foreign_team="T0OTHER")
    slack.add_usergroup("S0MIX", handle="mix", members=["U0ANA", "U0OLD"])

    assert (await client.usergroups_users_list(usergroup="S0MIX"))["users"] == ["U0ANA"]
    assert await refusal(client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"
    assert (await client.users_info(user="U0GUEST"))["user"]["is_restricted"] is True
    assert (await client.users_info(user="U0OLD"))["user"]["deleted"] is True
    assert (await client.users_info(user="U0EXT"))["user"]["team_id"] == "T0OTHER"
    assert await refusal(client.users_info(user="U0NOBODY")) == "user_not_found"
    assert (await client.conversations_info(channel="C0FAR"))["channel"]["is_member"] is False
    assert (await client.conversations_members(channel="C0OPS"))["members"][:2] == ["U0ANA", "U0BEN"]
    assert [group["handle"] for group in (await client.usergroups_list())["usergroups"]] == ["managers", "mix"]


async def test_the_small_methods_answer(slack: SlackStandIn) -> None:
    """Permalinks, reactions, direct messages and the workspace's own name."""
    client = client_of(slack)
    posted = await client.chat_postMessage(channel="C0OPS", text="Hello")
    link = await client.chat_getPermalink(channel="C0OPS", message_ts=posted["ts"])

    assert link["permalink"].endswith(f"/archives/C0OPS/p{posted['ts'].replace('.', '')}")

    await client.reactions_add(channel="C0OPS", timestamp=posted["ts"], name="eyes")

    assert (
        await refusal(client.reactions_add(channel="C0OPS", timestamp=posted["ts"], name="eyes")) == "already_reacted"
    )

    opened = await client.conversations_open(users="U0ANA")

    assert opened["channel"]["id"] == slack.direct_message("U0ANA")
    assert (await client.team_info())["team"]["id"] == (await client.auth_test())["team_id"]
    assert (await client.bots_info())["bot"]["user_id"] == (await client.auth_test())["user_id"]
    assert (await client.api_test(foo="bar"))["args"]["foo"] == "bar"
