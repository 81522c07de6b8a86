"""What is known for ever of secrets that were sent: keyed fingerprints, by which they are recognised and not read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.lifecycle import ChangeState
from bot.store.tables import changes, sent_secrets

#: Rows that are read once more: on PostgreSQL a row can become visible after one with a higher id.
AGAIN: Final = 100


class SentSecretTable:
    """The table of fingerprints."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, fingerprint: str, length: int, at: datetime) -> None:
        """Write down that the secret goes out now."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(sent_secrets).values(fingerprint=fingerprint, length=length, sent_at=at)
        again = {"sent_at": at, "length": length}
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["fingerprint"], set_=again))

    async def since(self, last: int) -> Sequence[tuple[int, str, int | None]]:
        """Return (id, fingerprint, length if known) of the rows after the id ``last``, and of a few before it."""
        columns = (sent_secrets.c.id, sent_secrets.c.fingerprint, sent_secrets.c.length)
        rows = await self._connection.execute(select(*columns).where(sent_secrets.c.id > last - AGAIN))
        return [(row.id, row.fingerprint, row.length) for row in rows]

    async def forget(self, before: datetime) -> None:
        """Forget what was sent before ``before``, unless a change that began earlier still goes on.

        Until then a provider may still quote it.
        """
        over = [state.value for state in ChangeState if state.over]
        going_on = exists().where(changes.c.state.not_in(over), changes.c.created_at <= sent_secrets.c.sent_at)
        await self._connection.execute(delete(sent_secrets).where(sent_secrets.c.sent_at < before, ~going_on))
