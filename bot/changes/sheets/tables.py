"""An opened file as rows of cells, and the encodings, delimiters and quotation marks of CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from io import BytesIO, TextIOWrapper
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias

from bot.changes.sheets.archives import damaged, swollen
from bot.changes.sheets.files import SheetFormat, recognise
from bot.changes.sheets.packages import Package
from bot.changes.sheets.presentation import Presentation
from bot.changes.sheets.refusals import refusal
from bot.changes.sheets.sheet import Layout
from bot.changes.text import characters
from bot.errors import InputError, PartTooLarge

#: The cells of one row: text from CSV; from a workbook also numbers, booleans, dates, formula objects and None.
Cells: TypeAlias = Sequence[object]

#: Most rows that Excel can show; a file with more, including blank ones, is not read further.
TALLEST: Final = 1_048_576


class Table(Protocol):
    """A file whose rows can be read more than once."""

    #: Possible places of the table: every delimiter, or every visible sheet.
    layouts: tuple[Layout, ...]

    def rows(self, layout: Layout) -> Iterator[tuple[int, Cells]]:
        """Yield each row with its number as a spreadsheet shows it, blank ones included.

        Raises :class:`bot.errors.InputError` when the file turns out to be damaged.
        """
        ...

    def presentation(self, layout: Layout) -> Presentation:
        """Return the hidden and merged cells of the table, once its last row was read."""
        ...


def open_table(name: str, content: bytes) -> AbstractContextManager[Table]:
    """Return the table in ``content``, to be closed after use.

    Raises :class:`bot.errors.InputError` for a file that is not a sheet.
    """
    if recognise(name, content) is SheetFormat.XLSX:
        return WorkbookTable(name, content)
    return TextTable(name, content)


def is_blank(cell: object) -> bool:
    """Tell whether ``cell`` has no visible content."""
    return cell is None or (isinstance(cell, str) and characters.is_blank(cell))


def trimmed(cells: Cells) -> Cells:
    """Return ``cells`` without blank ones at the end; empty when all are blank."""
    end = len(cells)
    while end and is_blank(cells[end - 1]):
        end -= 1
    return cells if end == len(cells) else cells[:end]


#: Most cells read, including blank ones to the left of a filled one.
_CELLS: Final = 8_000_000


class WorkbookTable:
    """A workbook; hidden sheets are ignored."""

    def __init__(self, name: str, content: bytes) -> None:
        self._name = name
        try:
            self._package = Package(content)
        except Exception as error:
            raise self._refusal(error) from error
        try:
            self._pages = {page.title: page for page in self._package.pages()}
        except Exception as error:
            self._package.close()
            raise self._refusal(error) from error
        self.layouts = tuple(Layout(worksheet=title) for title in self._pages)
        if not self.layouts:
            self._package.close()
            raise refusal(name, "has no visible sheet. Put the table into a visible sheet.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._package.close()

    def rows(self, layout: Layout) -> Iterator[tuple[int, Cells]]:
        """Yield each row with its number; see :class:`bot.changes.sheets.tables.Table`."""
        read = last = 0
        rows = self._pages[layout.worksheet].read()
        while True:
            try:
                row = next(rows, None)
            except Exception as error:
                raise self._refusal(error) from error
            if row is None:
                return
            self._package.meter.set_back()
            read += len(row[1])
            if read > _CELLS:
                raise swollen(self._name)
            while (last := last + 1) < row[0]:
                yield last, ()
            yield row
            last = row[0]

    def presentation(self, layout: Layout) -> Presentation:
        """Return the hidden and merged cells; see :class:`bot.changes.sheets.tables.Table`."""
        return self._pages[layout.worksheet].presentation

    def _refusal(self, error: Exception) -> InputError:
        """Return the meaning of a failed read; openpyxl passes on any error of its parsers in a bad file."""
        return swollen(self._name) if isinstance(error, PartTooLarge) else damaged(self._name)


#: Possible separators of cells; if several explain a file equally well, the first one counts.
_DELIMITERS: Final = (",", ";", "\t", "|")
#: Excel's first line that names the delimiter; a spreadsheet does not show it as a row.
_SEP: Final = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*(?:\r\n|\r|\n|$)', re.IGNORECASE)


class TextTable:
    """A CSV file that is known to be text."""

    def __init__(self, name: str, content: bytes) -> None:
        self._name = name
        self._content = content
        self._encoding = _encoding(name, content)
        with self._open() as text:
            named = _SEP.match(text.readline(64))
        self._named = named is not None
        delimiters = (named[1],) if named else _DELIMITERS
        self.layouts = tuple(Layout(delimiter=delimiter) for delimiter in delimiters)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def rows(self, layout: Layout) -> Iterator[tuple[int, list[str]]]:
        """Yield each row with its number; see :class:`bot.changes.sheets.tables.Table`."""
        number = 0
        with self._open() as text:
            if self._named:
                text.readline()
            try:
                # Strict: a quotation mark that is never closed would silently swallow the rest of the file.
                for number, cells in enumerate(csv.reader(text, delimiter=layout.delimiter, strict=True), start=1):
                    yield number, cells
            except csv.Error as error:
                raise refusal(
                    self._name,
                    f"cannot be read after row {number}: a quotation mark is missing or in the wrong "
                    "place. Fix it and upload the sheet again.",
                ) from error

    def presentation(self, _layout: Layout) -> Presentation:
        """Return that text hides nothing; see :class:`bot.changes.sheets.tables.Table`."""
        return Presentation()

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(BytesIO(self._content), encoding=self._encoding, newline="")


def _encoding(name: str, content: bytes) -> str:
    """Return UTF-8, or UTF-16 if a mark says so.

    Any other encoding would be a guess, and a wrong one would send letters to the provider that nobody typed.
    """
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise refusal(
            name,
            f"is not in UTF-8: the letters in row {row} cannot be read for certain. Save it as “CSV UTF-8” and upload "
            "that.",
        ) from error
    return encoding
