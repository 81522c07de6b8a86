"""The stored content of a workbook's cell, as the cell shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.workbook import Workbook

from bot.changes.sheets.number_formats import as_shown, shows_text
from bot.changes.sheets.presentation import MisdisplayedCell
from bot.changes.text.characters import LOST

#: A character by its code, as in ``_x000D_`` (ECMA-376 part 1, 22.9.2.19).
_CODE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ATTRIBUTE: Final = re.compile(r' (\w+)="(\w*)"')

#: Converts the stored content of a cell to its value.
CellReader = Callable[[str], object]


def decoded(text: str) -> str:
    """Return ``text`` with coded characters, which XML may not hold directly, decoded."""
    if "_x" not in text:
        return text
    plain = _CODE.sub(lambda found: chr(int(found[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", LOST)


class CellReaders(dict[str, CellReader]):
    """The attributes of a cell as written, without its place -> the reader of such cells.

    A sheet has few of these, so the meaning of a style is determined once for each.
    """

    def __init__(self, book: Workbook, texts: Sequence[str]) -> None:
        """``texts`` are shared by the cells of all sheets."""
        super().__init__()
        self._book: Any = book  # the stubs leave out how openpyxl keeps styles
        self._texts = texts

    def __missing__(self, attributes: str) -> CellReader:
        known = dict(_ATTRIBUTE.findall(attributes))
        reader = self[attributes] = self._reader(known.get("t", "n"), int(known.get("s", "0")))
        return reader

    def _reader(self, sort: str, style: int) -> CellReader:
        code = self._format(style)
        if sort == "n":
            return self._number(style, code)
        if sort == "b":
            return lambda stored: bool(int(stored))
        if sort == "d":
            return from_ISO8601
        texts = self._texts
        if code not in {"General", "@"} and not shows_text(code):
            return lambda stored: MisdisplayedCell(texts[int(stored)] if sort == "s" else stored)
        return (lambda at: texts[int(at)]) if sort == "s" else decoded

    def _number(self, style: int, code: str) -> CellReader:
        if style in self._book._date_formats:
            return lambda stored: self._moment(_number(stored), lasts=style in self._book._timedelta_formats)
        if code == "General":
            return _number
        return lambda stored: _shown(_number(stored), code)

    def _moment(self, stored: float, *, lasts: bool) -> object:
        try:
            return from_excel(stored, self._book.epoch, timedelta=lasts)
        except (OverflowError, ValueError):
            return "#VALUE!"  # not a valid date, so shown as an error

    def _format(self, style: int) -> str:
        # The built-in formats come first, then those of the workbook. Built-in formats unknown to openpyxl are dates
        # and times of one language.
        number = self._book._cell_styles[style].numFmtId
        if number < BUILTIN_FORMATS_MAX_SIZE:
            return BUILTIN_FORMATS.get(number, "")
        return str(self._book._number_formats[number - BUILTIN_FORMATS_MAX_SIZE])


def _number(stored: str) -> float:
    if stored.isdecimal():
        return int(stored)
    return float(stored) if any(sign in stored for sign in ".eE") else int(stored)


def _shown(number: float, code: str) -> object:
    text = as_shown(number, code)
    if text is None:
        return MisdisplayedCell(number)
    return number if text == str(number) else text
