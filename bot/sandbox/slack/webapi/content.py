"""What a message may contain: text, blocks, attachments, metadata and its place in a thread."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.blocks import attachment_problems, message_problems, total_characters
from bot.sandbox.slack.records import Channel, Json
from bot.sandbox.slack.refusal import Refusal, invalid_arguments
from bot.sandbox.slack.webapi.arguments import Arguments
from bot.sandbox.slack.workspace import Workspace

BEST_TEXT = 4_000
LONGEST_TEXT = 40_000
#: undocumented; seen (slack/API.md, "Lengths of texts and elements")
LONGEST_BLOCKS = 13_200
LARGEST_METADATA = 16_000


@dataclass(kw_only=True)
class Content:
    """The checked content of a message."""

    text: str | None
    #: None when the call did not give any
    blocks: list[Json] | None
    attachments: list[Json] = field(default_factory=list)


def content(ws: Workspace, arguments: Arguments, *, method: str, longest: int = LONGEST_TEXT) -> Content:
    """Return the checked text and blocks of a call; raises Refusal as Slack does, and enters complaints."""
    text = arguments.text("text")
    if text is not None and len(text) > longest:
        raise Refusal("msg_too_long")
    if text is not None and len(text) > BEST_TEXT:
        ws.journal.complain(f"{method}: text of {len(text)} characters; Slack advises under {BEST_TEXT}")
    for habit in ("link_names", "parse"):
        if arguments.text(habit) not in (None, "0", "False", "false", "none"):
            ws.journal.complain(f"{method}: {habit} lets user text mention people")
    blocks = checked_blocks(arguments.parsed("blocks", "invalid_blocks_format"))
    attachments = _attachments(arguments.parsed("attachments", "invalid_attachments"))
    if blocks and not (text or "").strip():
        ws.journal.complain(f"{method}: blocks without text; notifications and screen readers have nothing to say")
    return Content(text=text, blocks=blocks, attachments=attachments)


def checked_blocks(raw: Any) -> list[Json] | None:  # noqa: ANN401 - JSON that is about to be checked
    """Return a message's blocks; raises Refusal ``invalid_blocks`` with a pointer to each problem."""
    if raw is None:
        return None
    if not isinstance(raw, list):
        raise Refusal("invalid_blocks_format")
    problems = message_problems(raw)
    if problems:
        raise Refusal("invalid_blocks", messages=[f"[ERROR] {problem}" for problem in problems])
    if total_characters(raw) > LONGEST_BLOCKS:
        raise Refusal("msg_blocks_too_long")
    return raw


def _attachments(raw: Any) -> list[Json]:  # noqa: ANN401 - JSON that is about to be checked
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        raise Refusal("invalid_attachments")
    if len(raw) > 100:
        raise Refusal("too_many_attachments")
    problems = attachment_problems(raw)
    if problems:
        raise Refusal("invalid_attachments", messages=[f"[ERROR] {problem}" for problem in problems])
    return raw


def metadata(arguments: Arguments) -> Json | None:
    """Return a message's metadata; an empty object means none. Raises Refusal for a wrong shape or size."""
    raw = arguments.parsed("metadata", "invalid_metadata_format")
    if raw is None or raw == {}:
        return None
    if not isinstance(raw, dict):
        raise Refusal("invalid_metadata_format")
    payload = raw.get("event_payload")
    if not isinstance(raw.get("event_type"), str) or not raw["event_type"] or not isinstance(payload, dict):
        raise Refusal("invalid_metadata_schema")
    if not all(_flat(value) for value in payload.values()):
        raise Refusal("invalid_metadata_schema")
    if len(json.dumps(raw)) > LARGEST_METADATA:
        raise Refusal("metadata_too_large")
    return raw


def _flat(value: object) -> bool:
    simple = (str, int, float, bool)
    if isinstance(value, dict):
        return all(isinstance(each, simple) for each in value.values())
    if isinstance(value, list):
        return all(isinstance(each, (*simple, dict)) for each in value)
    return isinstance(value, simple)


def parent_ts(ws: Workspace, channel: Channel, arguments: Arguments) -> str | None:
    """Return the thread to post to.

    Slack takes a reply's or an unknown ``thread_ts`` and misplaces the message; the stand-in refuses with
    ``thread_not_found``.
    """
    raw = arguments.raw.get("thread_ts")
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise invalid_arguments("must be a string [json-pointer:/thread_ts]")
    parent = ws.message(channel.id, raw)
    if parent is None:
        raise Refusal("thread_not_found")
    if parent.thread_ts is not None:
        ws.journal.complain(f"thread_ts {raw} is a reply, not a parent")
        raise Refusal("thread_not_found")
    return raw
