"""Messages about unknown columns: each by its name, and how to continue without them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot.changes.model.kinds import Kind
from bot.changes.sheets.columns import Columns, letters, nearest
from bot.changes.sheets.refusals import SHEET, named
from bot.errors import InputError, in_one


class ForeignColumns(InputError):
    """A sheet has columns that are not known; it can be planned without them."""

    def __init__(self, problems: Iterable[str], headings: Sequence[str]) -> None:
        super().__init__({SHEET: in_one(problems)})
        #: As in :attr:`bot.changes.sheets.columns.Columns.headings`.
        self.headings = tuple(headings)


def foreign_columns(kind: Kind, columns: Columns) -> ForeignColumns:
    """Return the error for a sheet with such columns, including all other problems with its headings."""
    headings = [columns.headings[at] for at in columns.foreign]
    return ForeignColumns((*_said(kind, columns), *columns.problems), headings)


def meant(kind: Kind, columns: Columns) -> Iterator[str]:
    """Yield a sentence for each such column whose heading is similar to a known one."""
    for at, near in nearest(kind, columns).items():
        yield f"The column “{columns.headings[at]}” ({letters(at)}) is not known; did you mean “{near}”?"


def _said(kind: Kind, columns: Columns) -> Iterator[str]:
    yield from meant(kind, columns)
    near = nearest(kind, columns)
    rest = [at for at in columns.foreign if at not in near]
    if not rest:
        return
    names = named([f"“{columns.headings[at]}” ({letters(at)})" for at in rest])
    if len(rest) == 1:
        yield f"The column {names} is not a setting of this change; rename it to one, or leave it out."
    else:
        count = f"{len(rest):,} columns"
        yield f"{count} are not settings of this change: {names}. Rename them to settings or leave them out."
