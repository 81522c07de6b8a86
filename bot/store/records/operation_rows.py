"""Reading rows of operations, writing those of a plan, and writing many numbers at once.

Values are read as their stored text: most numbers of a change have the same ones, and equal texts are parsed once. A
row is unpacked as a tuple, as looking up its columns by name takes longer than reading it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, bindparam, cast

from bot.changes.model.batches import Operation
from bot.changes.model.lifecycle import OperationState
from bot.changes.model.values import Values, values_from_json, values_to_json
from bot.changes.outcome.outcomes import UNCHANGED
from bot.changes.outcome.readback import AwaitedNumber, Doubt
from bot.changes.planning.plan import PlannedNumber
from bot.store.engine.documents import Encoded, to_text
from bot.store.tables import operations

_BEFORE, _AFTER, _BESIDE, _FOUND = (
    cast(column, Text).label(column.name)
    for column in (operations.c.before, operations.c.after, operations.c.beside, operations.c.found)
)
#: The columns of :func:`to_operation`.
OPERATION: Final[tuple[ColumnElement[Any], ...]] = (
    operations.c.change_id,
    operations.c.position,
    operations.c.batch,
    operations.c.number_id,
    operations.c.e164,
    _BEFORE,
    _AFTER,
    _BESIDE,
    operations.c.state,
    operations.c.code,
    operations.c.reason,
    operations.c.pointer,
    operations.c.ended_at,
    _FOUND,
    operations.c.found_at,
)
#: The columns of :func:`to_planned`.
PLANNED: Final[tuple[ColumnElement[Any], ...]] = (
    operations.c.position,
    operations.c.number_id,
    operations.c.e164,
    _BEFORE,
    _AFTER,
    operations.c.batch,
)
#: The columns of :func:`to_awaited`.
AWAITED: Final[tuple[ColumnElement[Any], ...]] = (
    operations.c.number_id,
    operations.c.position,
    operations.c.batch,
    _BEFORE,
    _BESIDE,
    _FOUND,
    operations.c.state,
    operations.c.code,
    operations.c.reason,
    operations.c.pointer,
)
#: Matches the positions of a row of :func:`position_ranges`.
IN_RANGE: Final = operations.c.position.between(bindparam("first"), bindparam("last"))


def to_operation(row: Sequence[Any]) -> Operation:
    """Return the operation in a row of :data:`OPERATION`."""
    change, position, batch, id_, e164, before, after, beside, state, code, reason, pointer, ended, found, found_at = (
        row
    )
    return Operation(
        change=change,
        position=position,
        batch=batch,
        number_id=id_,
        e164=e164,
        before=_values(before) or {},
        after=_values(after) or {},
        state=OperationState(state),
        code=code,
        reason=reason,
        pointer=pointer,
        ended_at=ended,
        found=_values(found),
        found_at=found_at,
        beside=_values(beside) or {},
    )


def to_planned(row: Sequence[Any]) -> tuple[int, PlannedNumber]:
    """Return the position and the planned number in a row of :data:`PLANNED`."""
    position, id_, e164, before, after, batch = row
    return position, PlannedNumber(
        id=id_, e164=e164, before=_values(before) or {}, after=_values(after) or {}, batch=batch
    )


def to_awaited(row: Sequence[Any]) -> tuple[str, AwaitedNumber]:
    """Return the id and the number in a row of :data:`AWAITED`."""
    id_, position, batch, before, beside, found, state, code, reason, pointer = row
    unknown = state == OperationState.UNKNOWN.value
    return id_, AwaitedNumber(
        position=position,
        batch=batch,
        doubt=Doubt(code=code, reason=reason, pointer=pointer) if unknown else None,
        known=_known(before, beside),
        seen=_values(found) or {},
    )


def of_plan(change: int, first: int, numbers: Sequence[PlannedNumber]) -> list[dict[str, Any]]:
    """Return the rows of ``numbers``, whose positions begin with ``first``."""
    rows: list[dict[str, Any]] = []
    like: PlannedNumber | None = None
    shared: dict[str, Any] = {}
    for position, number in enumerate(numbers, first):
        if like is None or not (
            number.batch == like.batch
            and number.before is like.before
            and number.after is like.after
            and number.beside is like.beside
        ):
            like, shared = number, {"change_id": change, **_shared(number)}  # mostly shared with its neighbours
        rows.append({**shared, "position": position, "number_id": number.id, "e164": number.e164})
    return rows


def position_ranges(given: Iterable[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return what to write at which positions, one row for each range of neighbours with the same values.

    Most numbers of a batch are neighbours with the same result, and one statement writes a thousand of them.
    """
    rows: list[dict[str, Any]] = []
    same: dict[str, Any] | None = None
    for position, columns in sorted(given, key=itemgetter(0)):
        if columns == same and rows[-1]["last"] == position - 1:
            rows[-1]["last"] = position
        else:
            rows.append({"first": position, "last": position, **columns})
            same = columns
    return rows


def _shared(number: PlannedNumber) -> dict[str, Any]:
    """Return the columns shared by all numbers of a batch with the same values."""
    return {
        "batch": number.batch,
        # The values to send are in the batch; here a secret is only compared.
        "before": _encoded(number.before),
        "after": _encoded(number.after),
        "beside": _encoded(number.beside) if number.beside else None,
        "state": (OperationState.WAITING if number.batch else OperationState.NOT_ATTEMPTED).value,
        "code": "" if number.batch else UNCHANGED,
        "reason": "" if number.batch else "It already has these values, so nothing was sent.",
    }


def _encoded(values: Values) -> Encoded:
    return Encoded(to_text(values_to_json(values, sealed=False)))


@lru_cache(maxsize=2048)
def _values(stored: str | None) -> Values | None:
    """Return the values of a column; equal ones are one object."""
    document = None if stored is None else json.loads(stored)
    return None if document is None else values_from_json(document)


@lru_cache(maxsize=2048)
def _known(before: str, beside: str | None) -> Values:
    """Return all values that the plan knew of a number; equal ones are one object."""
    return {**(_values(beside) or {}), **(_values(before) or {})}
