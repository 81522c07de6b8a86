"""Sheets that are made to be filled in and uploaded."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Final

from bot.changes.differences import same
from bot.changes.kinds import Kind
from bot.changes.settings import Setting, Shape, Unreadable, show_value
from bot.changes.sheets.cells import CLEAR, guarded
from bot.changes.sheets.columns import NUMBER
from bot.changes.sheets.entries import read_entry
from bot.changes.snapshots import Snapshot
from bot.changes.values import Secret, Value, Values

#: Texts that a spreadsheet turns into quantities, dates or booleans unless an apostrophe stands in front.
_CONVERTED: Final = re.compile(
    r"[.,$€£(]?\d.*|true|false|'.*|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\W*\d.*",
    re.IGNORECASE | re.DOTALL,
)
#: Characters that no sheet may have: controls, and halves of surrogate pairs, which cannot be written down.
_UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
#: What separates the entries of a list in one cell.
_BETWEEN: Final = re.compile(r"[,;]")
#: How many cells are remembered, so that equal ones are written and checked once.
_REMEMBERED: Final = 10_000

Labels = Mapping[str, Mapping[str, str]]


def template(kind: Kind) -> bytes:
    """Return an empty sheet for ``kind`` as CSV: headings for the number and every setting but the secret ones."""
    return export(kind, (), {})


def export(kind: Kind, snapshots: Iterable[Snapshot], labels: Labels) -> bytes:
    """Return today's values as CSV, one row for each number; uploaded again as it is, the sheet changes nothing.

    ``labels`` has setting name -> {id: human name} and stands beside ids. UTF-8 with a byte-order mark, which is how
    Excel knows the encoding. Secrets are left out. A cell is empty, which keeps today's value, when nothing is set, and
    when a cell cannot say what is set: a tag with a comma in it, say, or values that the rule of ``kind`` would refuse.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    settings = tuple(setting for setting in kind.settings if not setting.secret)
    writer.writerow((NUMBER, *(guarded(setting.label) for setting in settings)))
    write = _Writer(labels)
    for snapshot in snapshots:
        values = _accepted(kind, {s.name: snapshot.values[s.name] for s in settings if write.can_say(s, snapshot)})
        writer.writerow((snapshot.e164, *(write.cell(s, values[s.name]) if s.name in values else "" for s in settings)))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _accepted(kind: Kind, values: dict[str, Value]) -> Values:
    """Return ``values`` without those to which the rule of ``kind`` objects."""
    while values and (broken := kind.rule(values)):
        if not broken.keys() & values.keys():
            return {}
        values = {name: value for name, value in values.items() if name not in broken}
    return values


class _Writer:
    """Writes the cells of values, and knows which of them would be read as the same value."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._remembered: dict[tuple[str, type[object], Value], str] = {}

    def can_say(self, setting: Setting, snapshot: Snapshot) -> bool:
        """Tell whether the value of ``setting`` in ``snapshot`` has a cell that is not empty."""
        return setting.name in snapshot.values and bool(self.cell(setting, snapshot.values[setting.name]))

    def cell(self, setting: Setting, value: Value) -> str:
        """Return the cell of ``value``; nothing when none would be read as that value."""
        known_by = (setting.name, type(value), value)
        cell = self._remembered.get(known_by)
        if cell is None:
            cell = self._write(setting, value)
            if len(self._remembered) < _REMEMBERED:
                self._remembered[known_by] = cell
        return cell

    def _write(self, setting: Setting, value: Value) -> str:
        if value is None or isinstance(value, Secret):
            return ""
        cell = _cell(setting, value, self._labels.get(setting.name, {}))
        if _UNWRITABLE.search(cell):
            return ""
        try:
            understood = read_entry(setting, cell)
        except Unreadable:
            return ""
        return cell if understood is not None and same(setting, understood, value) else ""


def _written(setting: Setting, name: str) -> str:
    """Return the name of an id without what no cell may have; in a list, without what stands between entries."""
    text = _UNWRITABLE.sub(" ", name)
    return " ".join((_BETWEEN.sub(" ", text) if setting.listed else text).split())


def _cell(setting: Setting, value: Value, labels: Mapping[str, str]) -> str:
    if value in {"", ()}:
        return CLEAR if setting.clearable else ""
    shown = show_value(setting, value, {each: _written(setting, name) for each, name in labels.items()})
    if setting.shape is Shape.TEXT and (_CONVERTED.fullmatch(shown) or shown.casefold() == CLEAR):
        return f"'{shown}"
    return guarded(shown)
