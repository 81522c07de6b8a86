"""An opened file: rows of cells, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeAlias

from bot.changes.sheets.files import SheetFormat, recognise
from bot.changes.sheets.presentation import Presentation
from bot.changes.sheets.sheet import Layout
from bot.changes.sheets.textual import TextTable
from bot.changes.sheets.workbooks import WorkbookTable

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
