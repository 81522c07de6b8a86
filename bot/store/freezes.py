"""Freezes, while one of which is in force nothing is submitted, and the brake: who comes first, sender or stopper."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
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


_KEY: Final = "linesman:brake"


class Brake:
    """The brake, within one transaction; it is let go of at the transaction's end.

    Whatever decides that a request may go out heeds it in the transaction that notes the intent; whatever freezes,
    stops or lifts a freeze pulls it. The one waits for the other's commit, so once a freeze or a stop is committed
    nobody notes an intent that had not seen it. On SQLite there is one writer at a time anyway.

    Both take it before anything else in their transaction: two that wait for each other's rows would never end.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def heed(self) -> None:
        """Keep freezes and stops as they are; any number of transactions may at once."""
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(select(func.pg_advisory_xact_lock_shared(func.hashtext(_KEY))))

    async def pull(self) -> None:
        """Wait until every intent that is being noted is committed, and let no other be noted."""
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(_KEY))))
