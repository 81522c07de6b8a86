"""Problems, as a list that people can go through one by one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from bot.changes.text.characters import visible
from bot.errors import BULLET, in_one
from bot.slack.views.elements import Block, View, clip, code, listed, section

#: Longest text of one such block, in characters.
LONGEST: Final = 2900


def problem_block(text: str) -> Block:
    """Return a text about problems as rich text, which shows typed text literally.

    Lines that begin with a bullet (:func:`bot.errors.in_one`) become a list, and lines indented below them a list
    inside it.
    """
    lines = clip("\n".join(visible(line) for line in text.splitlines()), LONGEST).splitlines() or [" "]
    elements: list[Block] = []
    for depth, same in groupby(lines, _depth):
        leaves = [{"type": "text", "text": line.strip().removeprefix(BULLET) or " "} for line in same]
        sections = [{"type": "rich_text_section", "elements": [leaf]} for leaf in leaves]
        if depth is None:
            elements += sections
        else:
            elements.append({"type": "rich_text_list", "style": "bullet", "indent": depth, "elements": sections})
    return {"type": "rich_text", "elements": elements}


def problem_lines(text: str, limit: int) -> str:
    """Return a text about problems as mrkdwn, for the middle of a message: one line each, if there are several."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return code(text, limit)
    return "\n" + listed([_line(line) for line in lines], limit) + "\n"


def with_problems(view: View, problems: Iterable[str]) -> View:
    """Return a form with its problems on top."""
    return {**view, "blocks": [section("⚠️ *Not sent yet.*"), problem_block(in_one(problems)), *view["blocks"]]}


def _depth(line: str) -> int | None:
    """Return how far a list item is indented; None for a line that is not an item."""
    if not line.lstrip().startswith(BULLET):
        return None
    return 1 if line.startswith(" ") else 0


def _line(line: str) -> str:
    bullet = BULLET if line.lstrip().startswith(BULLET) else ""
    return bullet + code(line.strip().removeprefix(BULLET))
