"""How other programs write lists and nothing at all into one cell, so that neither is taken for a value."""

from __future__ import annotations

import json
import re
from typing import Final

#: Words and signs for "no value": SQL, JSON, Python, R, pandas, PowerShell, pivot tables, and what people type.
_NOTHING: Final = frozenset(
    {"null", "(null)", "<null>", "[null]", r"\n", "none", "(none)", "<none>", "nil", "undefined", "nan", "na", "n/a"}
    | {"#n/a", "n.a.", "(blank)", "(not set)", "-", "--", "\u2013", "\u2014", "[]", "{}", "()", '""', "''", '[""]'}
)
#: ``['a', 'b']`` as Python writes it; what is escaped inside is left alone.
_QUOTED: Final = re.compile(r"\[\s*'[^'\\]*'(?:\s*,\s*'[^'\\]*')*\s*,?\s*\]")
_BETWEEN: Final = re.compile(r"'([^'\\]*)'")
_BRACKETS: Final = re.compile(r"\[.*\]|\{.*\}", re.DOTALL)


def is_nothing(text: str) -> bool:
    """Tell whether ``text`` is what some program writes where there is nothing."""
    return "".join(text.split()).casefold() in _NOTHING or text.strip().casefold() == "(not set)"


def is_bracketed(text: str) -> bool:
    """Tell whether ``text`` stands in brackets or braces, as lists and records of programs do."""
    return _BRACKETS.fullmatch(text.strip()) is not None


def entries(text: str) -> tuple[str, ...] | None:
    """Return the entries of a list as JSON or Python write it; None when ``text`` is no such list of texts."""
    bare = text.strip()
    if _QUOTED.fullmatch(bare):
        return tuple(_BETWEEN.findall(bare))
    if not is_bracketed(bare):
        return None
    try:
        found = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        return None
    return tuple(found)
