"""conversations.*: what the bot may know of channels and read in them."""

from __future__ import annotations

from collections.abc import Callable

from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.webapi.arguments import Arguments, page
from bot.sandbox.slack.webapi.places import joined, visible
from bot.sandbox.slack.workspace import BOT_USER, TEAM, Workspace


def channel_json(channel: Channel) -> Json:
    """Return a conversation as Slack shows it."""
    shown: Json = {
        "id": channel.id,
        "is_channel": not channel.private,
        "is_group": channel.private and channel.im_with is None,
        "is_im": channel.im_with is not None,
        "is_mpim": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_general": False,
        "is_shared": False,
        "is_ext_shared": False,
        "context_team_id": TEAM,
    }
    if channel.im_with is not None:  # of a direct message Slack says nobody's membership
        return shown | {"user": channel.im_with}
    shown["is_member"] = channel.bot_is_member
    return shown | {"name": channel.name, "name_normalized": channel.name, "num_members": len(channel.members)}


def info(ws: Workspace, arguments: Arguments) -> Json:
    """conversations.info."""
    channel = visible(ws, arguments.required("channel"))
    if channel.im_with is not None and "im:read" not in ws.scopes:
        raise Refusal("missing_scope", needed="im:read", provided=",".join(sorted(ws.scopes)))
    shown = channel_json(channel)
    if not arguments.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


def members(ws: Workspace, arguments: Arguments) -> Json:
    """conversations.members, with the bot itself among them."""
    channel = visible(ws, arguments.required("channel"))
    everyone = [*channel.members, *([BOT_USER] if channel.bot_is_member else [])]
    shown, cursor = page([{"id": each} for each in everyone], arguments, most=1000, default=100)
    return {"members": [each["id"] for each in shown], "response_metadata": {"next_cursor": cursor}}


def open_dm(ws: Workspace, arguments: Arguments) -> Json:
    """conversations.open: a direct message with one person."""
    users = arguments.names("users")
    if not users:
        raise Refusal("users_list_not_supplied")
    if len(users) > 1 or users[0] not in ws.people:
        raise Refusal("user_not_found")
    if ws.people[users[0]].deleted:
        raise Refusal("user_disabled")
    known = "D0" + users[0][1:] in ws.channels
    channel = ws.direct_message(users[0])
    return {"channel": channel_json(channel), "already_open": known, "no_op": known}


def history(ws: Workspace, arguments: Arguments) -> Json:
    """conversations.history: top-level messages, the newest first."""
    channel = joined(ws, arguments.required("channel"))
    told = _within(arguments)
    found = [
        message
        for message in reversed(ws.in_channel(channel.id))
        if (message.thread_ts is None or message.broadcast) and told(message)
    ]
    return _messages(ws, found, arguments, default=100)


def replies(ws: Workspace, arguments: Arguments) -> Json:
    """conversations.replies: a parent, whatever its time, and its replies, the oldest first."""
    channel = joined(ws, arguments.required("channel"))
    parent = ws.message(channel.id, arguments.required("ts"))
    if parent is None:
        raise Refusal("thread_not_found")
    told = _within(arguments)
    found = [each for each in ws.thread(channel.id, parent.ts) if each is parent or told(each)]
    return _messages(ws, found, arguments, default=1000)


def _within(arguments: Arguments) -> Callable[[Message], bool]:
    """Return whether a message is of the time that was asked for."""
    oldest, latest = arguments.text("oldest") or "0", arguments.text("latest") or "9999999999.999999"
    ends = (oldest, latest) if arguments.flag("inclusive") else ()
    least, most = float(oldest), float(latest)
    return lambda message: least < float(message.ts) < most or message.ts in ends


def _messages(ws: Workspace, found: list[Message], arguments: Arguments, *, default: int) -> Json:
    page_of, cursor = page(found, arguments, most=1000, default=default)
    shown = [ws.message_json(each) for each in page_of]
    if not arguments.flag("include_all_metadata"):
        shown = [{key: value for key, value in each.items() if key != "metadata"} for each in shown]
    answer: Json = {"messages": shown, "has_more": bool(cursor)}
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})
