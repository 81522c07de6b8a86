"""The Block Kit elements that Linesman uses, within Slack's limits, and text without side effects.

Limits: API.md, "Lengths of texts and elements" (section text 3000, header 150, option text 75, label 2000).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from bot.changes.text.characters import visible

Block: TypeAlias = dict[str, Any]
View: TypeAlias = dict[str, Any]


def escape(text: str) -> str:
    """Return ``text`` so that mrkdwn shows it literally, without any mention, link or channel.

    Slack asks for exactly these three replacements (docs.slack.dev/messaging/formatting-message-text). They do not stop
    asterisks from making bold text: typed text goes into :func:`code` or :func:`quote`. Invisible characters are shown
    by their code points.
    """
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str, limit: int = 300) -> str:
    """Return ``text`` as code, in which no mark has a meaning: the way to show a value inside a sentence."""
    line = clip(" ".join(text.replace("`", "\u02cb").split()), limit)
    while len(escape(line)) > limit:  # an escaped character is up to five long, and half of one would show
        line = clip(line, len(line) * 4 // 5)
    return f"`{escape(line)}`" if line else "_empty_"


def before_and_after(before: str, after: str, limit: int, *, stays: bool = False) -> str:
    """Return two values, each in at most ``limit`` characters, so that they look different where they differ.

    Long ones with the same beginning are shown from shortly before the first difference; a value that ``stays`` once.
    """
    if stays:
        return f"{code(after, limit)} (as before)"
    shorter = min(len(before), len(after))
    alike = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    cut = alike - limit // 3 if alike > limit // 2 else 0
    return " → ".join(code(f"…{text[cut:]}" if cut else text, limit) for text in (before, after))


def words(text: str) -> str:
    """Return a person's text from a form, whole: at most 500 characters, each up to five when escaped."""
    return code(text, 2500)


def quote(text: str) -> Block:
    """Return typed text as a quotation; rich text shows it literally, whatever it contains."""
    leaf = {"type": "text", "text": visible(text) or " "}
    return {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [leaf]}]}


def given_back(pieces: Iterable[str]) -> list[Block]:
    """Return typed text that Slack has removed from the keyboard, for copying; a piece has at most 3,000 characters."""
    leaves = [{"type": "text", "text": visible(piece)} for piece in pieces if piece.strip()]
    blocks: list[Block] = [
        {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [leaf]}]} for leaf in leaves
    ]
    return [context("What you typed, so that you can copy it:"), *blocks] if blocks else []


def clip(text: str, limit: int) -> str:
    """Return ``text`` in at most ``limit`` characters, with an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listed(lines: Sequence[str], limit: int = 2900) -> str:
    """Return as many whole lines as fit into ``limit`` characters, and the number of lines left out."""
    room = limit - 40
    shown: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    if left := len(lines) - len(shown):
        shown.append(f"… and {left:,} more")
    return "\n".join(shown)


def person(user: str) -> str:
    """Return a mention of ``user``; for a user of the bot's machine, whom Slack does not know, the name."""
    return code(user) if user.startswith("shell:") else f"<@{user}>"


def channel(identifier: str) -> str:
    """Return a link to a channel."""
    return f"<#{identifier}>"


def when(moment: datetime) -> str:
    """Return ``moment`` in the reader's own time zone."""
    fallback = moment.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def short_until(until: datetime | None) -> str:
    """Return until when a change is in effect, to follow its name; empty for a lasting change."""
    return f", temporary, until {when(until)}" if until else ""


def plain(text: str, limit: int = 75) -> Block:
    """Return a plain_text object."""
    return {"type": "plain_text", "text": clip(visible(text), limit), "emoji": True}


def mrkdwn(text: str, limit: int = 3000) -> Block:
    """Return a mrkdwn object; typed text must already be escaped."""
    return {"type": "mrkdwn", "text": clip(text, limit), "verbatim": True}


def header(text: str) -> Block:
    """Return a heading."""
    return {"type": "header", "text": plain(text, 150)}


def section(text: str, *, block_id: str = "") -> Block:
    """Return a paragraph."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if block_id:
        block["block_id"] = block_id
    return block


def beside(block: Block, element: Block) -> Block:
    """Return a paragraph with a button beside it."""
    return {**block, "accessory": element}


def paragraphs(lines: Iterable[str], limit: int = 2900) -> list[Block]:
    """Return all ``lines`` in as few paragraphs as possible; none may be longer than ``limit``."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= limit:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return [section(text) for text in texts]


def with_notes(view: View, notes: Sequence[str]) -> View:
    """Return ``view`` with sentences on top; they are mrkdwn."""
    blocks = paragraphs(f"⚠️ {note}" for note in notes)
    return {**view, "blocks": [*blocks, *view["blocks"]][:100]}


def fields(pairs: Iterable[tuple[str, str]]) -> Block:
    """Return up to ten label-value pairs in two columns."""
    return {"type": "section", "fields": [mrkdwn(f"*{label}*\n{value}", 2000) for label, value in pairs][:10]}


def context(*texts: str) -> Block:
    """Return small print."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts if text][:10]}


def divider() -> Block:
    """Return a line."""
    return {"type": "divider"}


def button(text: str, action: str, value: str, *, style: str = "", confirm: Block | None = None) -> Block:
    """Return a button."""
    block: Block = {"type": "button", "text": plain(text), "action_id": action, "value": value}
    if style:
        block["style"] = style
    if confirm:
        block["confirm"] = confirm
    return block


def confirmation(title: str, text: str, yes: str, no: str = "Go back") -> Block:
    """Return a question that a button asks before it acts."""
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
    }


def actions(block_id: str, elements: Sequence[Block]) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def shortened(text: str, blocks: Sequence[Block]) -> tuple[str, list[Block]]:
    """Return a message that says the same in a few lines and keeps its buttons; mrkdwn is cut at a line end."""
    lines = "\n".join(line for line in text.splitlines()[:10] if len(line) <= 300) or clip(text, 150)
    buttons = [block for block in blocks if block["type"] == "actions"][:5]
    more = context("Shortened, because Slack refused the full message. `/numbers status` shows all of it.")
    return lines, [section(lines), *buttons, more]


def option(text: str, value: str) -> Block:
    """Return an option of a menu."""
    return {"text": plain(text), "value": value}


def field(
    block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = False, dispatch: bool = False
) -> Block:
    """Return an input with its label."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 150),
        "element": element,
        "optional": optional,
    }
    if hint:
        block["hint"] = plain(hint, 300)
    if dispatch:
        block["dispatch_action"] = True
    return block


def modal(
    callback: str,
    title: str,
    blocks: Sequence[Block],
    *,
    submit: str = "",
    close: str = "Close",
    private: str = "",
    notify_on_close: bool = False,
) -> View:
    """Return a modal."""
    view: View = {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, 24),
        "close": plain(close, 24),
        "blocks": list(blocks),
        "private_metadata": private,
        "notify_on_close": notify_on_close,
    }
    if submit:
        view["submit"] = plain(submit, 24)
    return view


def bar(done: int, total: int, width: int = 20) -> str:
    """Return a progress bar in text. It is full only when everything is done, and empty only if nothing is."""
    if total <= 0:
        return "░" * width
    filled = width * done // total
    if done > 0 and filled == 0:
        filled = 1
    return "█" * filled + "░" * (width - filled)
