"""One sheet of a workbook, row by row, with its hidden and merged cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Final
from xml.etree.ElementTree import Element

from openpyxl.utils.cell import get_column_letter
from openpyxl.worksheet.cell_range import CellRange

from bot.changes.sheets.cell_values import CellReaders
from bot.changes.sheets.parsed_rows import WIDEST, ColumnPositions, RowParser, put
from bot.changes.sheets.presentation import Merged, Presentation
from bot.changes.sheets.texts import PLAIN
from bot.changes.sheets.xml_lists import XmlList, local_name

#: A row, and a cell, in the notation of nearly all programs.
_ROW: Final = re.compile(r'\s*<row r="(\d{1,7})"((?: [\w:]+="[^<>&"\x00-\x1f]*")*)>(.*)</row>', re.DOTALL)
_CELL: Final = re.compile(
    r'<c r="([A-Z]{1,3})\d{1,7}"((?: [a-z]+="\w*")*)(?: ?/>|>'
    rf'(?:<v>({PLAIN})</v>|<is><t(?: xml:space="preserve")?>({PLAIN})</t></is>|<v ?/>)?</c>)'
)
_ATTRIBUTE: Final = re.compile(r' ([\w:]+)="([^"]*)"')
_YES: Final = frozenset({"1", "true"})
#: Points of height, and characters of width, below which a row or a column is unreadable.
_LEAST: Final = {"ht": 4, "width": 1}


class WorksheetReader:
    """A sheet, without relying on the size that it declares, which some programs get wrong."""

    def __init__(self, title: str, opened: Callable[[], IO[bytes]], readers: CellReaders) -> None:
        self.title = title
        #: Complete once the last row was read.
        self.presentation = Presentation()
        self._opened = opened
        self._readers = readers
        self._columns = ColumnPositions()
        #: The first columns, as in a row without gaps.
        self._first = [get_column_letter(at) for at in range(1, 27)]

    def read(self) -> Iterator[tuple[int, list[object]]]:
        """Yield each row in the file with its number; number cells as they are shown."""
        hidden: list[int] = []
        with self._opened() as part:
            rows = XmlList(part, "sheetData", "row")
            for number, unseen, values in self._rows(rows):
                if unseen:
                    hidden.append(number)
                yield number, values
        self.presentation = Presentation(
            hidden_rows=frozenset(hidden),
            hidden_columns=frozenset(_columns(rows.head)),
            merged=tuple(_merged(rows.tail)),
        )

    def _rows(self, rows: XmlList) -> Iterator[tuple[int, bool, list[object]]]:
        """Yield (number, whether it is hidden, values) of each row."""
        hidden = _Hidden(rows.head)
        parser = RowParser(self._readers, self._columns)
        number = 0
        for text in rows.items():
            row = None if rows.prefix else _ROW.fullmatch(text)
            if row and (values := self._values(row[3])) is not None:
                number = int(row[1])
                yield number, hidden[row[2]], values
                continue
            for element in rows.parsed(text):
                number = int(float(element.get("r", number + 1)))
                yield number, hidden.tells(element.attrib), parser.values(element)

    def _values(self, cells: str) -> list[object] | None:
        """Return the values of ``cells``; None if one of them is in another notation."""
        cut = _CELL.split(cells)
        if "".join(cut[::5]).strip():
            return None
        readers = self._readers
        values = [
            readers[attributes](stored) if (stored := value or inline) else None
            for attributes, value, inline in zip(cut[2::5], cut[3::5], cut[4::5], strict=True)
        ]
        letters = cut[1::5]
        return values if letters == self._first[: len(letters)] else self._apart(letters, values)

    def _apart(self, letters: list[str], values: list[object]) -> list[object]:
        """Return ``values`` in the columns called ``letters``."""
        row: list[object] = []
        for each, value in zip(letters, values, strict=True):
            put(row, self._columns[each], value)
        return row


class _Hidden(dict[str, bool]):
    """Whether a row is hidden, by its attributes as written."""

    def __init__(self, head: Element) -> None:
        super().__init__()
        told = next((each.get("defaultRowHeight") for each in head if local_name(each) == "sheetFormatPr"), None)
        self._usual = {"ht": told} if told else {}

    def __missing__(self, written: str) -> bool:
        hidden = self[written] = self.tells(dict(_ATTRIBUTE.findall(written)))
        return hidden

    def tells(self, attributes: Mapping[str, str]) -> bool:
        """Tell whether a row with ``attributes`` is hidden."""
        return _is_hidden({**self._usual, **attributes}, "ht")


def _is_hidden(attributes: Mapping[str, str], size: str) -> bool:
    """Tell whether a row or column is hidden: by a filter, by hand, by folding, or by having no size."""
    if attributes.get("hidden", "").lower() in _YES:
        return True
    try:
        return float(attributes.get(size, "nan")) < _LEAST[size]
    except ValueError:
        return False


def _columns(head: Element) -> Iterator[int]:
    """Yield the positions of hidden columns, from 0."""
    for column in (each for part in head if local_name(part) == "cols" for each in part):
        if _is_hidden(column.attrib, "width"):
            first, last = int(column.attrib["min"]), int(column.get("max", column.attrib["min"]))
            yield from range(first - 1, min(last, WIDEST))


def _merged(tail: Element) -> Iterator[Merged]:
    for area in (CellRange(each.attrib["ref"]) for part in tail if local_name(part) == "mergeCells" for each in part):
        yield Merged(
            name=area.coord, first=area.min_row, last=area.max_row, left=area.min_col - 1, right=area.max_col - 1
        )
