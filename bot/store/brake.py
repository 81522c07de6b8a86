"""Who comes first: whoever is about to send something, or whoever stops it.

Whatever decides that a request may go out heeds the brake in the transaction that notes the intent; whatever freezes,
stops or lifts a freeze pulls it. The one waits for the other's commit, so once a freeze or a stop is committed nobody
notes an intent that had not seen it. On SQLite there is one writer at a time anyway.

Both take the brake before anything else in their transaction: two that wait for each other's rows would never end.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

_KEY: Final = "linesman:brake"


class Brake:
    """The brake, within one transaction; it is let go of at the transaction's end."""

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
