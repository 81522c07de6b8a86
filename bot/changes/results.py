"""``results.csv``: one row for every number of a change, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from bot.changes.kinds import Kind
from bot.changes.records import Batch, Operation, Summary
from bot.changes.settings import show_value
from bot.changes.values import Values

#: Characters that make a spreadsheet read a cell as a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

COLUMNS = ("number", "id", "outcome", "reason_code", "reason", "pointer", "before", "after", "job", "settled_at")


def guard(cell: str) -> str:
    """Return ``cell`` so that no spreadsheet takes it for a formula; an apostrophe in front makes it text."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


PLAN_COLUMNS = ("number", "id", "action", "job", "before", "after")


def plan_sheet(kind: Kind, operations: Iterable[Operation], summary: Summary | None) -> bytes:
    """Return ``plan.csv``: what is going to happen to every number, in the form of :func:`results_sheet`."""
    labels = summary.labels if summary else {}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(PLAN_COLUMNS)
    for operation in operations:
        changed = {name: operation.before[name] for name in operation.after if name in operation.before}
        cells = (
            operation.number_id,
            "change" if operation.batch is not None else "leave alone",
            str(operation.batch or ""),
            _values(kind, changed, labels),
            _values(kind, operation.after, labels),
        )
        writer.writerow((operation.e164, *(guard(cell) for cell in cells)))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def results_sheet(
    kind: Kind, operations: Iterable[Operation], batches: Mapping[int, Batch], summary: Summary | None
) -> bytes:
    """Return the sheet as UTF-8 CSV with a byte-order mark, which is how Excel knows the encoding.

    ``batches`` is keyed by position. A number keeps its ``+`` as written: its cell holds digits after the sign only,
    so it can compute nothing, and a leading apostrophe would have to be taken out before the sheet can be used again.
    """
    labels = summary.labels if summary else {}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for operation in operations:
        batch = batches.get(operation.batch) if operation.batch is not None else None
        changed = {name: operation.before[name] for name in operation.after if name in operation.before}
        cells = (
            operation.number_id,
            operation.state.value,
            operation.code,
            operation.reason,
            operation.pointer,
            _values(kind, changed, labels),
            _values(kind, operation.after, labels),
            batch.job if batch else "",
            operation.settled_at.isoformat() if operation.settled_at else "",
        )
        writer.writerow((operation.e164, *(guard(cell) for cell in cells)))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _values(kind: Kind, values: Values, labels: Mapping[str, Mapping[str, str]]) -> str:
    return "; ".join(
        f"{name}: {show_value(kind.setting(name), value, labels.get(name))}" for name, value in values.items()
    )
