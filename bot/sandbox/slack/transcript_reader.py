"""Somebody who reads what is on a Slack screen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bot.sandbox.slack.mrkdwn import Names, render_text

EMOJI: Mapping[str, str] = MappingProxyType(
    {
        "arrows_counterclockwise": "🔄",
        "bell": "🔔",
        "black_circle": "⚫",
        "hourglass": "⌛",
        "hourglass_flowing_sand": "⏳",
        "large_blue_circle": "🔵",
        "large_green_circle": "🟢",
        "large_yellow_circle": "🟡",
        "lock": "🔒",
        "no_entry": "⛔",
        "red_circle": "🔴",
        "rocket": "🚀",
        "rotating_light": "🚨",
        "warning": "⚠️",
        "white_check_mark": "✅",
        "x": "❌",
    }
)
MARKERS = tuple(
    re.compile(rf"(?<![\w{mark}]){mark}(\S(?:[^\n]*?\S)?){mark}(?![\w{mark}])") for mark in (r"\*", "_", "~")
)


class TranscriptReader:
    """Somebody who reads: knows names and lives in a time zone."""

    def __init__(self, names: Names, tz: str) -> None:
        self.names = names
        self.tz = tz

    def mrkdwn(self, text: str) -> str:
        """Return mrkdwn without its markers."""
        pieces = re.split(r"(```.*?```|`[^`\n]+`)", text, flags=re.DOTALL)
        shown = [
            render_text(piece.strip("`"), self.names, self.tz) if piece.startswith("`") else self._marked(piece)
            for piece in pieces
        ]
        return "".join(shown)

    def _marked(self, text: str) -> str:
        for marker in MARKERS:
            text = marker.sub(r"\1", text)
        return emoji(render_text(text, self.names, self.tz))

    def text(self, node: Any) -> str:  # noqa: ANN401 - a text object, a string or nothing
        """Return a text object's words."""
        if node is None:
            return ""
        if isinstance(node, str):
            return node
        words = str(node.get("text", ""))
        return self.mrkdwn(words) if node.get("type") == "mrkdwn" else emoji(words)


def emoji(text: str) -> str:
    """Return a text with the signs that its names of emoji stand for."""
    return re.sub(r":([a-z0-9_+-]+):", lambda found: EMOJI.get(found.group(1), found.group(0)), text)
