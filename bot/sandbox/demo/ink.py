"""Colours for the lines of the transcript, and the folding away of what nobody would read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.text import Text

#: What stands out in a line, and how; the first ones are painted first.
_MARKS: Final = (
    (re.compile(r"\+\d{8,15}"), "cyan"),
    (re.compile(r"(?<!\w)[@#][A-Za-z][\w-]*"), "bold blue"),
    (re.compile(r"\bCHG-\d+"), "bold"),
    (re.compile(r"[\d,]+ succeeded"), "green"),
    (re.compile(r"\b(?!0 )[\d,]+ failed"), "red"),
    (re.compile(r"█+"), "green"),
    (re.compile(r"░+"), "bright_black"),
    (re.compile(r"→"), "bold yellow"),
)
_BUTTON: Final = re.compile(r"\[[A-Z][^\[\]▾…]*\]")
_BOX: Final = re.compile(r"^Numbers, box (\d+) of (\d+)")
_TYPED: Final = "  > "
_ERROR: Final = "  ! "
#: Typed lines in one input that are shown in full.
_SHOWN: Final = 5


def inked(lines: Iterable[str]) -> Text:
    """Return lines of a transcript as one text with colours."""
    return Text("\n").join(_inked(line) for line in lines)


def _inked(line: str) -> Text:
    if line.startswith("# "):
        return Text(line.removeprefix("# "), style="bold")
    if line.startswith(_ERROR):
        return Text(line, style="bold red")
    if line.startswith(_TYPED):
        return Text(line, style="yellow")
    text = Text(line, style="italic" if line.startswith("│ ") else "")
    for pattern, style in _MARKS:
        text.highlight_regex(pattern, style)
    text.highlight_regex(_BUTTON, "bold reverse")
    return text


def folded(lines: Iterable[str]) -> list[str]:
    """Return lines with long pastes cut short, and of many number boxes the first, the last and those with errors."""
    return [line for box in _boxes(_pastes(lines)) for line in box]


def _pastes(lines: Iterable[str]) -> Iterator[str]:
    paste: list[str] = []
    for line in lines:
        if line.startswith(_TYPED):
            paste.append(line)
            continue
        yield from _cut(paste)
        paste = []
        yield line
    yield from _cut(paste)


def _cut(paste: Sequence[str]) -> Sequence[str]:
    if len(paste) <= _SHOWN:
        return paste
    first, last = paste[0], paste[-1].removeprefix(_TYPED)
    return [f"{first} … {last}   ({len(paste):,} lines)"]


def _boxes(lines: Iterable[str]) -> Iterator[Sequence[str]]:
    """Group the lines by number box, and leave out boxes in the middle that look like the others."""
    left_out = 0
    for group in _groups(lines):
        found = _BOX.match(group[0])
        between = found and found[1] not in {"1", found[2]}
        if between and not any(line.startswith(_ERROR) for line in group):
            left_out += 1
            continue
        if left_out:
            yield [f"… {left_out} more boxes like it" if left_out > 1 else "… another box like it"]
            left_out = 0
        yield group


def _groups(lines: Iterable[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for line in lines:
        if group and not line.startswith("  "):
            yield group
            group = []
        group.append(line)
    if group:
        yield group
