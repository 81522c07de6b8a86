"""Rows about the same number: repeats, and rows that disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.planning.plan import same
from bot.changes.sheets.columns import Columns
from bot.changes.sheets.rows import ReadRow
from bot.changes.sheets.sheet import SheetProblem, SheetRow
from bot.changes.text.counts import first_few

#: How many other rows are named; the rest are only counted.
_NAMED: Final = 5


class _Partners:
    """The number or id beside each id or number, of which there should be only one."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, int]] = {}
        #: Number or id -> everything beside it, with the first row of each; only where there are several.
        self.doubtful: dict[str, dict[str, int]] = {}

    def add(self, one: str, other: str, row: int) -> None:
        """Note that ``other`` is beside ``one`` in ``row``."""
        first, place = self._first.setdefault(one, (other, row))
        if first != other:
            self.doubtful.setdefault(one, {first: place}).setdefault(other, row)

    def of(self, one: str) -> str:
        """Return the first text beside ``one``; empty without one."""
        return self._first.get(one, ("", 0))[0]


class Disagreements:
    """Takes in all rows of a sheet; what they say together about each number is known at the end."""

    def __init__(self, kind: Kind, columns: Columns) -> None:
        self._kind = kind
        place = columns.number if columns.number is not None else columns.id
        self._title = columns.title(place or 0)
        self._rows: list[ReadRow] = []
        self._ids = _Partners()
        self._numbers = _Partners()

    def add(self, read: ReadRow) -> None:
        """Take in one row."""
        if read.row is None:
            return
        self._rows.append(read)
        if read.beside:
            self._ids.add(read.beside, read.row.identifier, read.row.row)
            self._numbers.add(read.row.identifier, read.beside, read.row.row)

    def agreed(self) -> tuple[tuple[SheetRow, ...], list[SheetProblem], int]:
        """Return the good rows, one for each number; the disagreements; and the number of repeats."""
        problems = [*self._mismatches()]
        first: dict[str, ReadRow] = {}
        more: dict[str, list[ReadRow]] = {}
        for read in self._rows:
            meant = self._meant(read)
            if meant in first:
                more.setdefault(meant, [first[meant]]).append(read)
            else:
                first[meant] = read
        repeats = 0
        for meant, group in more.items():
            if any(not self._agree(one, other) for one, other in self._pairs(group)):
                problems.extend(self._disagreements(meant, group))
            else:
                repeats += len(group) - 1
        wrong = {problem.row for problem in problems}
        clean = (read.row for read in first.values() if read.row and not read.bad and read.row.row not in wrong)
        return tuple(clean), problems, repeats

    def _meant(self, read: ReadRow) -> str:
        """Return one name for a row's number, whether it is identified by number or by id."""
        identifier = read.row.identifier if read.row else ""
        return read.beside or self._numbers.of(identifier) or identifier

    def _pairs(self, group: Sequence[ReadRow]) -> Iterator[tuple[ReadRow, ReadRow]]:
        """Yield each row with a completely read one, if there is one: agreeing with it means agreeing with all."""
        model = next((read for read in group if not read.unread), group[0])
        return ((model, read) for read in group if read is not model)

    def _agree(self, one: ReadRow, other: ReadRow) -> bool:
        """Tell whether two rows give the same values; unreadable values are ignored."""
        if one.row is None or other.row is None or one.row.values is other.row.values:
            return True
        here, there = one.row.values, other.row.values
        return all(
            name in here and name in there and same(self._kind.setting(name), here[name], there[name])
            for name in (here.keys() | there.keys()) - one.unread - other.unread
        )

    def _disagreements(self, meant: str, group: Sequence[ReadRow]) -> Iterator[SheetProblem]:
        rows = [read.row.row for read in group if read.row]
        for row in rows:
            others = [other for other in rows[: _NAMED + 1] if other != row][:_NAMED]
            named = _and_more([str(other) for other in others], len(rows) - 1 - len(others))
            text = f"{meant} is also in {'row' if len(rows) == 2 else 'rows'} {named} with other values; keep one row."
            yield SheetProblem(row=row, column=self._title, text=text)

    def _mismatches(self) -> Iterator[SheetProblem]:
        """Yield the problems where one number has two ids, or one id two numbers."""
        for pairs, what in ((self._ids, "ids"), (self._numbers, "numbers")):
            for one, others in pairs.doubtful.items():
                named = [f"{other} in row {row}" for other, row in others.items()]
                text = f"{one} has {len(named):,} {what}: {_and_more(named[:_NAMED], len(named) - _NAMED)}."
                yield from (SheetProblem(row=row, column=self._title, text=text) for row in others.values())


def _and_more(named: Sequence[str], rest: int) -> str:
    if rest > 0:
        return first_few(named, len(named), more=rest)
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
