"""Spreadsheet cells: other programs' lists and "nothing", and texts that are not a formula anywhere.

A CSV file with commas opens in a German or French spreadsheet as if it had semicolons, and elsewhere as if it had tabs;
quotation marks in the middle of such a cell protect nothing. So a formula must not begin after any of these either.
Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import json
import re
from typing import Final

from bot.changes.text.characters import is_unseen

#: Words and signs for "no value": in SQL, JSON, Python, R, pandas, PowerShell, pivot tables, and as people type it.
_NO_VALUE: Final = frozenset(
    {"null", "(null)", "<null>", "[null]", r"\n", "none", "(none)", "<none>", "nil", "undefined", "nan", "na", "n/a"}
    | {"#n/a", "n.a.", "(blank)", "(not set)", "-", "--", "\u2013", "\u2014", "[]", "{}", "()", '""', "''", '[""]'}
    | {"<na>", "pd.na", "nat", "{null}", "<empty>", "(leer)", "<leer>", "k.a.", "(vide)", "(vac\u00edo)", "(vazio)"}
    | {"(vuoto)", "set()", "list()", "dict()", "tuple()"}
)
#: ``['a', 'b']`` as Python writes it; texts with escapes are not matched.
_QUOTED: Final = re.compile(r"\[\s*'[^'\\]*'(?:\s*,\s*'[^'\\]*')*\s*,?\s*\]")
_ENTRY: Final = re.compile(r"'([^'\\]*)'")
_BRACKETS: Final = re.compile(r"\[.*\]|\{.*\}", re.DOTALL)
#: Lists as calls and types: Python's ``frozenset({'a'})``, PowerShell's ``System.String[]``.
_TYPED: Final = re.compile(r"\w+\([\[{\"'].*\)|System\.\S*\[.*\]", re.DOTALL)
#: A quoted entry, and one with a bullet or a figure before it.
_ENTRY_QUOTED: Final = re.compile(
    r"([\"']).*\1|[\u201c\u201e\u2018\u201a\u00ab].*[\u201d\u201c\u2019\u2018\u00bb]", re.DOTALL
)
_ENTRY_LISTED: Final = re.compile(r"(?:[-*+\u2013\u2022\u00b7\u25aa\u25cf\u25e6]|\d{1,3}[.)])\s")


def is_nothing(text: str) -> bool:
    """Tell whether ``text`` is a program's word for "nothing"."""
    return "".join(text.split()).casefold() in _NO_VALUE or text.strip().casefold() == "(not set)"


def is_bracketed(text: str) -> bool:
    """Tell whether ``text`` is in brackets or braces, like lists and records of programs."""
    return _BRACKETS.fullmatch(text.strip()) is not None


def entries(text: str) -> tuple[str, ...] | None:
    """Return the entries of a list as JSON or Python write it; None when ``text`` is not such a list of texts."""
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
    """Tell whether ``text`` looks like a list of another program that cannot be read with certainty.

    Commas, semicolons and new lines divide the entries. An entry with half a pair of brackets was not meant to be
    divided there; one with quotation marks or a bullet was not meant to have them.
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


#: Most characters, counted in UTF-16, that a spreadsheet keeps of one cell.
LONGEST: Final = 32_767

#: Signs that begin a formula, also in full width. A sign before only digits computes nothing, but some readers end the
#: cell after them.
_SIGN: Final = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
#: Characters that may begin another cell, or another row, for some reader.
_BETWEEN: Final = r"[,;|\t\r\n\x0b\x0c\x85\u2028\u2029]"
#: Return the name of an id without formulas or unwritable characters; in a list, without separators.
_NOTHING: Final = r"[\s\"\x00-\x1f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*"
_BEGINS: Final = re.compile(rf"[\t\r\n]|{_NOTHING}{_SIGN}")
_INSIDE: Final = re.compile(rf"({_BETWEEN}{_NOTHING})(?={_SIGN})")
#: The texts of a JSON document, and signs in them that may begin a formula.
_JSON_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SIGN_INSIDE: Final = re.compile(_SIGN)
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7e]")
_GUARDED: Final = re.compile(rf"({_BETWEEN}{_NOTHING})'(?={_SIGN})")


def fitted(text: str) -> str:
    """Return ``text`` in at most :data:`LONGEST` characters, with an ellipsis if it was cut."""
    if len(text) <= LONGEST // 2 or _units(text) <= LONGEST:
        return text
    kept = text[: LONGEST - 1]
    while _units(kept) >= LONGEST:
        kept = kept[: len(kept) - max(1, (_units(kept) - LONGEST) // 2)]
    return f"{kept}…"


def guard(cell: str) -> str:
    """Return ``cell``, at most :data:`LONGEST` characters, with an apostrophe before signs that may begin a formula."""
    text = _INSIDE.sub(r"\1'", cell)
    return fitted(f"'{text}" if _BEGINS.match(text) else text)


def literal(cell: str) -> str:
    """Return ``cell`` like :func:`guard`, with a leading apostrophe that marks the text as literal."""
    return fitted("'" + _INSIDE.sub(r"\1'", cell))


def _units(text: str) -> int:
    """Return the length in a spreadsheet: characters beyond the basic plane, such as pictures, count as two."""
    return len(text) + sum(1 for character in text if character > "\uffff")


def unguard(text: str) -> str:
    """Return ``text`` as it was before :func:`guard`; a leading apostrophe only marks it as text."""
    bare = text.removeprefix("'")
    return _GUARDED.sub(r"\1", bare) if "'" in bare else bare


def guard_json(text: str) -> str:
    """Return the JSON ``text``, escaping signs in its texts that may begin a formula or are invisible.

    It stays the same document. Outside its texts there are only signs of numbers, which compute nothing.
    """
    return _JSON_TEXT.sub(lambda found: _SIGN_INSIDE.sub(_code, found[0]), _BEYOND_ASCII.sub(_escaped, text))


def _code(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _escaped(found: re.Match[str]) -> str:
    if not is_unseen(found[0]):
        return found[0]
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
