"""Signs and words between two numbers that may mean "from … to"; what lies between was not typed, so nobody guesses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

#: What every such sign becomes, so that whoever reads on has to know only this one. Dashes stay: numbers have them.
SIGN: Final = "~"

_MARK: Final = re.compile(
    # Drawn with the keyboard: -> --> => ~> <-> |-> and the like, with any dash.
    r"(?<![-=~\u2010-\u2015\u2212])[|<]?[-=~\u2010-\u2015\u2212]++>+"
    # Standing alone: brackets and quotes that point, unless more is quoted behind, and a spreadsheet's colon.
    r"|(?<!\S)(?:[>\u00bb\u203a]+(?=\s)(?!\s*[\u00ab\u2039])|:(?=\s))"
    # Dots that leave something out, also as bullets and stars in a row.
    r"|[.\u2024]{2,}|(?<!\S)\.(?:[ \t]\.)+(?!\S)"
    r"|[\u2025\u2026\u22ee-\u22f1\ufe19]+|[\u2022\u2023\u2043\u00b7\u2027\u2219\u30fb]{2,}|(?<!\S)\*{2,}(?!\S)"
    # A dash at the end of a line, or alone in one; more of them are a ruler. A hyphen drawn as a bullet, within a line.
    r"|(?:(?<=\d)[ \t]+|(?<=\n)[ \t]*)[-\u2010-\u2015\u2212](?=[ \t]*\n)|(?<=\S)[ \t]*\u2043"
    # Tildes and their kin.
    r"|[~\u02dc\u223c\u223d\u2248\u2053\u301c\u3030\uff5e]+"
    # Arrows, triangles that point, and the names that Slack gives to pictures of them.
    r"|[\u2190-\u21ff\u25b6-\u25bb\u2794\u2798-\u27af\u27b1-\u27be\u27f0-\u27ff\u2900-\u297f\u2b00-\u2b11\u2b30-\u2b4f"
    r"\u23e9\U0001f852\U0001f800-\U0001f8ff]+\ufe0f?"
    r"|[\u261a-\u261f\U0001f446-\U0001f449\U0001faf1\U0001faf2][\ufe0f\U0001f3fb-\U0001f3ff]*"
    r"|:(?:arrow|fast_forward|left_right|point)[a-z_]*:"
)
_WORDS: Final = frozenset(
    {"to", "up to", "upto", "thru", "through", "till", "until", "bis", "bis zu", "hasta", "al", "jusqu'à", "tot"}
)
#: A dash between two numbers; commas, bars and new lines around it make it a list or a table.
_DASHED: Final = re.compile(r"[^,;|\n]*-[^,;|\n]*")


def marked(typed: str) -> str:
    """Return ``typed`` with every sign that may mean "to" as blanks and one :data:`SIGN`, position for position.

    A sign that begins a line is a bullet when the line before begins with one too, or when there is none before it.
    """
    text = _MARK.sub(lambda found: SIGN.rjust(len(found[0])), typed)
    return "".join(_without_bullets(text))


def _without_bullets(text: str) -> Iterator[str]:
    listed = True
    for line in text.splitlines(keepends=True):
        start = len(line) - len(line.lstrip(" \t"))
        bare = line[start:].strip()
        if bare.startswith(SIGN) and bare != SIGN and listed:
            yield f"{line[:start]} {line[start + 1 :]}"
            continue
        listed = listed and not bare
        yield line


def is_word(text: str) -> bool:
    """Tell whether ``text`` is a word for "to"."""
    return " ".join(text.casefold().split()) in _WORDS


def spans(between: str) -> bool:
    """Tell whether what stands ``between`` two numbers, marked, may mean "from … to"."""
    return SIGN in between or _DASHED.fullmatch(between) is not None
