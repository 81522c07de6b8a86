"""Giving a change another plan, made by a change for that purpose."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import batches, changes, operations

#: The fields of a change that come from its plan, and move with it.
_OF_THE_PLAN: Final = (
    "kind",
    "draft",
    "follows",
    "summary",
    "digest",
    "former_digest",
    "starts_at",
    "starts_zone",
    "ends_at",
    "ends_zone",
)


class Revisions:
    """Replaces plans, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take_over(self, change: int, other: int) -> None:
        """Give ``change`` the plan of ``other``, with every number and batch; its own plan is deleted.

        The caller holds both, and nothing of either was sent. Afterwards ``other`` has no numbers.
        """
        for table in (operations, batches):
            await self._connection.execute(delete(table).where(table.c.change_id == change))
            moved = update(table).where(table.c.change_id == other).values(change_id=change)
            await self._connection.execute(moved)
        planned = changes.alias("planned")
        values = {name: select(planned.c[name]).where(planned.c.id == other).scalar_subquery() for name in _OF_THE_PLAN}
        await self._connection.execute(update(changes).where(changes.c.id == change).values(values))
