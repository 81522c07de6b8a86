"""Tables as files, written in portions: CSV and XLSX, where every cell is a text or a moment."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell

#: The number format that keeps text typed into a cell a text.
_TEXT: Final = "@"
#: The number format of a moment, to the second; spreadsheets have no time zones, so all moments are in UTC.
_MOMENT: Final = "yyyy-mm-dd hh:mm:ss"
#: A text that looks like a character code, such as ``_x0041_``, which programs show as the character: its underscore
#: must be written as a code itself (ECMA-376 part 1, 22.9.2.19).
_LIKE_A_CODE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

#: A cell is a text that is already guarded, a moment, or nothing.
TableCell: TypeAlias = "str | datetime | None"


class FileFormat(Enum):
    """The format of a file; the value is the end of its name."""

    CSV = "csv"
    XLSX = "xlsx"


class TableFile(Protocol):
    """A file that is being written."""

    def add(self, rows: Iterable[Sequence[TableCell]]) -> None:
        """Write rows."""
        ...

    def content(self) -> bytes:
        """End the file and return it; nothing can be added afterwards."""
        ...


def table_file(form: FileFormat, title: str) -> TableFile:
    """Return an empty file; ``title`` names the one sheet of a workbook."""
    return CsvFile() if form is FileFormat.CSV else XlsxFile(title)


class CsvFile:
    """CSV in UTF-8 with a byte-order mark, which is how Excel knows the encoding."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._text = io.TextIOWrapper(self._bytes, encoding="utf-8-sig", errors="replace", newline="")
        self._writer = csv.writer(self._text)

    def add(self, rows: Iterable[Sequence[TableCell]]) -> None:
        """Write rows. Excel, Sheets and pandas recognise a moment when it has a blank and no zone in it."""
        for row in rows:
            self._writer.writerow([_written(cell) if isinstance(cell, datetime) else cell for cell in row])

    def content(self) -> bytes:
        """End the file and return it."""
        self._text.flush()
        return self._bytes.getvalue()


class XlsxFile:
    """A workbook of one sheet. openpyxl writes rows through a temporary file, so they are not kept in memory.

    Texts are typed and formatted as text, so that a spreadsheet neither computes nor converts them, even after somebody
    edits a cell; moments are dates that it can sort and subtract.
    """

    def __init__(self, title: str) -> None:
        self._book = Workbook(write_only=True)
        self._page = self._book.create_sheet(title)
        # A cell is written at once, so the same few are reused for every row: one of each type for every column.
        self._texts: list[Cell] = []
        self._moments: list[Cell] = []

    def add(self, rows: Iterable[Sequence[TableCell]]) -> None:
        """Write rows."""
        for row in rows:
            while len(self._texts) < len(row):
                self._texts.append(self._cell(_TEXT))
                self._moments.append(self._cell(_MOMENT))
            self._page.append([self._filled(at, content) for at, content in enumerate(row)])

    def content(self) -> bytes:
        """End the workbook and return it."""
        file = io.BytesIO()
        self._book.save(file)
        return file.getvalue()

    def _cell(self, number_format: str) -> Cell:
        cell = WriteOnlyCell(self._page)
        cell.number_format = number_format
        return cell

    def _filled(self, at: int, content: TableCell) -> Cell:
        if isinstance(content, datetime):
            self._moments[at].value = _utc(content)
            return self._moments[at]
        cell = self._texts[at]
        cell.value = _LIKE_A_CODE.sub("_x005F_", ILLEGAL_CHARACTERS_RE.sub("", content or ""))
        # openpyxl treats a text that begins with "=" as a formula; a guarded text never does, and this makes sure.
        cell.data_type = "s"
        return cell


@lru_cache(maxsize=64)
def _written(moment: datetime) -> str:
    """Return ``moment`` as a text; the numbers of a job share it."""
    return f"{_utc(moment):%Y-%m-%d %H:%M:%S}"


def _utc(moment: datetime) -> datetime:
    """Return ``moment`` in UTC, to the second and without its zone, which no spreadsheet knows."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
