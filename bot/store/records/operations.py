"""Operations, one row per number of a change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Select, Text, bindparam, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.batches import BatchNumber, Operation
from bot.changes.model.lifecycle import CHANGED, OPERATION_STEPS, REPORTED, OperationState, before
from bot.changes.model.values import Values
from bot.changes.outcome.outcomes import CONTRADICTORY, NumberOutcome
from bot.changes.planning.plan import PlannedNumber
from bot.store.records import operation_rows
from bot.store.records.operation_rows import IN_RANGE, position_ranges
from bot.store.tables import operations

#: Rows written at once.
CHUNK = 500
#: The known values of a number before a job has named it.
_NOTHING: Final[Values] = MappingProxyType({})


class Operations:
    """The table of operations."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, change: int, numbers: Sequence[PlannedNumber]) -> None:
        """Write a plan's numbers; those that already have the wanted values get their outcome at once."""
        for start in range(0, len(numbers), CHUNK):
            # In portions: rows are made on the loop, which has clicks to answer meanwhile.
            rows = operation_rows.of_plan(change, start, numbers[start : start + CHUNK])
            await self._connection.execute(operations.insert(), rows)

    async def admit(self, change: int, batch: int, numbers: Mapping[str, str], after: Values) -> None:
        """Add numbers (id -> E.164) that a job turned out to include; known numbers stay unchanged."""
        present = select(operations.c.number_id).where(operations.c.change_id == change)
        known = set((await self._connection.execute(present)).scalars())
        fresh = [(id_, e164) for id_, e164 in numbers.items() if id_ not in known]
        for start in range(0, len(fresh), CHUNK):
            named = [
                PlannedNumber(id=id_, e164=e164, before=_NOTHING, after=after, batch=batch)
                for id_, e164 in fresh[start : start + CHUNK]
            ]
            rows = operation_rows.of_plan(change, len(known) + start, named)
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
        # Not in SQL: to sort, SQLite would read every number of the change.
        return sorted(found, key=attrgetter("position"))

    async def planned(self, change: int, batches: Sequence[int] = ()) -> dict[int, PlannedNumber]:
        """Return, in order and by position, a change's numbers as planned: all, or those of some batches."""
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
        """Stream one of each group of a change's numbers with the same values, batch and outcome."""
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
        """Return, by provider id, the latest operation of later changes on the numbers of ``change``.

        Locks keep two changes from a number at once, so whatever ended after this change's operation came later.
        """
        changed = [state.value for state in CHANGED]
        its = select(operations.c.number_id).where(operations.c.change_id == change)
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
        """Return id -> E.164 of the numbers that the plan changes, in the plan's order."""
        statement = (
            select(operations.c.number_id, operations.c.e164)
            .where(operations.c.change_id == change, operations.c.batch.is_not(None))
            .order_by(operations.c.position)
        )
        return {row.number_id: row.e164 for row in await self._connection.execute(statement)}

    async def sent(self, change: int, batch: int) -> None:
        """Note that a batch's waiting numbers are now part of a job."""
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
        """Write outcomes. One that exists is only overwritten where the job itself contradicts it."""
        groups: dict[tuple[OperationState, bool], list[NumberOutcome]] = {}
        for verdict in verdicts:
            groups.setdefault((verdict.state, verdict.code == CONTRADICTORY), []).append(verdict)
        for (state, contradicts), group in groups.items():
            origins = before(OPERATION_STEPS, state) | (REPORTED if contradicts else frozenset())
            # Not IN: SQLAlchemy does not expand it for many rows at once.
            may_end = or_(*(operations.c.state == origin.value for origin in origins))
            statement = (
                update(operations)
                .where(operations.c.change_id == change, IN_RANGE, may_end)
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
            await self._connection.execute(statement, position_ranges(given))

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
