"""Where a person acts: a modal, a Home tab or a message, with its blocks, state and part of the payload."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.slack.elements import walk
from bot.sandbox.slack.forms import Form
from bot.sandbox.slack.modal import View
from bot.sandbox.slack.payloads import channel_name, view_json
from bot.sandbox.slack.records import Json, Message, StandInRefused
from bot.sandbox.slack.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Blocks in front of one person."""

    blocks: list[Json]
    form: Form
    #: root view id of a modal, for trigger ids
    root_view: str | None
    view: View | None = None
    message: Message | None = None

    def find(self, action_id: str, block_id: str | None = None, value: str | None = None) -> tuple[Json, Json]:
        """Return the block and the element with an action id; ``value`` picks among several buttons."""
        found = [
            (block, element)
            for block, element in walk(self.blocks)
            if element["action_id"] == action_id
            and block_id in (None, block["block_id"])
            and (value is None or element.get("type") == "overflow" or element.get("value") == value)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise StandInRefused(f"several elements have the action_id {action_id!r}; give block_id or value")
        shown = ", ".join(element["action_id"] for _, element in walk(self.blocks)) or "nothing"
        raise StandInRefused(f"nothing with the action_id {action_id!r} is shown; there is: {shown}")

    def context(self, ws: Workspace, user: str) -> Json:
        """Return the payload's container, and the view or the message with its channel."""
        if self.view is not None:
            return {"container": {"type": "view", "view_id": self.view.id}, "view": view_json(self.view)}
        message = self.message
        if message is None:
            raise StandInRefused("there is no surface to act on")
        channel = ws.channels[message.channel]
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": message.ephemeral_to is not None,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        context: Json = {
            "container": container,
            "channel": {"id": channel.id, "name": channel_name(channel)},
            "state": {"values": self.form.values},
            "response_url": ws.link(message.channel, user, ws.message(message.channel, message.ts) or message),
        }
        # Slack does not keep ephemeral messages, so their payloads carry no message.
        return context if message.ephemeral_to else {**context, "message": ws.message_json(message)}


def on_message(ws: Workspace, message: Message, user: str) -> Surface:
    """Return a message as a person uses it; raises StandInRefused when they cannot see it."""
    channel = ws.channels[message.channel]
    if message.ephemeral_to not in (None, user):
        raise StandInRefused(f"only {message.ephemeral_to} sees that message")
    if channel.private and user not in channel.members:
        raise StandInRefused(f"{user} is not in the private channel #{channel.name}")
    if message.deleted:
        raise StandInRefused("the message was deleted")
    form = ws.message_form(message, user)
    return Surface(blocks=message.blocks, form=form, root_view=None, message=message)


def on_view(view: View) -> Surface:
    """Return a modal or a Home tab as its person uses it."""
    root = view.root_id if view.kind == "modal" else None
    return Surface(blocks=view.blocks, form=view.form, root_view=root, view=view)
