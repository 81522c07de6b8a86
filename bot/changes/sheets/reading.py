"""From a file to rows that can be planned, or to every reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Final

from bot.changes.kinds import Kind
from bot.changes.settings import Unreadable
from bot.changes.sheets.columns import NUMBER, Columns, understand
from bot.changes.sheets.disagreements import Gathering
from bot.changes.sheets.entries import read_identifier
from bot.changes.sheets.refusals import SHEET, refusal
from bot.changes.sheets.rows import RowReader
from bot.changes.sheets.sheet import Layout, Sheet
from bot.changes.sheets.tables import TALLEST, Cells, Table, open_table, trimmed
from bot.changes.sheets.visibility import hidden, merged
from bot.changes.values import Values
from bot.errors import InputError, in_one

#: Most numbers in one sheet.
MOST_ROWS: Final = 100_000
#: After how many rows progress is told.
STRIDE: Final = 1000

_NOTHING: Final[Values] = MappingProxyType({})


def read_sheet(
    name: str,
    content: bytes,
    kind: Kind,
    *,
    is_id: Callable[[str], bool],
    form: Values = _NOTHING,
    max_rows: int = MOST_ROWS,
    progress: Callable[[int], None] | None = None,
) -> Sheet:
    """Return what the file called ``name`` comes to for a change of ``kind``.

    ``is_id`` tells whether a text has the form of the provider's ids. ``form`` has the values that hold for every row
    that says nothing of them; they only take part in the rule between values and are not in the rows.
    ``progress`` is called with the number of rows read, every :data:`STRIDE` rows.

    Raises :class:`bot.errors.InputError`, with all sentences under the field ``sheet``, when the file is no sheet, has
    headings that are not understood or more than ``max_rows`` rows. What is wrong in the rows is in
    :attr:`Sheet.problems`, all of it. A sheet without a single row, or without a column for a setting, is fine here.
    """
    with open_table(name, content) as table:
        layout, columns = _choose(name, table, kind)
        reader = RowReader(kind, columns, is_id=is_id, form=form)
        gathering = Gathering(kind, columns)
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
    if unseen := hidden(presentation, columns, seen):
        raise refusal(name, unseen)
    rows, disagreements, repeats = gathering.settle()
    problems = sorted(
        (*reader.problems, *disagreements, *merged(presentation, columns, layout.headings)),
        key=lambda problem: problem.row,
    )
    return Sheet(
        rows=rows,
        columns=tuple(setting.name for _, setting in columns.settings),
        problems=tuple(problems),
        repeats=repeats,
        ignored=tuple(columns.headings[at] for at in sorted(columns.ours)),
        layout=Layout(delimiter=layout.delimiter, worksheet=layout.worksheet, headings=layout.headings, width=width),
        stage=columns.stage,
    )


def _filled(name: str, table: Table, layout: Layout) -> Iterator[tuple[int, Cells]]:
    """Yield the rows that have anything in them, without blank cells at the end."""
    for number, cells in table.rows(layout):
        if number > TALLEST:
            raise refusal(name, f"has more than {TALLEST:,} rows, blank ones counted. Remove the blank rows.")
        if filled := trimmed(cells):
            yield number, filled


def _choose(name: str, table: Table, kind: Kind) -> tuple[Layout, Columns]:
    """Return where the table is and what its columns are.

    A delimiter shows by the headings that it yields; of a workbook's sheets, one may have a column of numbers.
    """
    found: list[tuple[Layout, Columns, Cells]] = []
    unfit: InputError | None = None
    for layout in table.layouts:
        try:
            number, cells = next(_filled(name, table, layout), (0, ()))
        except InputError as error:
            if not layout.delimiter:
                raise
            unfit = error  # quotation marks make no sense with this delimiter; another one may be right
            continue
        if cells:
            here = Layout(delimiter=layout.delimiter, worksheet=layout.worksheet, headings=number)
            found.append((here, understand(kind, cells), cells))
    if not found and unfit:
        raise unfit
    if not found:
        raise refusal(name, "is empty. Save the sheet again and upload it.")
    filled = [layout.worksheet for layout, columns, _ in found if layout.worksheet and columns.identifies]
    if len(filled) > 1:
        names = ", ".join(f"“{title}”" for title in filled)
        raise refusal(name, f"has numbers in {len(filled)} sheets: {names}. Leave only the one that is meant.")
    layout, columns, cells = max(found, key=lambda one: (one[1].identifies, one[1].known, len(one[2])))
    if not columns.identifies:
        raise _numberless(name, columns, layout, cells)
    if columns.problems:
        raise InputError({SHEET: in_one(columns.problems)})
    return layout, columns


def _numberless(name: str, columns: Columns, layout: Layout, cells: Cells) -> InputError:
    """Return the refusal of a table in which no column is known to hold numbers."""
    try:
        begins_with_number = bool(read_identifier(cells[0], lambda text: text.isdecimal()))
    except Unreadable:
        begins_with_number = False
    if begins_with_number:
        why = (
            f"has a number in row {layout.headings} where the headings should be. "
            f"Put “{NUMBER}” above the numbers and the name of a setting above each column of values."
        )
    else:
        named = ", ".join(f"“{heading}”" for heading in columns.headings[:5] if heading)
        why = f"has no column called “{NUMBER}” or “id”; the headings in row {layout.headings} are {named or 'blank'}."
    return InputError({SHEET: in_one((refusal(name, why).message, *columns.problems))})
