"""What a file comes to: its rows, its problems, and where in the file they stand."""

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
    #: Setting name -> new value. What is not in it keeps the current value.
    values: Values
    #: The E.164 number beside the id that identifies the row; empty when there is none.
    beside: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetProblem:
    """One thing that has to be put right before anything is planned."""

    #: Row of the spreadsheet, from 1.
    row: int
    #: The heading as it stands in the sheet; the column's letters when it has none.
    column: str
    #: One sentence: what is wrong, and what to do where that does not follow from it.
    text: str
    #: Whether the cell has a list in another program's form, which an apostrophe in front would say is meant.
    foreign: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where in the file the table is."""

    #: What stands between two cells of a CSV file; empty for a workbook.
    delimiter: str = ""
    #: Title of the workbook's sheet that holds the table; empty for a CSV file.
    worksheet: str = ""
    #: Row of the headings, from 1.
    headings: int = 1
    #: Columns up to the last one with anything in it, in any row.
    width: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A file that was read. Nothing may be planned from it while it has problems."""

    #: One row for each number, in the sheet's order; a row with a problem is not among them.
    rows: tuple[SheetRow, ...]
    #: Names of the settings that have a column, in the sheet's order.
    columns: tuple[str, ...]
    #: The problems of all rows, in the order of rows.
    problems: tuple[SheetProblem, ...]
    #: How many more problems there are, of which nothing else is known.
    more_problems: int = 0
    #: Rows that say again what an earlier row says of the same number; they are left out.
    repeats: int
    #: Headings of columns that Linesman writes into its own sheets and does not read.
    ignored: tuple[str, ...]
    layout: Layout
    #: Of a sheet that Linesman made of a change: which of its columns were read. None of any other.
    stage: Stage | None = None
    #: Headings of columns that are not known and that the requester left out.
    left_out: tuple[str, ...] = ()
    #: How many rows have something in the id column that is no id of the provider's, beside a number that counts.
    strange_ids: int = 0
