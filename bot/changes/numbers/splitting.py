"""Splitting a long text into parts between its numbers, so that each part reads as it did in the whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from bot.changes.numbers.ranges import RANGE_SIGN, marked

#: Where entries of a list end, from the most certain place to the least: after a line, after a separator (commas,
#: semicolons, bars, tabs and bullets; not the semicolon of ``;ext=12``), at a blank before the plus of the next number,
#: at any blank.
_ENDS: Final = (
    re.compile(r"[\n\r\v\f\x85\u2028\u2029]\s*"),
    re.compile(
        r"(?:[,|\t\u060c\u3001\u3002\uff0c\u2022\u2023]|[;\u061b\uff1b](?!(?:ext|isub|phone-context)=))\s*",
        re.IGNORECASE,
    ),
    re.compile(r"\s+(?=\(?\+)"),
    re.compile(r"\s+"),
)


def split_between_numbers(text: str, longest: int) -> list[str]:
    """Return ``text`` in parts of at most ``longest`` characters; only blank parts are left out.

    Two numbers with "to" between them stay together, so that the ends of a range are not taken for a list. A part
    longer than ``longest`` without a suitable place is split at a blank, or else between two characters.
    """
    parts: list[str] = []
    current = ""
    for piece in _pieces(text, marked(text), longest, 0):
        if len(current) + len(piece) > longest:
            parts.append(current)
            current = ""
        current += piece
    return [part for part in (*parts, current) if part.strip()]


def _pieces(text: str, signs: str, longest: int, tried: int) -> Iterator[str]:
    """Yield ``text`` in pieces of at most ``longest`` characters, split at the most certain ends of entries.

    ``signs`` is the marked text, position for position. ``tried`` counts the kinds of ends that did not suffice.
    """
    if len(text) <= longest:
        yield text
    elif tried < len(_ENDS):
        for start, end in _entries(text, signs, _ENDS[tried]):
            yield from _pieces(text[start:end], signs[start:end], longest, tried + 1)
    else:
        for word in re.findall(r"\s*\S+\s*|\s+", text):
            yield from (word[at : at + longest] for at in range(0, len(word), longest))


def _entries(text: str, signs: str, ends: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield the beginning and end of each entry; text without a digit, such as "to", stays with its neighbours."""
    start = before = 0
    for end, after in pairwise([*(found.end() for found in ends.finditer(text)), len(text)]):
        if _is_number(signs[before:end]) and _is_number(signs[end:after]):
            yield start, end
            start = end
        before = end
    yield start, len(text)


def _is_number(signs: str) -> bool:
    """Tell whether an entry has a number, and no sign for "to" that joins it to a neighbour."""
    bare = signs.strip()
    return any(map(str.isdecimal, bare)) and not bare.startswith(RANGE_SIGN) and not bare.endswith(RANGE_SIGN)
