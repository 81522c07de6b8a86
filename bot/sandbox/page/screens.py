"""What is on everybody's screen in Slack, as the page is sent it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from bot.sandbox.page.world import ROLES
from bot.sandbox.slack import File, Message, SlackStandIn, View
from bot.sandbox.slack.elements import walk
from bot.sandbox.slack.forms import STATE
from bot.sandbox.slack.records import Channel, Json, Profile

#: Messages of a channel, and of those that only one person sees, that are sent; the newest ones.
MESSAGES: Final = 200
EPHEMERALS: Final = 50


def workspace_parts(slack: SlackStandIn) -> Iterator[tuple[str, object]]:
    """Yield the parts that everybody sees: people, groups, channels, and the messages of each channel."""
    ws = slack.workspace
    yield "people", [_person(profile) for profile in ws.people.values()]
    yield "usergroups", [{"id": group.id, "handle": group.handle} for group in ws.usergroups.values()]
    messages = {channel: ws.in_channel(channel) for channel in ws.channels}
    yield "channels", [_channel(each, len(messages[each.id]) - MESSAGES) for each in ws.channels.values()]
    for channel, said in messages.items():
        yield f"messages:{channel}", [_message(message) for message in said[-MESSAGES:]]


def screen_parts(slack: SlackStandIn, waiting: Collection[str]) -> Iterator[tuple[str, object]]:
    """Yield what each person alone sees; ``waiting`` are the ids of the views with an act under way."""
    fillable = [message for message in _shown(slack) if _has_inputs(message)]
    for person in ROLES:
        home = slack.home(person)
        yield (
            f"screen:{person}",
            {
                "ephemerals": [_whisper(each) for each in slack.ephemerals(person)[-EPHEMERALS:]],
                "modals": [_modal(view, waiting) for view in slack.workspace.views.stacks.get(person, [])],
                "home": home and {"id": home.id, "blocks": home.blocks, "values": home.values},
                "message_values": {
                    message.ts: slack.workspace.message_form(message, person).values
                    for message in fillable
                    if message.ephemeral_to in (None, person)
                },
            },
        )


def _shown(slack: SlackStandIn) -> Iterator[Message]:
    for channel in slack.workspace.channels:
        yield from slack.workspace.in_channel(channel)[-MESSAGES:]
    for person in ROLES:
        yield from slack.ephemerals(person)[-EPHEMERALS:]


def _has_inputs(message: Message) -> bool:
    return any(element.get("type") in STATE for _, element in walk(message.blocks))


def _person(profile: Profile) -> Json:
    return {"id": profile.id, "name": profile.name, "role": "bot" if profile.is_bot else ROLES[profile.id]}


def _channel(channel: Channel, more: int) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "private": channel.private,
        "members": channel.members,
        "im_with": channel.im_with,
        "more": max(more, 0),
    }


def _message(message: Message) -> Json:
    return {
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "thread_ts": message.thread_ts,
        "broadcast": message.broadcast,
        "edited": message.edited_shown,
        "reactions": message.reactions,
        "files": [_file(file) for file in message.files if not file.deleted],
    }


def _whisper(message: Message) -> Json:
    return {
        "channel": message.channel,
        "thread_ts": message.thread_ts,
        "ts": message.ts,
        "text": message.text,
        "blocks": message.blocks,
    }


def _file(file: File) -> Json:
    return {"id": file.id, "name": file.name, "size": len(file.content), "mimetype": file.mimetype}


def _modal(view: View, waiting: Collection[str]) -> Json:
    return {
        "id": view.id,
        **{part: _plain(view.content.get(part)) for part in ("title", "submit", "close")},
        "blocks": view.blocks,
        "values": view.values,
        "errors": view.errors,
        "submit_disabled": bool(view.content.get("submit_disabled")),
        "waiting": view.id in waiting,
    }


def _plain(text: Json | None) -> str | None:
    return str(text["text"]) if text else None
