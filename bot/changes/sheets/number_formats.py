"""A number as its cell shows it: people mean what they see, whatever is stored.

Format codes are those of ECMA-376 part 1, 18.8.31. Only formats that can turn digits into other digits are handled
here; dates are recognised before, and everything else is left to people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Final

#: Formats that show a number as stored, apart from thousands separators and zeros after the point.
_AS_STORED: Final = re.compile(r"General|@|(?:#,##)?[0#](?:\.[0#]+)?", re.IGNORECASE)
_SECTION: Final = re.compile(r'(?:"[^"]*"|\\.|[^";\\])+|(?<=;)(?=;|$)|^(?=;)')
#: A condition, which chooses the section; a color, a currency or a language, of which only a currency is shown. Other
#: bracketed parts, such as numerals of another script, are not understood.
_CONDITION: Final = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
_BRACKETS: Final = re.compile(
    r"\[(?:\$([^\]\-]*)(?:-[^\]]*)?|(?:black|blue|cyan|green|magenta|red|white|yellow|color ?\d+))\]", re.IGNORECASE
)
#: One piece of a section: quoted text, an escaped sign, blanks of some width, a filling sign, or a plain one.
_PIECE: Final = re.compile(r'"([^"]*)"|\\(.)|_(.)|\*(.)|(.)', re.DOTALL)
_PLACES: Final = frozenset("0#")
#: A comma after the last place divides by a thousand.
_SCALED: Final = re.compile(r"[0#],+(?![0#,])")
#: A slash between places makes a fraction.
_LITERAL: Final = frozenset("+-(): $!^&'~{}=<>\u2013\u2014")


class _Sort(Enum):
    """The type of a piece of a section."""

    PLACE = "a place for a digit"
    PERCENT = "a sign that multiplies by a hundred"
    TEXT = "text"


def as_shown(number: float, code: str) -> str | None:
    """Return ``number`` as a cell with the format ``code`` shows it; None where that is not certain.

    Thousands separators are left out. A format that shows the number as stored gives its plain digits.
    """
    if _AS_STORED.fullmatch(code) and (whole := _stored(number, code)):
        return whole
    section, value = _section(number, code)
    if section is None or _SCALED.search(section):
        return None
    if _BRACKETS.sub("", section).strip().casefold() == "general":
        return _stored(value, "general")
    pieces = list(_pieces(section))
    if any(text is None for _, text in pieces):
        return None
    places = [at for at, (sort, _) in enumerate(pieces) if sort is _Sort.PLACE]
    if not places:
        return "".join(text for _, text in pieces if text) or None
    percents = sum(sort is _Sort.PERCENT for sort, _ in pieces)
    digits = str((Decimal(repr(value)) * 100**percents).quantize(Decimal(1), ROUND_HALF_UP))
    return _filled(pieces, places, "" if digits == "0" else digits) or None


def shows_text(code: str) -> bool:
    """Tell whether a cell with the format ``code`` shows a text unchanged, apart from blanks and colors.

    The fourth section is for texts, or the last one if it has the text sign; a format without either leaves texts
    unchanged.
    """
    sections = _SECTION.findall(code)
    if len(sections) < 4 and not (sections and "@" in sections[-1]):
        return True
    bare = _BRACKETS.sub(lambda found: f'"{found[1] or ""}"', sections[-1])
    shown = "".join(quoted or escaped or fill or plain for quoted, escaped, _, fill, plain in _PIECE.findall(bare))
    return shown.strip() in {"@", "General"}


def _stored(number: float, code: str) -> str:
    """Return the plain digits of ``number``; empty if ``code`` shows fewer of them."""
    if number == 0 and code.startswith("#") and not code.startswith("#,##0"):
        return ""  # that sign shows no zeros
    if float(number).is_integer():
        return str(int(number))
    decimals = len(code.partition(".")[2])
    exact = code.casefold() == "general" or (decimals and round(number, decimals) == number)
    return repr(number) if exact else ""


def _section(number: float, code: str) -> tuple[str | None, float]:
    """Return the section of ``code`` for ``number``, and the number that it shows: some leave out the sign."""
    sections = _SECTION.findall(code)
    if not sections or len(sections) > 4:
        return None, number
    found = [_CONDITION.search(section) for section in sections]
    if any(found):
        for section, condition in zip(sections, found, strict=True):
            if condition is None or _holds(number, condition[1], float(condition[2])):
                return (None if number < 0 else _CONDITION.sub("", section)), number
        return None, number
    numeric = sections[:3]
    if number < 0:
        return (numeric[1], -number) if len(numeric) > 1 else (None, number)
    if number == 0 and len(numeric) == 3:
        return numeric[2], number
    return numeric[0], number


def _holds(number: float, sign: str, limit: float) -> bool:
    match sign:
        case "<=":
            return number <= limit
        case ">=":
            return number >= limit
        case "<":
            return number < limit
        case ">":
            return number > limit
        case "=":
            return number == limit
    return number != limit


def _pieces(section: str) -> Iterator[tuple[_Sort, str | None]]:
    """Yield (type, text) for each piece; the text is None for pieces that are not understood."""
    bare = _BRACKETS.sub(lambda found: f'"{found[1] or ""}"', section)
    for quoted, escaped, blank, fill, plain in _PIECE.findall(bare):
        if plain in _PLACES:
            yield _Sort.PLACE, plain
        elif plain == "%":
            yield _Sort.PERCENT, plain
        elif plain in _LITERAL:
            yield _Sort.TEXT, plain
        elif plain == ",":
            continue
        elif plain or fill.strip():  # how often a sign fills the cell depends on its width
            yield _Sort.TEXT, None
        else:
            yield _Sort.TEXT, quoted or escaped or (" " if blank else "")


def _filled(pieces: list[tuple[_Sort, str | None]], places: list[int], digits: str) -> str:
    """Return the pieces with ``digits`` in their places, from the right; surplus digits go into the first place."""
    shown: dict[int, str] = {}
    left = digits
    for at in reversed(places):
        if at == places[0]:
            shown[at] = left or ("0" if pieces[at][1] == "0" else "")
            break
        left, digit = left[:-1], left[-1:]
        shown[at] = digit or ("0" if pieces[at][1] == "0" else "")
    return "".join(shown.get(at, text or "") for at, (_, text) in enumerate(pieces)).strip()
