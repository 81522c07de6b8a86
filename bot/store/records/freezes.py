"""Freezes: while one is in force, nothing is submitted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.locks import Freeze
from bot.store.tables import freezes


class Freezes:
    """The table of freezes; at most one is in force."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def current(self) -> Freeze | None:
        """Return the freeze that is in force; None when there is none."""
        statement = select(freezes).where(freezes.c.lifted_at.is_(None)).order_by(freezes.c.id.desc()).limit(1)
        row = (await self._connection.execute(statement)).first()
        return Freeze(by=row.by, reason=row.reason, at=row.at) if row is not None else None

    async def add(self, freeze: Freeze) -> None:
        """Put a freeze into force."""
        await self._connection.execute(freezes.insert().values(by=freeze.by, reason=freeze.reason, at=freeze.at))

    async def lift(self, by: str, now: datetime) -> bool:
        """Lift whatever is in force; False when nothing was."""
        statement = update(freezes).where(freezes.c.lifted_at.is_(None)).values(lifted_by=by, lifted_at=now)
        return (await self._connection.execute(statement)).rowcount > 0
