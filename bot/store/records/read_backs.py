"""The results of reading the numbers of a change again after their jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.lifecycle import AWAITED, OperationState
from bot.changes.model.values import values_to_json
from bot.changes.outcome.outcomes import NOT_READ_BACK
from bot.changes.outcome.readback import AwaitedNumber, ReadBack
from bot.store.records import operation_rows
from bot.store.records.operation_rows import IN_RANGE, position_ranges
from bot.store.tables import operations

#: States of numbers that are still to be read back.
_AWAITED = tuple(sorted(state.value for state in AWAITED))


class ReadBacks:
    """The part of the table of operations that the read-back fills."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def awaiting(self, change: int) -> dict[str, AwaitedNumber]:
        """Return, by provider id, the numbers still to be read back.

        Their jobs say that they succeeded, or nobody says what became of them.
        """
        statement = (
            select(*operation_rows.AWAITED)
            .where(operations.c.change_id == change, operations.c.batch.is_not(None), operations.c.state.in_(_AWAITED))
            .order_by(operations.c.position)
        )
        result = await self._connection.stream(statement.execution_options(yield_per=1000))
        awaited: dict[str, AwaitedNumber] = {}
        async for rows in result.partitions():  # in portions, as the loop has clicks to answer meanwhile
            awaited.update(map(operation_rows.to_awaited, rows))
        return awaited

    async def add(self, change: int, readings: Sequence[ReadBack], now: datetime) -> None:
        """Write the values found, and the resulting outcome of numbers that have none yet."""
        at = (operations.c.change_id == change, IN_RANGE)
        if noted := [(reading.position, _noted(reading)) for reading in readings if reading.state is None]:
            statement = update(operations).where(*at).values(found=bindparam("new_found"), found_at=now)
            await self._connection.execute(statement, position_ranges(noted))
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
            await self._connection.execute(statement, position_ranges(decided))

    async def give_up(self, change: int, reason: str) -> None:
        """Note that every number still to be read back could not be verified, and why.

        The reason why its outcome was unknown stays in front.
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


def _noted(reading: ReadBack) -> dict[str, Any]:
    return {"new_found": None if reading.found is None else values_to_json(reading.found)}
