"""Whether people see all rows, columns and merged cells of a sheet that Linesman would read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from bot.changes.sheets.columns import Columns, letters
from bot.changes.sheets.presentation import Presentation
from bot.changes.sheets.sheet import SheetProblem
from bot.changes.text.counts import first_few

#: How many stretches of hidden rows are named; the rest are only counted.
_NAMED: Final = 5


def hidden(presentation: Presentation, columns: Columns, headings: int, rows: Sequence[int]) -> str:
    """Return why a sheet with ``rows`` cannot be accepted, as parts of it are hidden; empty when all is visible.

    ``headings`` is the row number of the column headings.
    """
    unseen = [row for row in rows if row in presentation.hidden_rows]
    covered = sorted(columns.read & presentation.hidden_columns)
    what = []
    if headings in presentation.hidden_rows:
        what.append(f"the row of headings ({headings}) is hidden")
    if unseen:
        verb = "is" if len(unseen) == 1 else "are"
        what.append(
            f"{len(unseen):,} of its {len(rows):,} rows {verb} hidden by a filter or by hand ({_stretches(unseen)})"
        )
    if covered:
        named = ", ".join(f"{letters(at)} “{columns.title(at)}”" for at in covered)
        what.append(f"{'a column is' if len(covered) == 1 else 'columns are'} hidden ({named})")
    if not what:
        return ""
    return (
        f"contains more than it shows: {'; '.join(what)}. If you mean all of it, clear the filter and unhide "
        "everything. If you mean only what you see, copy the visible cells into a new sheet. Then upload that."
    )


def _stretches(rows: Sequence[int]) -> str:
    """Return ascending row numbers as stretches: ``3, 7 to 12 and 4 more``."""
    found: list[tuple[int, int]] = []
    for row in rows:
        if found and row == found[-1][1] + 1:
            found[-1] = found[-1][0], row
        else:
            found.append((row, row))
    named = [str(first) if first == last else f"{first} to {last}" for first, last in found]
    return first_few(named, _NAMED, more=sum(last - first + 1 for first, last in found[_NAMED:]))


def merged(
    presentation: Presentation, columns: Columns, headings: int, stray: Collection[int]
) -> Iterator[SheetProblem]:
    """Yield a problem for each merged range that hides the content of its cells: only its first cell has a value.

    A heading is a problem if it is merged across several columns with values; ``stray`` has the positions of columns
    with values and no heading.
    """
    for area in presentation.merged:
        covered = range(area.left, area.right + 1)
        if columns.left_out.issuperset(covered):
            continue
        if area.first > headings:
            text = "is merged, so only its first cell holds the value. Unmerge it, fill in every row, and "
        elif area.last > headings:
            text = "merges a heading with rows below it. Unmerge it, fill in or remove those rows, and "
        elif area.last == headings and not set(stray).isdisjoint(covered):
            text = "is merged, so one heading stands above several columns. Unmerge it, give each its own, and "
        else:
            continue
        row = headings if area.last == headings else max(area.first, headings + 1)
        yield SheetProblem(row=row, column=columns.title(area.left), text=f"{area.name} {text}upload the sheet again.")
