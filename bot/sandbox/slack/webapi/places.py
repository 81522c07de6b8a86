"""Which conversation a call means, and whether the bot may act there."""

from __future__ import annotations

from bot.sandbox.slack.records import Channel
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.workspace import Workspace


def visible(ws: Workspace, channel_id: str) -> Channel:
    """Return a conversation that the bot can see; a private one without the bot looks like none at all."""
    channel = ws.channels.get(channel_id)
    if channel is None or (channel.private and not channel.bot_is_member):
        raise Refusal("channel_not_found")
    return channel


def joined(ws: Workspace, channel_id: str) -> Channel:
    """Return a conversation that the bot is in."""
    channel = visible(ws, channel_id)
    if not channel.bot_is_member:
        raise Refusal("not_in_channel")
    return channel


def writable(ws: Workspace, target: str) -> Channel:
    """Return the conversation to post to; a person's id means the direct message, ``#name`` a channel."""
    if target in ws.people:
        if ws.people[target].deleted:
            raise Refusal("channel_not_found")
        return ws.direct_message(target)
    by_name = next((each for each in ws.channels.values() if not each.im_with and "#" + each.name == target), None)
    channel = joined(ws, by_name.id if by_name else target)
    if channel.archived:
        raise Refusal("is_archived")
    return channel
