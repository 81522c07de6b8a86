"""An opened file: rows of cells, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias

from bot.changes.sheets.archives import damaged, swollen
from bot.changes.sheets.files import SheetFormat, recognise
from bot.changes.sheets.packages import Package
from bot.changes.sheets.presentation import Presentation
from bot.changes.sheets.refusals import refusal
from bot.changes.sheets.sheet import Layout
from bot.changes.sheets.textual import TextTable
from bot.errors import InputError, PartTooLarge

#: What is in one row: text from CSV; from a workbook also numbers, booleans, dates, formula objects and None.
Cells: TypeAlias = Sequence[object]

#: Rows of the largest sheet that Excel can show; a file with more, blank ones counted, is not read on.
TALLEST: Final = 1_048_576


class Table(Protocol):
    """A file whose rows can be read, more than once."""

    #: Where the table may be: every delimiter, or every visible sheet.
    layouts: tuple[Layout, ...]

    def rows(self, layout: Layout) -> Iterator[tuple[int, Cells]]:
        """Yield each row with its number as a spreadsheet shows it, blank ones included.

        Raises :class:`bot.errors.InputError` when the file turns out to be damaged.
        """
        ...

    def presentation(self, layout: Layout) -> Presentation:
        """Return what the table hides and merges, once its last row was read."""
        ...


def open_table(name: str, content: bytes) -> AbstractContextManager[Table]:
    """Return the table in ``content``, to be closed after use.

    Raises :class:`bot.errors.InputError` for a file that is no sheet.
    """
    if recognise(name, content) is SheetFormat.XLSX:
        return WorkbookTable(name, content)
    return TextTable(name, content)


def is_blank(cell: object) -> bool:
    """Tell whether nothing is in ``cell``."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def trimmed(cells: Cells) -> Cells:
    """Return ``cells`` without the blank ones at the end; nothing when all are blank."""
    end = len(cells)
    while end and is_blank(cells[end - 1]):
        end -= 1
    return cells if end == len(cells) else cells[:end]


#: Most cells that are looked at, blank ones to the left of a filled one counted.
_CELLS: Final = 8_000_000


class WorkbookTable:
    """A workbook; hidden sheets are not looked at."""

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

    def rows(self, layout: Layout) -> Iterator[tuple[int, tuple[object, ...]]]:
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
            yield from ((missing, ()) for missing in range(last + 1, row[0]))
            yield row
            last = row[0]

    def presentation(self, layout: Layout) -> Presentation:
        """Return what the sheet hides and merges; see :class:`bot.changes.sheets.tables.Table`."""
        return self._pages[layout.worksheet].presentation

    def _refusal(self, error: Exception) -> InputError:
        """Return what a failure to read means; openpyxl raises whatever its parsers stumble on in a bad file."""
        return swollen(self._name) if isinstance(error, PartTooLarge) else damaged(self._name)
