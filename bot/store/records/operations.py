"""Operations, one row per number of a change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Select, Text, bindparam, case, cast, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.batches import BatchNumber, FailureGroup, Operation, Tally
from bot.changes.model.lifecycle import AWAITED, CHANGED, OPERATION_STEPS, OperationState, before
from bot.changes.model.values import Values, values_to_json
from bot.changes.outcome.outcomes import NOT_READ_BACK, STALE, UNCHANGED, NumberOutcome
from bot.changes.outcome.readback import AwaitedNumber, ReadBack
from bot.changes.planning.plan import PlannedNumber
from bot.store.engine.documents import Encoded, to_text
from bot.store.records import operation_rows
from bot.store.tables import batches, operations

#: How many numbers stand as examples beside a reason.
EXAMPLES = 3
#: Rows written at once.
CHUNK = 500
#: States of numbers that are still to be read back.
_AWAITED = tuple(sorted(state.value for state in AWAITED))
#: What is known of a number before a job has named it.
_NOTHING: Final[Values] = MappingProxyType({})
#: Where a row of :func:`_stretches` is written.
_STRETCH: Final = operations.c.position.between(bindparam("first"), bindparam("last"))


class Operations:
    """The table of operations."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, change: int, numbers: Sequence[PlannedNumber]) -> None:
        """Write a plan's numbers; those that already have the wanted values are accounted for at once."""
        for start in range(0, len(numbers), CHUNK):
            # In portions: rows are made on the loop, which has clicks to answer meanwhile.
            rows = _rows(change, start, numbers[start : start + CHUNK])
            await self._connection.execute(operations.insert(), rows)

    async def admit(self, change: int, batch: int, numbers: Mapping[str, str], after: Values) -> None:
        """Add numbers (id -> E.164) that a job turned out to be about; those that are there stay as they are."""
        present = select(operations.c.number_id).where(operations.c.change_id == change)
        known = set((await self._connection.execute(present)).scalars())
        fresh = [(id_, e164) for id_, e164 in numbers.items() if id_ not in known]
        for start in range(0, len(fresh), CHUNK):
            named = [
                PlannedNumber(id=id_, e164=e164, before=_NOTHING, after=after, batch=batch)
                for id_, e164 in fresh[start : start + CHUNK]
            ]
            rows = _rows(change, len(known) + start, named)
            submitted = [{**row, "state": OperationState.SUBMITTED.value} for row in rows]
            await self._connection.execute(operations.insert(), submitted)

    async def of_batch(self, change: int, batch: int) -> list[BatchNumber]:
        """Return the numbers of one batch, in the plan's order."""
        columns = (operations.c.position, operations.c.number_id, operations.c.e164, operations.c.state)
        statement = select(*columns).where(operations.c.change_id == change, operations.c.batch == batch)
        found = [
            BatchNumber(position, id_, e164, OperationState(state))
            for position, id_, e164, state in await self._connection.execute(statement)
        ]
        # Not in SQL: for the sake of the order SQLite would look at every number of the change.
        return sorted(found, key=attrgetter("position"))

    async def planned(self, change: int, batches: Sequence[int] = ()) -> dict[int, PlannedNumber]:
        """Return, by position in its order, a change's numbers as they were planned: all, or those of some batches."""
        statement = select(*operation_rows.PLANNED).where(operations.c.change_id == change)
        if batches:
            statement = statement.where(operations.c.batch.in_(batches))
        result = await self._connection.stream(statement.execution_options(yield_per=1000))
        found = [operation_rows.to_planned(row) async for rows in result.partitions() for row in rows]
        return dict(sorted(found, key=itemgetter(0)))  # as above

    def stream(self, change: int, states: Iterable[OperationState] = ()) -> AsyncIterator[Operation]:
        """Stream a change's numbers in the plan's order, without holding them all in memory.

        All of them, or those in one of ``states``, such as :data:`bot.changes.model.lifecycle.CHANGED`.
        """
        statement = (
            select(*operation_rows.OPERATION).where(operations.c.change_id == change).order_by(operations.c.position)
        )
        if wanted := [state.value for state in states]:
            statement = statement.where(operations.c.state.in_(wanted))
        return self._streamed(statement)

    def sorts(self, change: int) -> AsyncIterator[Operation]:
        """Stream the first of all numbers of a change that have the same values in the same batch and fared alike."""
        values = (
            cast(column, Text) for column in (operations.c[name] for name in ("before", "after", "beside", "found"))
        )
        alike = (operations.c.batch, operations.c.state, operations.c.found_at.is_(None), *values)
        first = select(func.min(operations.c.position)).where(operations.c.change_id == change).group_by(*alike)
        statement = (
            select(*operation_rows.OPERATION)
            .where(operations.c.change_id == change, operations.c.position.in_(first))
            .order_by(operations.c.position)
        )
        return self._streamed(statement)

    async def _streamed(self, statement: Select[Any]) -> AsyncIterator[Operation]:
        result = await self._connection.stream(statement.execution_options(yield_per=1000))
        async for rows in result.partitions():
            for row in rows:
                yield operation_rows.to_operation(row)

    async def later(self, change: int) -> dict[str, Operation]:
        """Return, by provider id, the last that later changes did to the numbers that ``change`` has changed.

        Locks keep two changes from one number at a time, so what ended after the change's last number came later.
        """
        changed = [state.value for state in CHANGED]
        its = select(operations.c.number_id).where(operations.c.change_id == change, operations.c.state.in_(changed))
        ended = select(func.max(operations.c.ended_at)).where(operations.c.change_id == change).scalar_subquery()
        statement = (
            select(*operation_rows.OPERATION)
            .where(
                operations.c.number_id.in_(its),
                operations.c.change_id != change,
                operations.c.state.in_(changed),
                operations.c.ended_at > ended,
            )
            .order_by(operations.c.ended_at, operations.c.change_id)
        )
        result = await self._connection.stream(statement.execution_options(yield_per=1000))
        return {row.number_id: operation_rows.to_operation(row) async for rows in result.partitions() for row in rows}

    async def changing(self, change: int) -> dict[str, str]:
        """Return id -> E.164 of the numbers that the plan changes, in its order."""
        statement = (
            select(operations.c.number_id, operations.c.e164)
            .where(operations.c.change_id == change, operations.c.batch.is_not(None))
            .order_by(operations.c.position)
        )
        return {row.number_id: row.e164 for row in await self._connection.execute(statement)}

    async def sent(self, change: int, batch: int) -> None:
        """Note that a batch's waiting numbers are part of a job now."""
        statement = (
            update(operations)
            .where(
                operations.c.change_id == change,
                operations.c.batch == batch,
                operations.c.state == OperationState.WAITING.value,
            )
            .values(state=OperationState.SUBMITTED.value)
        )
        await self._connection.execute(statement)

    async def record_outcomes(self, change: int, verdicts: Sequence[NumberOutcome], now: datetime) -> None:
        """Write outcomes. An outcome that is there already is never overwritten."""
        by_state: dict[OperationState, list[NumberOutcome]] = {}
        for verdict in verdicts:
            by_state.setdefault(verdict.state, []).append(verdict)
        for state, group in by_state.items():
            # Not IN: SQLAlchemy does not expand it for many rows at once.
            may_end = or_(*(operations.c.state == origin.value for origin in before(OPERATION_STEPS, state)))
            statement = (
                update(operations)
                .where(operations.c.change_id == change, _STRETCH, may_end)
                .values(
                    state=state.value,
                    code=bindparam("new_code"),
                    reason=bindparam("new_reason"),
                    pointer=bindparam("new_pointer"),
                    ended_at=now,
                )
            )
            given = (
                (each.position, {"new_code": each.code[:64], "new_reason": each.reason, "new_pointer": each.pointer})
                for each in group
            )
            await self._connection.execute(statement, _stretches(given))

    async def end_batch(
        self, change: int, batch: int, state: OperationState, *, code: str, reason: str, pointer: str, now: datetime
    ) -> None:
        """Give one outcome to all numbers of a batch that have none yet."""
        origins = [origin.value for origin in before(OPERATION_STEPS, state)]
        statement = (
            update(operations)
            .where(
                operations.c.change_id == change,
                operations.c.batch == batch,
                operations.c.state.in_(origins),
            )
            .values(state=state.value, code=code[:64], reason=reason, pointer=pointer, ended_at=now)
        )
        await self._connection.execute(statement)

    async def awaiting(self, change: int) -> dict[str, AwaitedNumber]:
        """Return, by provider id, the numbers that are still to be read back.

        They are those of which their jobs say that they succeeded, or nobody what became of them.
        """
        statement = (
            select(*operation_rows.AWAITED)
            .where(operations.c.change_id == change, operations.c.batch.is_not(None), operations.c.state.in_(_AWAITED))
            .order_by(operations.c.position)
        )
        result = await self._connection.stream(statement.execution_options(yield_per=1000))
        awaited: dict[str, AwaitedNumber] = {}
        async for rows in result.partitions():  # by portions, for the loop has clicks to answer meanwhile
            awaited.update(map(operation_rows.to_awaited, rows))
        return awaited

    async def read_back(self, change: int, readings: Sequence[ReadBack], now: datetime) -> None:
        """Write what was found, and what follows from it for numbers that are not decided yet."""
        at = (operations.c.change_id == change, _STRETCH)
        if noted := [(reading.position, _noted(reading)) for reading in readings if reading.state is None]:
            statement = update(operations).where(*at).values(found=bindparam("new_found"), found_at=now)
            await self._connection.execute(statement, _stretches(noted))
        decided = [
            (
                reading.position,
                {
                    **_noted(reading),
                    "new_state": reading.state.value,
                    "new_code": reading.code,
                    "new_reason": reading.reason,
                    "new_pointer": reading.pointer,
                },
            )
            for reading in readings
            if reading.state is not None
        ]
        if decided:
            statement = (
                update(operations)
                .where(*at, or_(*(operations.c.state == state for state in _AWAITED)))
                .values(
                    state=bindparam("new_state"),
                    code=bindparam("new_code"),
                    reason=bindparam("new_reason"),
                    pointer=bindparam("new_pointer"),
                    found=bindparam("new_found"),
                    found_at=now,
                )
            )
            await self._connection.execute(statement, _stretches(decided))

    async def give_up_reading(self, change: int, reason: str) -> None:
        """Say of every number that is still to be read back that it could not be verified, and why.

        Why nobody knew what became of it stays in front.
        """
        unknown = operations.c.state == OperationState.UNKNOWN.value
        statement = (
            update(operations)
            .where(operations.c.change_id == change, operations.c.state.in_(_AWAITED))
            .values(
                state=OperationState.UNVERIFIED.value,
                code=case((unknown, operations.c.code), else_=NOT_READ_BACK),
                reason=case((unknown, operations.c.reason + " " + literal(reason)), else_=reason),
            )
        )
        await self._connection.execute(statement)

    async def tally(self, change: int, *, wave: int | None = None) -> Tally:
        """Count the change's numbers by state: all of them, or those of one wave."""
        statement = (
            select(operations.c.state, func.count().label("numbers"))
            .where(operations.c.change_id == change)
            .group_by(operations.c.state)
        )
        if wave is not None:
            its = select(batches.c.position).where(batches.c.change_id == change, batches.c.wave == wave)
            statement = statement.where(operations.c.batch.in_(its))
        counts = {row.state: row.numbers for row in await self._connection.execute(statement)}
        return Tally(**counts)

    async def left_out(self, change: int, wave: int) -> int:
        """Return how many numbers of a wave were not sent because of what had changed since the plan was made."""
        its = select(batches.c.position).where(batches.c.change_id == change, batches.c.wave == wave)
        statement = select(func.count()).where(
            operations.c.change_id == change,
            operations.c.batch.in_(its),
            operations.c.state == OperationState.NOT_ATTEMPTED.value,
            operations.c.code == STALE,
        )
        return (await self._connection.execute(statement)).scalar_one()

    async def groups(self, change: int, state: OperationState, limit: int = 20) -> list[FailureGroup]:
        """Return the numbers in ``state``, such as the failed ones, grouped by reason, the most frequent first."""
        what = (operations.c.code, operations.c.reason, operations.c.pointer)
        failed = (operations.c.change_id == change, operations.c.state == state.value)
        count = func.count().label("count")
        statement = select(*what, count).where(*failed).group_by(*what).order_by(count.desc(), *what).limit(limit)
        groups: list[FailureGroup] = []
        for code, reason, pointer, number in await self._connection.execute(statement):
            examples = (
                select(operations.c.e164)
                .where(
                    *failed,
                    operations.c.code == code,
                    operations.c.reason == reason,
                    operations.c.pointer == pointer,
                )
                .order_by(operations.c.position)
                .limit(EXAMPLES)
            )
            named = tuple((await self._connection.execute(examples)).scalars())
            groups.append(FailureGroup(code=code, reason=reason, pointer=pointer, count=number, examples=named))
        return groups


def _rows(change: int, first: int, numbers: Sequence[PlannedNumber]) -> list[dict[str, Any]]:
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
            like, shared = number, {"change_id": change, **_shared(number)}  # with its neighbours, mostly
        rows.append({**shared, "position": position, "number_id": number.id, "e164": number.e164})
    return rows


def _shared(number: PlannedNumber) -> dict[str, Any]:
    """Return the columns that are alike in all numbers of a batch that have the same values."""
    return {
        "batch": number.batch,
        # What is sent is the batch's; here a secret has only to be compared.
        "before": _encoded(number.before),
        "after": _encoded(number.after),
        "beside": _encoded(number.beside) if number.beside else None,
        "state": (OperationState.WAITING if number.batch else OperationState.NOT_ATTEMPTED).value,
        "code": "" if number.batch else UNCHANGED,
        "reason": "" if number.batch else "It already has these values, so nothing was sent.",
    }


def _encoded(values: Values) -> Encoded:
    return Encoded(to_text(values_to_json(values, sealed=False)))


def _noted(reading: ReadBack) -> dict[str, Any]:
    return {"new_found": None if reading.found is None else values_to_json(reading.found)}


def _stretches(given: Iterable[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return what is written at which positions, in one row for each stretch of neighbours that are given the same.

    Most numbers of a batch are neighbours and fare alike, and a thousand of them are written by one statement.
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
