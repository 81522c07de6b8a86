"""Sheets that are made to be filled in and uploaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Value, Values
from bot.changes.sheets.cells import guarded
from bot.changes.sheets.columns import NUMBER
from bot.changes.sheets.writing import CellWriter, Labels


def template(kind: Kind) -> bytes:
    """Return an empty sheet for ``kind`` as CSV: headings for the number and every setting but the secret ones."""
    return export(kind, (), {})


def export(kind: Kind, snapshots: Iterable[Snapshot], labels: Labels) -> bytes:
    """Return current values as CSV, one row for each number; uploaded again as it is, the sheet changes nothing.

    ``labels`` has setting name -> {id: human name} and stands beside ids. UTF-8 with a byte-order mark, which is how
    Excel knows the encoding. Secrets are left out. A cell is empty, which keeps the current value, when nothing is set,
    and when a cell cannot say what is set: a tag with a comma in it, say, or values that the rule of ``kind``
    would refuse.
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
    """Return ``values`` without those to which the rule of ``kind`` objects."""
    while values and (broken := kind.rule(values)):
        if not broken.keys() & values.keys():
            return {}
        values = {name: value for name, value in values.items() if name not in broken}
    return values
