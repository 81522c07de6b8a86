"""Parsing rows of a sheet that are in an unusual notation or contain formulas."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from openpyxl.formula.translate import Translator
from openpyxl.utils.cell import column_index_from_string

from bot.changes.sheets.cell_values import CellReaders
from bot.changes.sheets.texts import text_of
from bot.changes.sheets.xml_lists import child

#: Most columns of a workbook.
WIDEST: Final = 16_384


class ColumnPositions(dict[str, int]):
    """The position of a column, from 0, by its letters."""

    def __missing__(self, letters: str) -> int:
        position = self[letters] = column_index_from_string(letters) - 1
        return position


def put(row: list[object], at: int, value: object) -> None:
    """Put ``value`` at ``at`` in ``row``, filling the gap with None."""
    if at < WIDEST:
        row.extend([None] * (at + 1 - len(row)))
        row[at] = value


class RowParser:
    """Reads the given rows of one sheet in order: a formula may be shared with an earlier row."""

    def __init__(self, readers: CellReaders, columns: ColumnPositions) -> None:
        self._readers = readers
        self._columns = columns
        self._formulas: dict[str, Translator] = {}

    def values(self, row: Element) -> list[object]:
        """Return the values of the cells of ``row``; a formula is a text that begins with its sign."""
        values: list[object] = []
        at = -1
        for cell in row:
            place = cell.get("r", "")
            at = self._columns[place.rstrip("0123456789")] if place else at + 1
            put(values, at, self._value(cell, place))
        return values

    def _value(self, cell: Element, place: str) -> object:
        if (formula := child(cell, "f")) is not None:
            return self._formula(formula, place)
        sort = cell.get("t", "n")
        if sort == "inlineStr":
            inline = child(cell, "is")
            stored = None if inline is None else text_of(inline)
        else:
            value = child(cell, "v")
            stored = None if value is None else value.text
        return self._readers[f' s="{int(cell.get("s") or 0)}" t="{sort}"'](stored) if stored else None

    def _formula(self, formula: Element, place: str) -> str:
        """Return a formula; several cells may share one, which stands only in the first of them."""
        text = f"={formula.text or ''}"
        shared = formula.get("si", "") if formula.get("t") == "shared" else ""
        if shared in self._formulas:
            return str(self._formulas[shared].translate_formula(place))
        if shared and text != "=":
            self._formulas[shared] = Translator(text, place)
        return text
