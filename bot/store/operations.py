"""Operations, one row per number of a change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.lifecycle import OPERATION_STEPS, OperationState, before
from bot.changes.outcomes import UNCHANGED, Verdict
from bot.changes.plans import PlannedNumber
from bot.changes.records import FailureGroup, Operation, Tally
from bot.changes.values import values_from_json, values_to_json
from bot.store.tables import operations

#: How many numbers stand as examples beside a reason.
EXAMPLES = 3
#: Rows written at once.
CHUNK = 500


class Operations:
    """The table of operations."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, change: int, numbers: Sequence[PlannedNumber]) -> None:
        """Write a plan's numbers; those that already have the wanted values are accounted for at once."""
        for start in range(0, len(numbers), CHUNK):
            # In portions: values are made into JSON on the loop, which has clicks to answer meanwhile.
            rows = [_row(change, start + i, number) for i, number in enumerate(numbers[start : start + CHUNK])]
            await self._connection.execute(operations.insert(), rows)

    async def of_batch(self, change: int, batch: int) -> list[Operation]:
        """Return the numbers of one batch, in the plan's order."""
        statement = (
            select(operations)
            .where(operations.c.change_id == change, operations.c.batch == batch)
            .order_by(operations.c.position)
        )
        return [to_operation(row) for row in await self._connection.execute(statement)]

    async def stream(self, change: int) -> AsyncIterator[Operation]:
        """Stream all numbers of a change in the plan's order, without holding them all in memory."""
        statement = select(operations).where(operations.c.change_id == change).order_by(operations.c.position)
        result = await self._connection.stream(statement.execution_options(yield_per=1000))
        async for row in result:
            yield to_operation(row)

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

    async def settle(self, change: int, verdicts: Sequence[Verdict], now: datetime) -> None:
        """Write outcomes. An outcome that is there already is never overwritten."""
        by_state: dict[OperationState, list[Verdict]] = {}
        for verdict in verdicts:
            by_state.setdefault(verdict.state, []).append(verdict)
        for state, group in by_state.items():
            # Not IN: SQLAlchemy does not expand it for many rows at once.
            may_settle = or_(*(operations.c.state == origin.value for origin in before(OPERATION_STEPS, state)))
            statement = (
                update(operations)
                .where(
                    operations.c.change_id == change,
                    operations.c.position == bindparam("at_position"),
                    may_settle,
                )
                .values(
                    state=state.value,
                    code=bindparam("new_code"),
                    reason=bindparam("new_reason"),
                    pointer=bindparam("new_pointer"),
                    settled_at=now,
                )
            )
            rows = [
                {
                    "at_position": verdict.position,
                    "new_code": verdict.code[:64],
                    "new_reason": verdict.reason,
                    "new_pointer": verdict.pointer,
                }
                for verdict in group
            ]
            await self._connection.execute(statement, rows)

    async def settle_batch(
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
            .values(state=state.value, code=code[:64], reason=reason, pointer=pointer, settled_at=now)
        )
        await self._connection.execute(statement)

    async def tally(self, change: int) -> Tally:
        """Count the change's numbers by state."""
        statement = (
            select(operations.c.state, func.count().label("numbers"))
            .where(operations.c.change_id == change)
            .group_by(operations.c.state)
        )
        counts = {row.state: row.numbers for row in await self._connection.execute(statement)}
        return Tally(**counts)

    async def failures(self, change: int, limit: int = 20) -> list[FailureGroup]:
        """Return the failed numbers grouped by reason, the most frequent first."""
        what = (operations.c.code, operations.c.reason, operations.c.pointer)
        failed = (operations.c.change_id == change, operations.c.state == OperationState.FAILED.value)
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


def _row(change: int, position: int, number: PlannedNumber) -> dict[str, Any]:
    return {
        "change_id": change,
        "position": position,
        "batch": number.batch,
        "number_id": number.id,
        "e164": number.e164,
        "before": values_to_json(number.before),
        "after": values_to_json(number.after),
        "state": (OperationState.WAITING if number.batch else OperationState.NOT_ATTEMPTED).value,
        "code": "" if number.batch else UNCHANGED,
        "reason": "" if number.batch else "It already has these values, so nothing was sent.",
    }


def to_operation(row: Row[Any]) -> Operation:
    """Return the operation that a row of the table is."""
    return Operation(
        change=row.change_id,
        position=row.position,
        batch=row.batch,
        number_id=row.number_id,
        e164=row.e164,
        before=values_from_json(row.before),
        after=values_from_json(row.after),
        state=OperationState(row.state),
        code=row.code,
        reason=row.reason,
        pointer=row.pointer,
        settled_at=row.settled_at,
    )
