"""The audit trail: what happened, written in the same transaction as what it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.records import Event
from bot.store.tables import events

log = structlog.get_logger(__name__)

#: The actor when nobody clicked.
ITSELF = "linesman"


class Events:
    """The table of events. Rows are only ever added."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(
        self,
        change: int | None,
        what: str,
        *,
        at: datetime,
        actor: str = ITSELF,
        digest: str = "",
        details: Mapping[str, str | int | None] | None = None,
        **more: str | int | None,
    ) -> None:
        """Write that ``actor`` did ``what``. Details are ids, counts and words; never a secret or a setting's value."""
        told = {**(details or {}), **more}
        statement = events.insert().values(change_id=change, at=at, actor=actor, what=what, digest=digest, details=told)
        await self._connection.execute(statement)
        log.info("event", what=what, change=change, actor=actor, details=told)

    async def newest(self) -> int:
        """Return the id of the newest event, 0 when there is none: whatever happens, it grows."""
        return (await self._connection.scalar(select(func.max(events.c.id)))) or 0

    async def of(self, change: int) -> list[Event]:
        """Return the change's events in order."""
        statement = select(events).where(events.c.change_id == change).order_by(events.c.id)
        return [
            Event(
                id=row.id,
                change=row.change_id,
                at=row.at,
                actor=row.actor,
                what=row.what,
                digest=row.digest,
                details=row.details,
            )
            for row in await self._connection.execute(statement)
        ]
