"""Cells of spreadsheets: lists and "nothing" as other programs write them, and texts that are no formula anywhere.

A CSV file with commas opens in a German or French spreadsheet as if it had semicolons, and somewhere else as if it had
tabs; quotation marks in the middle of such a cell protect nothing. So a formula must not begin behind any of these
either. Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import json
import re
from typing import Final

from bot.changes.text.characters import is_unseen

#: Words and signs for "no value": SQL, JSON, Python, R, pandas, PowerShell, pivot tables, and what people type.
_NO_VALUE: Final = frozenset(
    {"null", "(null)", "<null>", "[null]", r"\n", "none", "(none)", "<none>", "nil", "undefined", "nan", "na", "n/a"}
    | {"#n/a", "n.a.", "(blank)", "(not set)", "-", "--", "\u2013", "\u2014", "[]", "{}", "()", '""', "''", '[""]'}
    | {"<na>", "pd.na", "nat", "{null}", "<empty>", "(leer)", "<leer>", "k.a.", "(vide)", "(vac\u00edo)", "(vazio)"}
    | {"(vuoto)", "set()", "list()", "dict()", "tuple()"}
)
#: ``['a', 'b']`` as Python writes it; what is escaped inside is left alone.
_QUOTED: Final = re.compile(r"\[\s*'[^'\\]*'(?:\s*,\s*'[^'\\]*')*\s*,?\s*\]")
_ENTRY: Final = re.compile(r"'([^'\\]*)'")
_BRACKETS: Final = re.compile(r"\[.*\]|\{.*\}", re.DOTALL)
#: Lists as calls and types: ``frozenset({'a'})`` of Python, ``System.String[]`` of PowerShell.
_TYPED: Final = re.compile(r"\w+\([\[{\"'].*\)|System\.\S*\[.*\]", re.DOTALL)
#: An entry in quotation marks, and one with a bullet or a figure before it.
_ENTRY_QUOTED: Final = re.compile(
    r"([\"']).*\1|[\u201c\u201e\u2018\u201a\u00ab].*[\u201d\u201c\u2019\u2018\u00bb]", re.DOTALL
)
_ENTRY_LISTED: Final = re.compile(r"(?:[-*+\u2013\u2022\u00b7\u25aa\u25cf\u25e6]|\d{1,3}[.)])\s")


def is_nothing(text: str) -> bool:
    """Tell whether ``text`` is what some program writes where there is nothing."""
    return "".join(text.split()).casefold() in _NO_VALUE or text.strip().casefold() == "(not set)"


def is_bracketed(text: str) -> bool:
    """Tell whether ``text`` stands in brackets or braces, as lists and records of programs do."""
    return _BRACKETS.fullmatch(text.strip()) is not None


def entries(text: str) -> tuple[str, ...] | None:
    """Return the entries of a list as JSON or Python write it; None when ``text`` is no such list of texts."""
    bare = text.strip()
    if _QUOTED.fullmatch(bare):
        return tuple(_ENTRY.findall(bare))
    if not is_bracketed(bare):
        return None
    try:
        found = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        return None
    return tuple(found)


def is_odd_list(text: str) -> bool:
    """Tell whether ``text`` looks like a list of another program's that nobody can read for certain.

    Commas, semicolons and new lines divide the entries; one that is left with half a pair of brackets, or with
    quotation marks or a bullet around it, was not meant to be divided, or not meant to have them.
    """
    if is_bracketed(text) or _TYPED.fullmatch(text.strip()):
        return entries(text) is None
    lines = "\n" in text.strip()
    parts = [part.strip() for part in re.split(r"[,;\n]", text)]
    return "|" in text or any(
        _ENTRY_QUOTED.fullmatch(part)
        or (lines and _ENTRY_LISTED.match(part))
        or any(part.count(left) != part.count(right) for left, right in ("()", "[]", "{}"))
        for part in parts
    )


#: Most characters, as UTF-16 counts them, that a spreadsheet keeps of one cell.
LONGEST: Final = 32_767

#: What begins a formula, also in its full width. A sign before nothing but digits computes nothing, but only some
#: readers end the cell behind them.
_SIGN: Final = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
#: What may begin another cell, or another row, for some reader.
_BETWEEN: Final = r"[,;|\t\r\n\x0b\x0c\x85\u2028\u2029]"
#: What a reader may pass over at the beginning of a cell: blanks of every width, quotation marks, what nobody sees.
_NOTHING: Final = r"[\s\"\x00-\x1f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*"
_BEGINS: Final = re.compile(rf"[\t\r\n]|{_NOTHING}{_SIGN}")
_INSIDE: Final = re.compile(rf"({_BETWEEN}{_NOTHING})(?={_SIGN})")
#: The texts of a JSON document, and in them the signs that may begin a formula.
_JSON_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SIGN_INSIDE: Final = re.compile(_SIGN)
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7e]")
_GUARDED: Final = re.compile(rf"({_BETWEEN}{_NOTHING})'(?={_SIGN})")


def fitted(text: str) -> str:
    """Return ``text`` in at most :data:`LONGEST` characters, with an ellipsis where it was cut."""
    if len(text) <= LONGEST // 2 or _units(text) <= LONGEST:
        return text
    kept = text[: LONGEST - 1]
    while _units(kept) >= LONGEST:
        kept = kept[: len(kept) - max(1, (_units(kept) - LONGEST) // 2)]
    return f"{kept}…"


def guard(cell: str) -> str:
    """Return ``cell``, at most :data:`LONGEST` characters, with an apostrophe before whatever may begin a formula."""
    text = _INSIDE.sub(r"\1'", cell)
    return fitted(f"'{text}" if _BEGINS.match(text) else text)


def literal(cell: str) -> str:
    """Return ``cell`` as :func:`guard` does, with the apostrophe in front that says that just this text is meant."""
    return fitted("'" + _INSIDE.sub(r"\1'", cell))


def _units(text: str) -> int:
    """Return how many characters a spreadsheet counts: one beyond the basic plane, such as a picture, is two."""
    return len(text) + sum(1 for character in text if character > "\uffff")


def unguard(text: str) -> str:
    """Return ``text`` as it was before :func:`guard`; an apostrophe at its beginning only says that it is text."""
    bare = text.removeprefix("'")
    return _GUARDED.sub(r"\1", bare) if "'" in bare else bare


def guard_json(text: str) -> str:
    """Return the JSON ``text`` with every sign in its texts that may begin a formula, or that nobody sees, escaped.

    It stays the same document. Outside its texts there are signs of numbers only, which compute nothing.
    """
    return _JSON_TEXT.sub(lambda found: _SIGN_INSIDE.sub(_code, found[0]), _BEYOND_ASCII.sub(_escaped, text))


def _code(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _escaped(found: re.Match[str]) -> str:
    if not is_unseen(found[0]):
        return found[0]
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
