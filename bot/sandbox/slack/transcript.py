"""A message or a modal as plain lines of text: what a person sees, for the demo and for tests of wording."""

from __future__ import annotations

from collections.abc import Iterator

from bot.sandbox.slack.modal import View
from bot.sandbox.slack.records import Json, Message
from bot.sandbox.slack.standin import SlackStandIn
from bot.sandbox.slack.transcript_blocks import blocks_lines
from bot.sandbox.slack.transcript_reader import TranscriptReader


def lines(shown: Message | View, slack: SlackStandIn, *, tz: str = "UTC") -> list[str]:
    """Return a message or a view as a person in the time zone reads it; empty for a deleted message."""
    reader = TranscriptReader(slack.workspace.names(), tz)
    if isinstance(shown, View):
        return [*_view(shown, reader)]
    if shown.deleted:
        return []
    return [*_message(shown, reader)]


def author(message: Message, slack: SlackStandIn) -> str:
    """Return the name of a message's author."""
    return slack.workspace.names().people.get(message.user, message.user)


def _message(message: Message, reader: TranscriptReader) -> Iterator[str]:
    if message.blocks:
        yield from blocks_lines(message.blocks, reader)
    else:
        yield from reader.mrkdwn(message.text).splitlines()
    if message.blocks and message.files and message.text:
        yield from reader.mrkdwn(message.text).splitlines()
    for attachment in message.attachments:
        yield from (f"│ {line}" for line in blocks_lines(attachment.get("blocks", []), reader))
    for file in message.files:
        yield f"📎 {file.title} ({len(file.content):,} bytes)"
    if message.edited_shown:
        yield "(edited)"


def _view(view: View, reader: TranscriptReader) -> Iterator[str]:
    if view.title:
        yield f"═══ {view.title} ═══"
    for block in view.blocks:
        yield from blocks_lines([block], reader)
        if block["type"] == "input":
            yield from _value(view, block, reader)
        if block["block_id"] in view.errors:
            yield f"  ! {view.errors[block['block_id']]}"
    buttons = [view.content.get("close"), view.content.get("submit")]
    if any(buttons):
        yield " ".join(f"[{reader.text(label)}]" for label in buttons if label)


def _value(view: View, block: Json, reader: TranscriptReader) -> Iterator[str]:
    slot = view.form.slot(block["block_id"])
    value = slot.value
    entries = value if isinstance(value, list) else [value]
    words = [
        (reader.text(entry.get("text")) or str(entry.get("name", ""))) if isinstance(entry, dict) else str(entry)
        for entry in entries
        if entry is not None
    ]
    yield from (f"  > {line}" for word in words for line in word.splitlines())
