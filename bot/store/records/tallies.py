"""How many numbers of a change are in each state, and why."""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.batches import FailureGroup, Tally
from bot.changes.model.lifecycle import OperationState
from bot.changes.outcome.outcomes import STALE
from bot.store.tables import batches, operations

#: How many numbers are shown as examples of a reason.
EXAMPLES = 3


class Tallies:
    """Counts the rows of the table of operations."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, change: int, *, wave: int | None = None) -> Tally:
        """Count the change's numbers by state: all of them, or those of one wave."""
        statement = (
            select(operations.c.state, func.count().label("numbers"))
            .where(operations.c.change_id == change)
            .group_by(operations.c.state)
        )
        if wave is not None:
            statement = statement.where(operations.c.batch.in_(_batches_of(change, wave)))
        counts = {row.state: row.numbers for row in await self._connection.execute(statement)}
        return Tally(**counts)

    async def left_out(self, change: int, *, wave: int | None = None) -> int:
        """Return how many numbers, of all or of a wave, were not sent because numbers changed after planning.

        Numbers that shared a job with a changed one count as well.
        """
        statement = select(func.count()).where(
            operations.c.change_id == change,
            operations.c.state == OperationState.NOT_ATTEMPTED.value,
            operations.c.code == STALE,
        )
        if wave is not None:
            statement = statement.where(operations.c.batch.in_(_batches_of(change, wave)))
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


def _batches_of(change: int, wave: int) -> Select[tuple[int]]:
    """Return a query for the positions of the batches of one wave."""
    return select(batches.c.position).where(batches.c.change_id == change, batches.c.wave == wave)
