"""XLSX files, through openpyxl in read-only mode."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from bot.changes.sheets.archives import damaged, swollen
from bot.changes.sheets.packages import Package
from bot.changes.sheets.presentation import Presentation
from bot.changes.sheets.refusals import refusal
from bot.changes.sheets.sheet import Layout
from bot.errors import InputError, PartTooLarge

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
