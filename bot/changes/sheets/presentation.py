"""How a spreadsheet shows its cells, where that differs from the stored content."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MisdisplayedCell:
    """A number or a text whose cell shows something else, which cannot be computed."""

    stored: float | str


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """Cells merged into one; rows count from 1, columns from 0, both ends included."""

    #: As the spreadsheet calls them: ``C5:C9``.
    name: str
    first: int
    last: int
    left: int
    right: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Presentation:
    """Hidden and merged cells of a sheet."""

    hidden_rows: frozenset[int] = frozenset()
    #: Positions from 0.
    hidden_columns: frozenset[int] = frozenset()
    merged: tuple[Merged, ...] = ()
