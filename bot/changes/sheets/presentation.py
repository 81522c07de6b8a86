"""How a spreadsheet presents its cells to people, where that differs from what is stored in them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MisdisplayedCell:
    """A number or a text whose cell shows something else, in a way that cannot be worked out."""

    stored: float | str


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """Cells that are merged into one; rows count from 1, columns from 0, both ends are in it."""

    #: As the spreadsheet calls them: ``C5:C9``.
    name: str
    first: int
    last: int
    left: int
    right: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Presentation:
    """What a sheet hides and merges."""

    hidden_rows: frozenset[int] = frozenset()
    #: Positions from 0.
    hidden_columns: frozenset[int] = frozenset()
    merged: tuple[Merged, ...] = ()
