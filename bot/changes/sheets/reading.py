"""From a file to rows that can be planned, or to every reason why not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.values import Values
from bot.changes.sheets.columns import NUMBER, Columns, understand
from bot.changes.sheets.disagreements import Disagreements
from bot.changes.sheets.entries import read_identifier
from bot.changes.sheets.foreign import foreign_columns, meant
from bot.changes.sheets.refusals import SHEET, named, refusal
from bot.changes.sheets.rows import RowReader
from bot.changes.sheets.sheet import Layout, Sheet
from bot.changes.sheets.tables import TALLEST, Cells, Table, open_table, trimmed
from bot.changes.sheets.visibility import hidden, merged
from bot.errors import InputError, InvalidValue, in_one

#: Most numbers in one sheet.
MOST_ROWS: Final = 100_000
#: Progress is reported after this many rows.
STRIDE: Final = 1000
#: How many rows below the first one may turn out to be the headings.
LOOKED_AT: Final = 100

_NOTHING: Final[Values] = MappingProxyType({})


def read_sheet(
    name: str,
    content: bytes,
    kind: Kind,
    *,
    is_id: Callable[[str], bool],
    form: Values = _NOTHING,
    left_out: Collection[str] = (),
    max_rows: int = MOST_ROWS,
    progress: Callable[[int], None] | None = None,
) -> Sheet:
    """Return the content of the file called ``name`` for a change of ``kind``.

    ``is_id`` tells whether a text has the form of the provider's ids. ``form`` has the values for every row that does
    not set them; they only take part in the rule between values and are not in the rows. ``left_out`` has headings of
    columns that are not read if unknown. ``progress`` is called with the number of rows read, every :data:`STRIDE`
    rows.

    Raises :class:`bot.errors.InputError`, with all sentences under the field ``sheet``, when the file is not a sheet,
    has headings that are not understood or more than ``max_rows`` rows; :class:`ForeignColumns` when it could be read
    without some of its columns. Problems in the rows are in :attr:`Sheet.problems`. A sheet without a row, or without a
    column for a setting, is accepted here.
    """
    with open_table(name, content) as table:
        layout, columns = _choose(name, table, kind, left_out)
        reader = RowReader(kind, columns, is_id=is_id, form=form, delimited=bool(layout.delimiter))
        gathering = Disagreements(kind, columns)
        seen: list[int] = []
        width = len(columns.headings)
        for number, cells in _filled(name, table, layout):
            if number <= layout.headings:
                continue
            seen.append(number)
            if len(seen) > max_rows:
                raise refusal(name, f"has more than {max_rows:,} rows; one sheet may have at most that many. Split it.")
            width = max(width, len(cells))
            gathering.add(reader.read(number, cells))
            if progress and len(seen) % STRIDE == 0:
                progress(len(seen))
        presentation = table.presentation(layout)
    if unseen := hidden(presentation, columns, layout.headings, seen):
        raise refusal(name, unseen)
    rows, disagreements, repeats = gathering.agreed()
    problems = sorted(
        (*reader.problems, *disagreements, *merged(presentation, columns, layout.headings, reader.stray)),
        key=lambda problem: problem.row,
    )
    return Sheet(
        rows=rows,
        columns=tuple(setting.name for _, setting in columns.settings),
        problems=tuple(problems),
        more_problems=reader.more_problems,
        repeats=repeats,
        ignored=tuple(columns.headings[at] for at in sorted(columns.ours)),
        layout=Layout(delimiter=layout.delimiter, worksheet=layout.worksheet, headings=layout.headings, width=width),
        stage=columns.stage,
        left_out=tuple(columns.headings[at] for at in sorted(columns.left_out)),
        strange_ids=reader.strange_ids,
    )


def _filled(name: str, table: Table, layout: Layout) -> Iterator[tuple[int, Cells]]:
    """Yield the rows that are not blank, without blank cells at the end."""
    for number, cells in table.rows(layout):
        if number > TALLEST:
            raise refusal(name, f"has more than {TALLEST:,} rows, blank ones counted. Remove the blank rows.")
        if filled := trimmed(cells):
            yield number, filled


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """A possible place of the table: its first row that is not blank, and a later one more like headings."""

    layout: Layout
    columns: Columns
    cells: Cells
    #: Row of the likelier headings; 0 without one.
    below: int
    #: Whether its first rows have numbers, in whatever columns; only looked for in a workbook.
    numbers: bool


def _choose(name: str, table: Table, kind: Kind, left_out: Collection[str]) -> tuple[Layout, Columns]:
    """Return the place of the table and the meaning of its columns.

    The right delimiter is found by the resulting headings; of a workbook's sheets, one may have numbers.
    """
    found = _places(name, table, kind, left_out)
    filled = [each.layout.worksheet for each in found if each.numbers]
    if len(filled) > 1:
        names = ", ".join(f"“{title}”" for title in filled)
        raise refusal(name, f"has numbers in {len(filled)} sheets: {names}. Keep only the one that you mean.")
    best = max(found, key=lambda each: (each.columns.identifies, each.columns.known, each.below, len(each.cells)))
    if titled := best if best.below else next((e for e in found if e.below and not best.columns.identifies), None):
        raise _titled(name, titled)
    if not best.columns.identifies:
        raise _numberless(name, kind, best)
    if best.columns.foreign:
        raise foreign_columns(kind, best.columns)
    if best.columns.problems:
        raise InputError({SHEET: in_one(best.columns.problems)})
    return best.layout, best.columns


def _places(name: str, table: Table, kind: Kind, left_out: Collection[str]) -> list[_Place]:
    """Return every possible place of the table, at least one; raises when there is none."""
    found: list[_Place] = []
    unfit: InputError | None = None
    for layout in table.layouts:
        try:
            place = _place(name, table, kind, layout, left_out)
        except InputError as error:
            if not layout.delimiter:
                raise
            unfit = error  # quotation marks make no sense with this delimiter; another one may be right
            continue
        if place:
            found.append(place)
    if not found:
        raise unfit or refusal(name, "is empty. Save the sheet again and upload it.")
    return found


def _place(name: str, table: Table, kind: Kind, layout: Layout, left_out: Collection[str]) -> _Place | None:
    """Return what the first rows say about the place of the table; None when they are blank."""
    rows = _filled(name, table, layout)
    number, cells = next(rows, (0, ()))
    if not cells:
        return None
    columns = understand(kind, cells, left_out)
    here = Layout(delimiter=layout.delimiter, worksheet=layout.worksheet, headings=number)
    below = _headings_below(kind, columns, rows)
    numbers = bool(layout.worksheet) and (
        columns.identifies or bool(below) or _holds_numbers(_filled(name, table, layout))
    )
    return _Place(layout=here, columns=columns, cells=cells, below=below, numbers=numbers)


def _headings_below(kind: Kind, columns: Columns, rows: Iterator[tuple[int, Cells]]) -> int:
    """Return the first of the next ``rows`` that names a number column and more columns than ``columns``; else 0."""
    try:
        for number, cells in islice(rows, LOOKED_AT):
            below = understand(kind, cells)
            if below.identifies and below.known > (columns.known if columns.identifies else 0):
                return number
    except InputError:
        return 0  # reading the rows reports it
    return 0


def _holds_numbers(rows: Iterator[tuple[int, Cells]]) -> bool:
    """Tell whether the first of ``rows`` have a phone number in any cell, or begin with an id."""
    beginning = True
    for _, cells in islice(rows, LOOKED_AT):
        if (beginning and _is_number(cells[0], str.isdecimal)) or any(_is_number(cell) for cell in cells):
            return True
        beginning = False
    return False


def _is_number(cell: object, is_id: Callable[[str], bool] = lambda _: False) -> bool:
    try:
        return bool(read_identifier(cell, is_id))
    except InvalidValue:
        return False


def _titled(name: str, place: _Place) -> InputError:
    above = next((heading for heading in place.columns.headings if heading), "")
    return refusal(
        name,
        f"has its headings in row {place.below}, and row {place.layout.headings} is “{above}”. Remove every row above "
        "the headings and upload it again.",
    )


def _numberless(name: str, kind: Kind, place: _Place) -> InputError:
    """Return the error for a table without a known number column."""
    columns, row = place.columns, place.layout.headings
    if _is_number(place.cells[0], str.isdecimal):
        why = (
            f"has a number in row {row} where the headings should be. "
            f"Put “{NUMBER}” above the numbers and the name of a setting above each column of values."
        )
        return refusal(name, why)
    headings = named([f"“{heading}”" for heading in columns.headings if heading])
    why = f"has no column called “{NUMBER}” or “id”; the headings in row {row} are {headings or 'blank'}."
    return InputError({SHEET: in_one((refusal(name, why).message, *meant(kind, columns), *columns.problems))})
