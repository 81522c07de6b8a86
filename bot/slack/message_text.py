"""The text of a message, wherever it is: in its text, its blocks or its attachments."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

#: Slack's angle brackets, except telephone links: mentions, dates and links. Their digits are not a number; people see
#: only a link's label.
_ANGLED: Final = re.compile(r"<(?!tel:)(?:([^<>|]*)\|)?([^<>]*)>", re.IGNORECASE)
#: Marks of bold and italic text around a word. Marks of struck text stay: struck text was withdrawn.
_MARKS: Final = re.compile(r"(?<![^\s(])[*_]+(?=[^\s*_])|(?<=[^\s*_])[*_]+(?![^\s,;.:!?)])")
#: Text in Slack's angle brackets in a command, as the manifest requests, and text outside them.
_WRITTEN: Final = re.compile(r"<([@#]?[^<>|]+)(?:\|([^<>]*))?>|[^<>]+")
#: A person in a command's text.
_PERSON: Final = re.compile(r"<@([^<>|]+)(?:\|([^<>]*))?>")
#: Parts of a block that may contain further blocks or texts.
_INSIDE: Final = (
    "text",
    "fields",
    "elements",
    "child_blocks",
    "rows",
    "title",
    "subtitle",
    "body",
    "details",
    "output",
)
#: Parts of an attachment with texts for people.
_WORDS: Final = ("pretext", "title", "text")


def texts_of(message: Mapping[str, Any]) -> list[str]:
    """Return each text of ``message`` once, in order.

    A message with blocks repeats them in its text; messages of bots and forms may have text only in blocks or
    attachments.
    """
    return list(dict.fromkeys(text for text in _texts(message) if text.strip()))


def files_of(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return each file of ``message``, and of the messages that were forwarded with it, once and in order.

    Source: API.md, "Files".
    """
    forwarded = (file for each in _dicts(message.get("attachments")) for file in _dicts(each.get("files")))
    files = (*_dicts(message.get("files")), *forwarded)
    return list({file["id"]: file for file in files if "id" in file}.values())


def typed(text: str) -> str:
    """Return the text after a command as it was typed, except that people stay in Slack's angle brackets.

    Slack writes ``<``, ``>`` and ``&`` as entities, and puts names and links into angle brackets.
    """
    return _WRITTEN.sub(_as_typed, text)


def named(text: str) -> str:
    """Return the typed text with people by their names: ``@ana``."""
    return _PERSON.sub(lambda found: f"@{found[2] or found[1]}", text)


def _as_typed(found: re.Match[str]) -> str:
    target, label = found[1], found[2] or ""
    if target is None:
        return html.unescape(found[0])
    if target.startswith("@"):
        return found[0]
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    # A name such as "example.com" is turned into a link to its address; the link's label is the typed text.
    if _without_end(target) in {f"http://{_without_end(label)}", f"https://{_without_end(label)}"}:
        return html.unescape(label)
    return html.unescape(target.removeprefix("tel:").removeprefix("mailto:"))


def _without_end(address: str) -> str:
    """Return an address in a form for comparing addresses of the same place."""
    return address.casefold().removesuffix("/")


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    yield _plain(str(message.get("text") or ""))
    yield from _blocks(message.get("blocks"))
    for attachment in _dicts(message.get("attachments")):
        for forwarded in _dicts(attachment.get("message_blocks")):
            for original in _dicts([forwarded.get("message")]):
                yield from _blocks(original.get("blocks"))
        for part in _WORDS:
            yield _plain(str(attachment.get(part) or ""))
        for field in _dicts(attachment.get("fields")):
            yield _plain(str(field.get("value") or ""))
        yield from _blocks(attachment.get("blocks"))
        if not any(attachment.get(part) for part in (*_WORDS, "fields", "blocks", "message_blocks")):
            yield _plain(str(attachment.get("fallback") or ""))


def _blocks(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Sequence):
        for each in node:
            yield from _blocks(each)
    elif isinstance(node, Mapping):
        yield from _block(node)


def _block(node: Mapping[str, Any]) -> Iterator[str]:
    match node.get("type"):
        case "rich_text_section" | "rich_text_quote" | "rich_text_preformatted":
            # Leaves are one text, divided where its style changes: a number may be half bold.
            yield "".join(_leaf(leaf) for leaf in _dicts(node.get("elements")))
        case "mrkdwn" | "markdown":
            yield _plain(str(node.get("text") or ""))
        case "plain_text" | "raw_text" | "raw_number":
            yield str(node.get("text") or node.get("value") or "")
        case "actions" | "input" | "button" | "image":
            return
        case _:
            for part in _INSIDE:
                yield from _blocks(node.get(part))


def _leaf(leaf: Mapping[str, Any]) -> str:
    match leaf.get("type"):
        case "text":
            text, style = str(leaf.get("text") or ""), leaf.get("style")
            return f"~{text}~" if isinstance(style, Mapping) and style.get("strike") else text
        case "emoji":  # an arrow between two numbers has a meaning
            return f":{leaf.get('name')}:"
        case "link":
            url = str(leaf.get("url") or "")
            label = str(leaf.get("text") or "")
            return f"<{url}|{label}>" if url.lower().startswith("tel:") else label or " "
        case _:
            return " "


def _plain(text: str) -> str:
    """Return mrkdwn without its marks, mentions, dates and the targets of links."""
    return _MARKS.sub("", _ANGLED.sub(lambda found: f" {found[2]} " if _is_link(found[1] or "") else " ", text))


def _is_link(target: str) -> bool:
    return "://" in target or target.startswith("mailto:")


def _dicts(node: object) -> list[Mapping[str, Any]]:
    return [each for each in node if isinstance(each, Mapping)] if isinstance(node, list) else []
