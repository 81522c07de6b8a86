"""Values as cells that are read as the same values again, and sheets to be filled in and uploaded."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Final

from bot.changes.model.foreign_lists import is_odd
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, Shape, value_text
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import MASK, Secret, Value, Values
from bot.changes.planning.plan import same
from bot.changes.sheets.cells import CLEAR, SHOWN_ONLY, guarded, is_error
from bot.changes.sheets.columns import NUMBER
from bot.changes.sheets.entries import read_entry
from bot.changes.text.cells import is_bracketed, is_nothing, literal
from bot.changes.text.characters import visible
from bot.errors import InvalidValue

#: Texts that a spreadsheet converts to quantities, dates or booleans unless they begin with an apostrophe.
_CONVERTED: Final = re.compile(
    r"[.,$€£(]?\d.*|true|false|'.*|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\W*\d.*",
    re.IGNORECASE | re.DOTALL,
)
#: Characters that no sheet may contain: controls, and halves of surrogate pairs, which cannot be encoded.
_UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
#: Separators of a list's entries in one cell.
_BETWEEN: Final = re.compile(r"[,;]")
#: How many cells are remembered, so that equal ones are written and checked once.
_REMEMBERED: Final = 10_000

Labels = Mapping[str, Mapping[str, str]]


class CellWriter:
    """Writes the cells of values, and knows which of them would be read as the same value.

    ``labels`` has setting name -> {id: human name}, shown beside ids.
    """

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._remembered: dict[tuple[str, type[object], Value], str] = {}

    def cell(self, setting: Setting, value: Value) -> str:
        """Return the cell of ``value``; empty if no cell would be read as that value."""
        known_by = (setting.name, type(value), value)
        cell = self._remembered.get(known_by)
        if cell is None:
            cell = self._write(setting, value)
            if len(self._remembered) < _REMEMBERED:
                self._remembered[known_by] = cell
        return cell

    def told(self, setting: Setting, value: Value) -> str:
        """Return a cell that people can read for any ``value``, and that is never read as another value.

        A value that is not set is :data:`CLEAR`. A value that no cell can express, or with invisible characters, begins
        with :data:`SHOWN_ONLY`, which an upload refuses. Of a secret, the cell says only that it is set.
        """
        if isinstance(value, Secret):
            return MASK
        if value is None or value in {"", ()}:
            return CLEAR
        cell = self.cell(setting, value)
        if cell and visible(cell) == cell:
            return cell
        return guarded(f"{SHOWN_ONLY} {visible(value_text(setting, value, self._labels.get(setting.name)))}")

    def _write(self, setting: Setting, value: Value) -> str:
        if value is None or isinstance(value, Secret):
            return ""
        cell = _cell(setting, value, self._labels.get(setting.name, {}))
        if _UNWRITABLE.search(cell):
            return ""
        try:
            understood = read_entry(setting, cell)
        except InvalidValue:
            return ""
        return cell if understood is not None and same(setting, understood, value) else ""


def _written(setting: Setting, name: str) -> str:
    """Return the name of an id without formulas or unwritable characters; in a list, without separators."""
    text = visible(_UNWRITABLE.sub(" ", name)).lstrip("= ")
    return " ".join((_BETWEEN.sub(" ", text) if setting.listed else text).split())


def _cell(setting: Setting, value: Value, labels: Mapping[str, str]) -> str:
    if value in {"", ()}:
        return CLEAR if setting.clearable else ""
    shown = value_text(setting, value, {each: _written(setting, name) for each, name in labels.items()})
    if setting.shape in {Shape.TEXT, Shape.TAGS} and (_CONVERTED.fullmatch(shown) or shown.casefold() == CLEAR):
        return literal(shown)
    if not setting.choices and (
        is_nothing(shown) or is_error(shown) or is_odd(setting, shown) or (setting.listed and is_bracketed(shown))
    ):
        return literal(shown)
    return guarded(shown)


def empty_sheet(kind: Kind) -> bytes:
    """Return an empty sheet for ``kind`` as CSV: headings for the number and every setting that is not secret."""
    return export(kind, (), {})


def export(kind: Kind, snapshots: Iterable[Snapshot], labels: Labels) -> bytes:
    """Return current values as CSV, one row for each number; uploaded again unchanged, the sheet changes nothing.

    ``labels`` has setting name -> {id: human name}, shown beside ids. UTF-8 with a byte-order mark, which is how Excel
    knows the encoding. Secrets are left out. A cell is empty, which keeps the current value, when nothing is set, and
    when a cell cannot express the value, such as a tag with a comma or values that the rule of ``kind`` would refuse.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    settings = tuple(setting for setting in kind.settings if not setting.secret)
    writer.writerow((NUMBER, *(guarded(setting.label) for setting in settings)))
    write = CellWriter(labels)
    for snapshot in snapshots:
        known = ((setting, snapshot.values.get(setting.name)) for setting in settings)
        values = _accepted(kind, {setting.name: value for setting, value in known if write.cell(setting, value)})
        writer.writerow(
            (guarded(snapshot.e164), *(write.cell(s, values[s.name]) if s.name in values else "" for s in settings))
        )
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _accepted(kind: Kind, values: dict[str, Value]) -> Values:
    """Return ``values`` without those that the rule of ``kind`` rejects."""
    while values and (broken := kind.rule(values)):
        if not broken.keys() & values.keys():
            return {}
        values = {name: value for name, value in values.items() if name not in broken}
    return values
