"""One row of a sheet: its number, its values, and all its problems."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bot.changes.model.kinds import Kind
from bot.changes.model.values import Value, Values
from bot.changes.sheets.cells import MangledCell, plain
from bot.changes.sheets.columns import Columns
from bot.changes.sheets.entries import ForeignList, read_entry, read_identifier
from bot.changes.sheets.refusals import shown
from bot.changes.sheets.sheet import SheetProblem, SheetRow
from bot.changes.sheets.tables import Cells, is_blank
from bot.errors import InvalidValue

#: How many problems are kept with their sentences; further ones are only counted. Otherwise a sheet in which every cell
#: is wrong would fill the memory.
MOST_PROBLEMS: Final = 10_000
#: How many different rows of values are remembered, so that equal ones are read and kept once.
_REMEMBERED: Final = 10_000
#: An id of which a spreadsheet kept only fifteen digits.
_ROUNDED_ID: Final = re.compile(r"\d{15}0+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row, good or bad."""

    #: None when there is nothing to plan because the number cannot be read.
    row: SheetRow | None
    #: The number beside the id that identifies the row; empty without one.
    beside: str = ""
    #: Settings whose values could not be read.
    unread: frozenset[str] = frozenset()
    #: Whether the row has a problem of its own.
    bad: bool = False


class _Wrong(NamedTuple):
    """The problem of one cell."""

    #: Title of the column.
    title: str
    setting: str
    sentence: str
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class _Reading:
    """The result of reading the cells of the settings."""

    values: dict[str, Value] = field(default_factory=dict)
    wrong: list[_Wrong] = field(default_factory=list)


class RowReader:
    """Reads rows one by one and collects their problems."""

    def __init__(
        self, kind: Kind, columns: Columns, *, is_id: Callable[[str], bool], form: Values, delimited: bool
    ) -> None:
        """``delimited`` tells whether the cells were separated by delimiters and not by a workbook."""
        self._kind = kind
        self._columns = columns
        self._is_id = is_id
        self._form = form
        self._delimited = delimited
        self._remembered: dict[tuple[object, ...], _Reading] = {}
        self._titles = {setting.name: columns.title(at) for at, setting in columns.settings}
        #: Problems of all rows so far, in the order of rows, and the number of further ones.
        self.problems: list[SheetProblem] = []
        self.more_problems = 0
        #: How many rows so far have a foreign id beside their number.
        self.strange_ids = 0
        #: Positions of columns with content but without a heading.
        self.stray: set[int] = set()

    def read(self, number: int, cells: Cells) -> ReadRow:
        """Return the result of reading ``cells``, those of row ``number``."""
        before = self._count()
        identifier, beside = self._identify(number, cells)
        reading = _Reading() if self._columns.passes_over(cells) else self._values(cells)
        for each in reading.wrong:
            self._wrong(number, each.title, each.sentence, foreign=each.foreign)
        for at in self._astray(cells):
            self.stray.add(at)
            self._wrong(number, self._columns.title(at), self._stray(cells[at]))
        return ReadRow(
            row=SheetRow(row=number, identifier=identifier, values=reading.values, beside=beside)
            if identifier
            else None,
            beside=beside,
            unread=frozenset(each.setting for each in reading.wrong),
            bad=self._count() > before,
        )

    def _count(self) -> int:
        return len(self.problems) + self.more_problems

    def _wrong(self, number: int, column: str, text: str, *, foreign: bool = False) -> None:
        # A list in another program's notation is always kept: returned unmarked, it could pass for a literal text.
        if len(self.problems) >= MOST_PROBLEMS and not foreign:
            self.more_problems += 1
            return
        self.problems.append(SheetProblem(row=number, column=column, text=text, foreign=foreign))

    def _identify(self, number: int, cells: Cells) -> tuple[str, str]:
        """Return the identifier of the row, and the number beside it if that is an id; empty when unreadable.

        An id that a spreadsheet has rounded gives way to the number: both were written for the same row. So does
        anything else than an id of the provider's: systems have an "id" column for their own ids.
        """
        by_number = self._identifier(number, cells, self._columns.number)
        at = self._columns.id
        if at is None or at >= len(cells) or (by_number and _is_rounded(cells[at])):
            by_id: str | None = ""
        elif by_number and self._is_strange(cells[at], by_number):
            by_id = ""
            self.strange_ids += 1
        else:
            by_id = self._identifier(number, cells, at)
        if by_number is None or by_id is None:
            return "", ""
        if not by_number and not by_id:
            self._wrong(number, self._columns.title(self._place()), "This row has no number; fill it in or remove it.")
        if by_id and by_number and by_id != by_number and (by_id[0] == "+") == (by_number[0] == "+"):
            self._wrong(
                number,
                self._columns.title(self._place()),
                f"This row names two numbers: {by_number} and {by_id}; keep one of them.",
            )
            return "", ""
        return by_id or by_number, by_number if by_id else ""

    def _is_strange(self, cell: object, number: str) -> bool:
        """Tell whether ``cell`` holds neither an id of the provider's nor a number written as one."""
        text = plain(cell)
        if not text or self._is_id(text) or text.startswith("+"):
            return False
        try:
            return read_identifier(cell, self._is_id) != number
        except InvalidValue:
            return True

    def _place(self) -> int:
        places = [at for at in (self._columns.number, self._columns.id) if at is not None]
        return places[0]

    def _identifier(self, number: int, cells: Cells, at: int | None) -> str | None:
        """Return the number or id at ``at``, empty when the cell is blank, None when it cannot be read."""
        if at is None or at >= len(cells):
            return ""
        try:
            return read_identifier(cells[at], self._is_id)
        except InvalidValue as error:
            self._wrong(number, self._columns.title(at), str(error))
            return None

    def _values(self, cells: Cells) -> _Reading:
        """Return the result of reading the cells of the settings; equal cells give the same object."""
        entries = tuple(cells[at] if at < len(cells) else None for at, _ in self._columns.settings)
        # 1, 1.0 and True are equal in Python but different to people.
        known_by = tuple(e if e is None or isinstance(e, str) else (type(e), str(e)) for e in entries)
        reading = self._remembered.get(known_by)
        if reading is None:
            reading = self._read_values(entries)
            if len(self._remembered) < _REMEMBERED:
                self._remembered[known_by] = reading
        return reading

    def _read_values(self, entries: tuple[object, ...]) -> _Reading:
        reading = _Reading()
        for entry, (at, setting) in zip(entries, self._columns.settings, strict=True):
            try:
                value = read_entry(setting, entry)
            except InvalidValue as error:
                foreign = isinstance(error, ForeignList)
                reading.wrong.append(_Wrong(self._columns.title(at), setting.name, str(error), foreign))
                continue
            if value is not None:
                reading.values[setting.name] = value
        if (reading.values or self._form) and not reading.wrong:
            broken = self._kind.rule({**self._form, **reading.values})
            for name, text in broken.items():
                title = self._titles.get(name) or self._kind.setting(name).label
                reading.wrong.append(_Wrong(title, name, text))
        return reading

    def _astray(self, cells: Cells) -> Iterator[int]:
        """Yield the positions with content below no heading."""
        headings = self._columns.headings
        for at in range(len(cells)):
            if (at >= len(headings) or not headings[at]) and not is_blank(cells[at]):
                yield at

    def _stray(self, cell: object) -> str:
        try:
            what = f"“{shown(plain(cell))}”"
        except MangledCell:
            what = "A value"
        if self._delimited:
            return f"{what} is in a column without a heading; a value that contains a delimiter needs quotation marks."
        return f"{what} is in a column without a heading; give it one, or clear the column."


def _is_rounded(cell: object) -> bool:
    """Tell whether a spreadsheet has dropped digits of the id in ``cell``."""
    try:
        return _ROUNDED_ID.fullmatch(plain(cell)) is not None
    except MangledCell:
        return True
