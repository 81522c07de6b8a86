"""files.*: the three steps of an upload, and what a file is."""

from __future__ import annotations

import mimetypes
import secrets

from bot.sandbox.slack.records import File, Json, Message
from bot.sandbox.slack.refusal import Refusal, invalid_arguments
from bot.sandbox.slack.webapi.arguments import Arguments
from bot.sandbox.slack.webapi.content import checked_blocks, parent_ts
from bot.sandbox.slack.webapi.places import writable
from bot.sandbox.slack.workspace import BOT_USER, Workspace

SNIPPET_BYTES = 1_000_000


def new_file(ws: Workspace, *, name: str, user: str, content: bytes = b"") -> File:
    """Return a file that the workspace keeps, not shared anywhere yet."""
    file = File(
        id="F0" + secrets.token_hex(4).upper(),
        name=name,
        title=name,
        user=user,
        content=content,
        mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
    )
    if content:
        ws.files[file.id] = file
    return file


def get_upload_url(ws: Workspace, arguments: Arguments) -> Json:
    """files.getUploadURLExternal: the announced length is the length that the upload must have."""
    name = arguments.required("filename")
    length = arguments.number("length", default=0)
    if length <= 0:
        raise invalid_arguments("must be greater than 0 [json-pointer:/length]")
    if arguments.text("snippet_type") and length > SNIPPET_BYTES:
        raise Refusal("file_upload_size_restricted")
    file = new_file(ws, name=name, user=BOT_USER)
    ticket = secrets.token_urlsafe(24)
    ws.uploads[ticket] = (file, length)
    return {"upload_url": f"{ws.origin}/upload/v1/{ticket}", "file_id": file.id}


def receive_upload(ws: Workspace, ticket: str, content: bytes) -> str:
    """Take the bytes of an upload; raises Refusal for an unknown address or another length."""
    if ticket not in ws.uploads:
        raise Refusal("not_found")
    file, length = ws.uploads[ticket]
    if len(content) != length:
        raise Refusal("length_mismatch")
    file.content = content
    ws.files[file.id] = file
    del ws.uploads[ticket]
    ws.journal.touch()
    return f"OK - {length}"


def complete_upload(ws: Workspace, arguments: Arguments) -> Json:
    """files.completeUploadExternal: shares uploaded files as one message."""
    entries = arguments.parsed("files")
    if not isinstance(entries, list) or not entries or not all(isinstance(each, dict) for each in entries):
        raise invalid_arguments("must be a list of files [json-pointer:/files]")
    files: list[File] = []
    for entry in entries:
        file = ws.files.get(str(entry.get("id")))
        if file is None or file.channel is not None:
            raise Refusal("file_not_found")
        files.append(file)
    targets = arguments.names("channels") or arguments.names("channel_id")
    if len(targets) > 100:
        raise invalid_arguments("no more than 100 channels [json-pointer:/channels]")
    if any(target in ws.people for target in targets):
        raise Refusal("channel_not_found")  # a file goes into a conversation; a person's id is none
    channels = [writable(ws, target) for target in targets]
    threads = [parent_ts(ws, channel, arguments) for channel in channels]
    blocks = checked_blocks(arguments.parsed("blocks", "invalid_blocks_format")) or []
    comment = arguments.text("initial_comment") or ""
    if comment and blocks:
        raise invalid_arguments("initial_comment and blocks exclude each other [json-pointer:/blocks]")
    for entry, file in zip(entries, files, strict=True):
        file.title = str(entry.get("title") or file.name)
    for channel, thread in zip(channels, threads, strict=True):
        for file in files:
            file.channel, file.thread_ts = channel.id, thread
        ws.add_message(
            Message(
                channel=channel.id,
                ts=ws.next_ts(),
                user=BOT_USER,
                text=comment,
                blocks=blocks,
                thread_ts=thread,
                files=files,
            )
        )
    ws.journal.touch()
    return {"files": [ws.file_json(file) for file in files]}


def files_info(ws: Workspace, arguments: Arguments) -> Json:
    """files.info."""
    file = ws.files.get(arguments.required("file"))
    if file is None:
        raise Refusal("file_not_found")
    if file.deleted:
        raise Refusal("file_deleted")
    return {"file": ws.file_json(file, asked=True), "comments": [], "response_metadata": {"next_cursor": ""}}
