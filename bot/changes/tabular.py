"""Tables as files, written portion by portion: CSV and XLSX, every cell a text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, Protocol

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell

#: The number format that keeps what is typed into a cell a text.
_TEXT: Final = "@"


class Form(Enum):
    """What sort of file; the value is the end of its name."""

    CSV = "csv"
    XLSX = "xlsx"


class TableFile(Protocol):
    """A file that is being written. Cells are texts that are guarded already."""

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows."""
        ...

    def content(self) -> bytes:
        """End the file and return it; nothing can be added afterwards."""
        ...


def table_file(form: Form, title: str) -> TableFile:
    """Return an empty file; ``title`` names the one sheet of a workbook."""
    return CsvFile() if form is Form.CSV else XlsxFile(title)


class CsvFile:
    """CSV in UTF-8 with a byte-order mark, which is how Excel knows the encoding."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._text = io.TextIOWrapper(self._bytes, encoding="utf-8-sig", errors="replace", newline="")
        self._writer = csv.writer(self._text)

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows."""
        self._writer.writerows(rows)

    def content(self) -> bytes:
        """End the file and return it."""
        self._text.flush()
        return self._bytes.getvalue()


class XlsxFile:
    """A workbook of one sheet. Rows pass through a temporary file, which is how openpyxl writes without keeping them.

    Cells are typed and formatted as text, so that a spreadsheet neither computes nor converts what is in them, also
    not after somebody has touched it.
    """

    def __init__(self, title: str) -> None:
        self._book = Workbook(write_only=True)
        self._page = self._book.create_sheet(title)
        self._cells: list[Cell] = []

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows. A cell is written at once, so the same few are filled for every row."""
        for row in rows:
            while len(self._cells) < len(row):
                cell = WriteOnlyCell(self._page)
                cell.number_format = _TEXT
                self._cells.append(cell)
            for cell, text in zip(self._cells, row, strict=False):
                cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
                # openpyxl takes what begins with "=" for a formula; a guarded text never does, and this makes sure.
                cell.data_type = "s"
            self._page.append(self._cells[: len(row)])

    def content(self) -> bytes:
        """End the workbook and return it."""
        file = io.BytesIO()
        self._book.save(file)
        return file.getvalue()
