"""chat.*: posting, editing and deleting messages."""

from __future__ import annotations

from bot.sandbox.slack.elements import with_ids
from bot.sandbox.slack.records import Json, Message
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.webapi.arguments import Arguments
from bot.sandbox.slack.webapi.content import BEST_TEXT, Content, content, metadata, parent_ts
from bot.sandbox.slack.webapi.places import joined, visible, writable
from bot.sandbox.slack.workspace import BOT_USER, TEAM_DOMAIN, Workspace


def post_message(ws: Workspace, arguments: Arguments) -> Json:
    """chat.postMessage."""
    channel = writable(ws, arguments.required("channel"))
    given = content(ws, arguments, method="chat.postMessage")
    _something(given)
    message = ws.add_message(
        Message(
            channel=channel.id,
            ts=ws.next_ts(),
            user=BOT_USER,
            text=given.text or "",
            blocks=given.blocks or [],
            attachments=given.attachments,
            thread_ts=parent_ts(ws, channel, arguments),
            metadata=metadata(arguments),
            broadcast=arguments.flag("reply_broadcast"),
        )
    )
    return {"channel": channel.id, "ts": message.ts, "message": ws.message_json(message)}


def _something(given: Content) -> None:
    if not (given.text or given.blocks or given.attachments):
        raise Refusal("no_text")


def update(ws: Workspace, arguments: Arguments) -> Json:
    """chat.update: text without blocks removes the blocks; neither keeps both."""
    channel_id = arguments.required("channel")
    if channel_id in ws.people:
        raise Refusal("channel_not_found")
    channel = visible(ws, channel_id)
    message = _own(ws, arguments, channel.id, "cant_update_message")
    if channel.archived:
        raise Refusal("is_inactive")
    given = content(ws, arguments, method="chat.update", longest=BEST_TEXT)
    changed = metadata(arguments)
    if given.text is None and given.blocks is None and arguments.raw.get("metadata") is None:
        raise Refusal("no_text")
    if given.text is not None or given.blocks is not None:
        message.text = given.text or ""
        message.blocks = with_ids(given.blocks or [])
        message.attachments = given.attachments
        message.edited_shown = message.edited_shown or not given.blocks
    if arguments.raw.get("metadata") is not None:
        message.metadata = changed
    message.edited_count += 1
    ws.journal.touch()
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": ws.message_json(message),
    }


def delete(ws: Workspace, arguments: Arguments) -> Json:
    """chat.delete."""
    channel = visible(ws, arguments.required("channel"))
    message = _own(ws, arguments, channel.id, "cant_delete_message")
    message.deleted = True
    ws.journal.touch()
    return {"channel": channel.id, "ts": message.ts}


def _own(ws: Workspace, arguments: Arguments, channel: str, refusal: str) -> Message:
    message = ws.message(channel, arguments.required("ts"))
    if message is None:
        raise Refusal("message_not_found")
    if not message.from_bot:
        raise Refusal(refusal)
    return message


def post_ephemeral(ws: Workspace, arguments: Arguments) -> Json:
    """chat.postEphemeral: only to somebody who is in the conversation."""
    channel = joined(ws, arguments.required("channel"))
    user = arguments.required("user")
    if channel.archived:
        raise Refusal("is_archived")
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    given = content(ws, arguments, method="chat.postEphemeral")
    _something(given)
    message = ws.add_message(
        Message(
            channel=channel.id,
            ts=ws.next_ts(),
            user=BOT_USER,
            text=given.text or "",
            blocks=given.blocks or [],
            attachments=given.attachments,
            thread_ts=parent_ts(ws, channel, arguments),
            ephemeral_to=user,
        )
    )
    return {"message_ts": message.ts}


def get_permalink(ws: Workspace, arguments: Arguments) -> Json:
    """chat.getPermalink."""
    channel = visible(ws, arguments.required("channel"))
    message = ws.message(channel.id, arguments.required("message_ts"))
    if message is None:
        raise Refusal("message_not_found")
    link = f"https://{TEAM_DOMAIN}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}
