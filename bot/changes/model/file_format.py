"""Tables as files, written portion by portion: CSV and XLSX, every cell a text or a moment."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final, Protocol, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter

#: The number formats of cells: that which keeps what is typed into a cell a text, and that of a moment, to the second.
#: A spreadsheet knows no time zones, so all moments are in UTC, and counts the days from here on.
_FORMATS: Final = {"A1": "@", "B1": "yyyy-mm-dd hh:mm:ss"}
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - as above
#: The part of a workbook that holds its first sheet.
_SHEET: Final = "xl/worksheets/sheet1.xml"

#: What a cell may be: a text that is guarded already, a moment, or nothing.
TableCell: TypeAlias = "str | datetime | None"


class FileFormat(Enum):
    """What sort of file; the value is the end of its name."""

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
        """Write rows. Excel, Sheets and pandas take a moment for one when it has a blank and no zone in it."""
        for row in rows:
            self._writer.writerow([_written(cell) if isinstance(cell, datetime) else cell for cell in row])

    def content(self) -> bytes:
        """End the file and return it."""
        self._text.flush()
        return self._bytes.getvalue()


class XlsxFile:
    """A workbook of one sheet, whose rows go into the archive as they come.

    openpyxl makes everything but the rows, for which it takes ten times as long. Texts are typed and formatted as
    text, so that a spreadsheet neither computes nor converts what is in them, also not after somebody has touched it;
    moments are dates that it can sort and subtract.
    """

    def __init__(self, title: str) -> None:
        self._file = io.BytesIO()
        self._archive = ZipFile(self._file, "w", ZIP_DEFLATED)
        before, self._behind = self._begin(title)
        self._sheet = self._archive.open(_SHEET, "w", force_zip64=True)
        self._sheet.write(before)
        self._row = 0

    def add(self, rows: Iterable[Sequence[TableCell]]) -> None:
        """Write rows."""
        lines = []
        for cells in rows:
            self._row += 1
            written = (_cell(f"{get_column_letter(at)}{self._row}", cell) for at, cell in enumerate(cells, start=1))
            lines.append(f'<row r="{self._row}">{"".join(written)}</row>')
        self._sheet.write("".join(lines).encode("utf-8", "replace"))

    def content(self) -> bytes:
        """End the workbook and return it."""
        self._sheet.write(self._behind)
        self._sheet.close()
        self._archive.close()
        return self._file.getvalue()

    def _begin(self, title: str) -> tuple[bytes, bytes]:
        """Write what is in every workbook, and return what stands before the rows of this one and behind them."""
        book = Workbook()
        page = book.worksheets[0]
        page.title = title
        for name, form in _FORMATS.items():
            page[name].number_format = form
        whole = io.BytesIO()
        book.save(whole)
        with ZipFile(whole) as archive:
            for part in archive.namelist():
                if part != _SHEET:
                    self._archive.writestr(part, archive.read(part))
            before, _, behind = archive.read(_SHEET).partition(b"<sheetData>")
        # It declares the size of the sheet that it knows.
        before = re.sub(rb"<dimension[^>]*/>", b"", before)
        return before + b"<sheetData>", b"</sheetData>" + behind.partition(b"</sheetData>")[2]


def _cell(place: str, content: TableCell) -> str:
    """Return a cell; the styles are those of :data:`_FORMATS` in their order, behind the usual one."""
    if isinstance(content, datetime):
        return f'<c r="{place}" s="2"><v>{(_utc(content) - _EPOCH) / timedelta(days=1)}</v></c>'
    text = _escaped(ILLEGAL_CHARACTERS_RE.sub("", content or ""))
    if not text:
        return f'<c r="{place}" s="1"/>'
    return f'<c r="{place}" s="1" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


@lru_cache(maxsize=64)
def _written(moment: datetime) -> str:
    """Return ``moment`` as a text; the numbers of a job have theirs in common."""
    return f"{_utc(moment):%Y-%m-%d %H:%M:%S}"


def _utc(moment: datetime) -> datetime:
    """Return ``moment`` in UTC, to the second and without its zone, of which no spreadsheet knows."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
