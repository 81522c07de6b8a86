"""The content of a file: its rows, its problems, and their places in the file."""

from __future__ import annotations

from dataclasses import dataclass

from bot.changes.model.values import Values
from bot.changes.sheets.stages import Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetRow:
    """One number and its new values."""

    #: Row of the spreadsheet, from 1, headings and blank rows counted.
    row: int
    #: E.164 number or provider id.
    identifier: str
    #: Setting name -> new value. An absent setting keeps its current value.
    values: Values
    #: The E.164 number beside the id that identifies the row; empty without one.
    beside: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetProblem:
    """One problem that must be corrected before anything is planned."""

    #: Row of the spreadsheet, from 1.
    row: int
    #: The heading as it is in the sheet; the column's letters if it has none.
    column: str
    #: One sentence: what is wrong, and what to do unless that is obvious.
    text: str
    #: Whether the cell has a list in another program's notation, which a leading apostrophe would mark as literal.
    foreign: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The place of the table in the file."""

    #: The separator of cells in a CSV file; empty for a workbook.
    delimiter: str = ""
    #: Title of the workbook's sheet that holds the table; empty for a CSV file.
    worksheet: str = ""
    #: Row of the headings, from 1.
    headings: int = 1
    #: Columns up to the last one with content in any row.
    width: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A file that was read. Nothing may be planned from it while it has problems."""

    #: One row for each number, in the sheet's order; rows with problems are not included.
    rows: tuple[SheetRow, ...]
    #: Names of the settings that have a column, in the sheet's order.
    columns: tuple[str, ...]
    #: The problems of all rows, in the order of rows.
    problems: tuple[SheetProblem, ...]
    #: How many further problems there are, which are not kept.
    more_problems: int = 0
    #: Rows that repeat what an earlier row says about the same number; they are left out.
    repeats: int
    #: Headings of columns that Linesman writes into its own sheets and does not read.
    ignored: tuple[str, ...]
    layout: Layout
    #: Which columns of a sheet made by Linesman were read. None for other sheets.
    stage: Stage | None = None
    #: Headings of unknown columns that the requester left out.
    left_out: tuple[str, ...] = ()
    #: How many rows have a foreign id in the id column, beside a number that counts.
    strange_ids: int = 0
