"""``results.csv`` and its like: one row for every number of a change, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from bot.changes.batches import Batch, Operation
from bot.changes.formula_guard import guard
from bot.changes.kinds import Kind
from bot.changes.readback import Sent, also_changed, comparable, differing
from bot.changes.records import Summary
from bot.changes.settings import show_value
from bot.changes.tabular import Form, table_file
from bot.changes.unseen import visible
from bot.changes.values import MASK, Value, Values

COLUMNS = (
    "number",
    "id",
    "outcome",
    "reason_code",
    "reason",
    "pointer",
    "before",
    "after",
    "found",
    "job",
    "sent_at",
    "settled_at",
    "read_back_at",
)
#: What stands for the values of a number that was not there any more.
ABSENT = "(not in the account)"


PLAN_COLUMNS = ("number", "id", "action", "job", "before", "after")


def plan_sheet(
    kind: Kind, operations: Iterable[Operation], summary: Summary | None, first: Collection[int] = ()
) -> bytes:
    """Return ``plan.csv``: what is going to happen to every number, guarded as in :class:`ResultsSheet`.

    ``first`` are the positions of the first try's batches.
    """
    labels = summary.labels if summary else {}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(PLAN_COLUMNS)
    for operation in operations:
        action = f"{'delete' if kind.removes else 'change'}{' first' if operation.batch in first else ''}"
        cells = (
            operation.number_id,
            action if operation.batch is not None else "leave alone",
            str(operation.batch or ""),
            _values(kind, _before(operation), labels),
            _values(kind, operation.after, labels),
        )
        writer.writerow((operation.e164, *(guard(cell) for cell in cells)))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


class ResultsSheet:
    """What became of every number, written portion by portion.

    ``batches`` is keyed by position. A number keeps its ``+`` as written: its cell holds digits after the sign only,
    so it can compute nothing, and a leading apostrophe would have to be taken out before the sheet can be used again.
    """

    def __init__(
        self, kind: Kind, batches: Mapping[int, Batch], summary: Summary | None, form: Form = Form.CSV
    ) -> None:
        self._kind = kind
        self._batches = batches
        self._labels = summary.labels if summary else {}
        #: What was sent, by batch.
        self._sent = {position: comparable(kind, batch.values) for position, batch in batches.items()}
        self._file = table_file(form, "results")
        self._file.add([COLUMNS])

    def add(self, operations: Iterable[Operation]) -> None:
        """Write a row for each of ``operations``, which are the next in the plan's order."""
        self._file.add(self._row(operation) for operation in operations)

    def content(self) -> bytes:
        """End the sheet and return the file."""
        return self._file.content()

    def _row(self, operation: Operation) -> tuple[str, ...]:
        batch = self._batches.get(operation.batch) if operation.batch is not None else None
        cells = (
            operation.number_id,
            operation.state.value,
            operation.code,
            operation.reason,
            operation.pointer,
            _values(self._kind, {**_before(operation), **self._lost(operation)}, self._labels),
            _values(self._kind, operation.after, self._labels),
            self._found(operation),
            batch.job if batch else "",
            _time(batch.submitted_at if batch else None),
            _time(operation.settled_at),
            _time(operation.found_at),
        )
        return (operation.e164, *(guard(cell) for cell in cells))

    def _found(self, operation: Operation) -> str:
        """Return what the number has of what was to change, of what was not to change and did, and how far it is."""
        found = operation.found
        if found is None:
            return ABSENT if operation.found_at else ""
        sent = self._sent.get(operation.batch or 0, Sent(values={}))
        names = dict.fromkeys(
            (
                *operation.after,
                *differing(self._kind, sent.values, found),
                *self._lost(operation),
                *(each.name for each in self._kind.statuses),
            )
        )
        return _values(self._kind, {name: found[name] for name in names if name in found}, self._labels)

    def _lost(self, operation: Operation) -> Values:
        """Return what the number had of what was not to change and did."""
        sent, known = self._sent.get(operation.batch or 0), {**operation.beside, **operation.before}
        if sent is None or not operation.found:
            return {}
        return {name: known[name] for name in also_changed(self._kind, sent, known, operation.found)}


def _time(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _before(operation: Operation) -> Values:
    """Return today's values of what changes; of a number that is taken out of the account, of all that was read."""
    return {name: operation.before[name] for name in operation.after or operation.before if name in operation.before}


def _values(kind: Kind, values: Values, labels: Mapping[str, Mapping[str, str]]) -> str:
    return "; ".join(f"{name}: {_shown(kind, name, value, labels)}" for name, value in values.items())


def _shown(kind: Kind, name: str, value: Value, labels: Mapping[str, Mapping[str, str]]) -> str:
    """Return a value as a person reads it. A setting that is not known any more is a secret whose key is gone."""
    if name not in kind.by_name:
        return MASK
    return visible(show_value(kind.setting(name), value, labels.get(name)))
