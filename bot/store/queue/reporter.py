"""Which of several replicas reports the figures of the whole database."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import func, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import reporter

#: For how long nobody else reports after a report: longer than the usual pause between two looks of Prometheus.
TERM: Final = timedelta(seconds=90)
_ROW: Final = 1


class Reporter:
    """The table of the one replica that reports; on PostgreSQL only, by its clock."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def leave(self, name: str) -> None:
        """Let somebody else report from now on, if ``name`` does."""
        await self._connection.execute(update(reporter).where(reporter.c.owner == name).values(owner=None))

    async def take(self, name: str) -> bool:
        """Tell whether ``name`` reports now: nobody else does, or did for a while."""
        until = func.now() + TERM
        taking = insert(reporter).values(id=_ROW, owner=name, claimed_until=until)
        statement = taking.on_conflict_do_update(
            index_elements=[reporter.c.id],
            set_={"owner": name, "claimed_until": until},
            where=or_(reporter.c.owner == name, reporter.c.owner.is_(None), reporter.c.claimed_until < func.now()),
        ).returning(reporter.c.owner)
        return (await self._connection.execute(statement)).first() is not None
