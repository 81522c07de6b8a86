"""Sheets: reading numbers with new values from CSV and XLSX files, and making files for people.

Bytes in, values out. :func:`read_sheet` understands how spreadsheets distort numbers, and names every problem by its
row and column; :func:`marked` returns the file with the problems written beside the rows; :func:`empty_sheet` and
:func:`export` make files that :func:`read_sheet` accepts.

An empty cell keeps the current value. :data:`CLEAR` in a cell empties the setting, if the provider allows that.
"""

from __future__ import annotations

from bot.changes.sheets.cells import CLEAR
from bot.changes.sheets.files import LARGEST
from bot.changes.sheets.foreign import ForeignColumns
from bot.changes.sheets.marking import marked
from bot.changes.sheets.reading import MOST_ROWS, read_sheet
from bot.changes.sheets.sheet import Layout, Sheet, SheetProblem, SheetRow
from bot.changes.sheets.writing import empty_sheet, export

__all__ = [
    "CLEAR",
    "LARGEST",
    "MOST_ROWS",
    "ForeignColumns",
    "Layout",
    "Sheet",
    "SheetProblem",
    "SheetRow",
    "empty_sheet",
    "export",
    "marked",
    "read_sheet",
]
