"""One cell as text; distortions by spreadsheets are undone where that is certain, and reported where it is not."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.changes.sheets.presentation import MisdisplayedCell
from bot.changes.sheets.refusals import shown
from bot.changes.text.cells import guard, unguard
from bot.changes.text.characters import is_blank
from bot.errors import InvalidValue

#: In a cell, empties the setting; an empty cell keeps the current value.
CLEAR: Final = "(empty)"
#: Begins a cell with content that no cell can express, in sheets that Linesman makes; it is never read as a value.
SHOWN_ONLY: Final = "(shown only)"

#: Whole numbers below this are exact in a spreadsheet, which keeps fifteen digits.
_EXACT: Final = 10**15
#: ``1.97056E+10``, as spreadsheets write a number too wide for its column.
_SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.ASCII)
#: ``="+13035550100"``: a formula that only marks the cell as text.
_QUOTED: Final = re.compile(r'="([^"]*)"')
#: Error values of spreadsheets in any language: a text file has those of the language it was made in.
_ERROR: Final = re.compile(r"#[¡¿]?(?=.*[^\W\d_])[^a-z\s]{2,}[!?]|#N/A|#NV|#N/[DBV]|#\u041d/\u0414|#GETTING_DATA")
#: A number in international form: a spreadsheet reads only digits, and can compute nothing with it.
_PLAIN_NUMBER: Final = re.compile(r"\+\d{1,15}", re.ASCII)


class MangledCell(InvalidValue):
    """A spreadsheet has lost what was typed into a cell."""


def shortened(text: str) -> MangledCell:
    """Return the problem of digits that a spreadsheet has dropped."""
    return MangledCell(
        f"“{shown(text)}” was shortened by the spreadsheet and digits are lost; "
        "format the column as text and enter it again."
    )


def plain(cell: object) -> str:
    """Return the content of ``cell`` as text, without blanks around it; empty for a blank cell.

    Raises :class:`MangledCell` for formulas, error values, dates and shortened numbers.
    """
    match cell:
        case None:
            return ""
        case MisdisplayedCell():
            raise MangledCell(
                f"“{shown(str(cell.stored))}” is displayed differently from what "
                "is stored; format the column as text and enter it again."
            )
        case str():
            return _text(cell)
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() if abs(cell) < _EXACT:
            return str(cell)
        case float() if abs(cell) < _EXACT:
            return str(int(cell)) if cell.is_integer() else repr(cell)
        case int() | float():
            raise MangledCell(
                f"“{cell:.16g}” is stored as a number, and spreadsheets keep only fifteen digits of those; "
                "format the column as text and enter it again."
            )
        case datetime() | date() | time() | timedelta():
            moment = str(cell).removesuffix(" 00:00:00")
            raise MangledCell(
                f"“{shown(moment)}” was turned into a date or a time by the spreadsheet; "
                "format the column as text and enter it again."
            )
        case _:
            raise _formula()


def _text(cell: str) -> str:
    if is_blank(cell):
        return ""
    bare = cell.strip()
    text = unguard(bare).strip()
    if text.startswith("="):
        if (quoted := _QUOTED.fullmatch(text)) is None:
            raise _formula()
        text = quoted[1].strip()
        if text.startswith("="):
            raise _formula()
    if is_error(text) and not bare.startswith("'"):
        raise MangledCell(f"“{text}” is a spreadsheet error; enter the value itself.")
    if _SHORTENED.fullmatch(text):
        raise shortened(text)
    return text


def is_error(text: str) -> bool:
    """Tell whether ``text`` is an error value that a spreadsheet shows instead of a value."""
    return _ERROR.fullmatch(text) is not None


def _formula() -> MangledCell:
    return MangledCell("This cell holds a formula; copy the column and paste it back as values.")


def is_clear(cell: object) -> bool:
    """Tell whether ``cell`` empties the setting; after an apostrophe, the text is meant literally."""
    return isinstance(cell, str) and "".join(cell.split()).casefold() == CLEAR


def guarded(text: str) -> str:
    """Return ``text`` so that no spreadsheet takes it for a formula; a plain E.164 number stays unchanged."""
    return text if _PLAIN_NUMBER.fullmatch(text) else guard(text)
