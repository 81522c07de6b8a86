"""What an app answers to a command or posts to a response address, and what it does to the conversation."""

from __future__ import annotations

import time

from bot.sandbox.slack.elements import with_ids
from bot.sandbox.slack.records import Json, Message
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.webapi.arguments import Arguments
from bot.sandbox.slack.webapi.content import content
from bot.sandbox.slack.workspace import BOT_USER, ResponseLink, Workspace

MOST_USES = 5


def respond(ws: Workspace, token: str, body: Json) -> None:
    """Carry out a post to a response address; raises Refusal when it is spent, expired or malformed."""
    link = ws.links.get(token)
    if link is None:
        raise Refusal("no_such_url")
    if time.monotonic() - link.issued > ws.deadlines.response_url:
        raise Refusal("expired_url")
    if link.uses >= MOST_USES:
        raise Refusal("used_url")
    show(ws, link, body, method="response_url")
    link.uses += 1


def show(ws: Workspace, link: ResponseLink, body: Json, *, method: str) -> None:
    """Post, replace or delete as the body says; raises Refusal for content that Slack refuses."""
    arguments = Arguments(body)
    original = link.original if link.original is not None and not link.original.deleted else None
    if arguments.flag("delete_original"):
        if original is not None:
            original.deleted = True
            ws.journal.touch()
        return
    given = content(ws, arguments, method=method)
    if not (given.text or given.blocks or given.attachments):
        raise Refusal("no_text")
    if arguments.flag("replace_original") and original is not None:
        original.text, original.blocks = given.text or "", with_ids(given.blocks or [])
        original.attachments = given.attachments
        original.edited_count += 1
        ws.journal.touch()
        return
    in_channel = arguments.text("response_type") == "in_channel"
    message = ws.add_message(
        Message(
            channel=link.channel,
            ts=ws.next_ts(),
            user=BOT_USER,
            text=given.text or "",
            blocks=given.blocks or [],
            attachments=given.attachments,
            thread_ts=_thread(link, arguments),
            ephemeral_to=None if in_channel else link.user,
        )
    )
    link.posted.append(message)
    if link.original is None:
        link.original = message


def _thread(link: ResponseLink, arguments: Arguments) -> str | None:
    thread = arguments.text("thread_ts")
    if thread:
        return thread
    return link.original.thread_ts if link.original is not None else None
