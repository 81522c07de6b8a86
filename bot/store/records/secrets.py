"""Wiping secrets that are no longer needed: the sealed text goes, the fingerprint stays.

Sealed text is stored in two places only: in the draft until approval is requested, and in the values of a batch until
the provider certainly has them. Plans, summaries and digests count a secret by its fingerprint. Another, keyed
fingerprint of sent secrets is kept permanently; it recognises them without revealing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.values import without_sealed
from bot.store.tables import batches, changes, sent_secrets


class Secrets:
    """Wipes, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        #: Whether anything was wiped, so that its remains outside the tables must go too.
        self.wiped = False

    async def wipe_draft(self, change: int) -> None:
        """Wipe the secrets typed into the form of ``change``."""
        await self._wipe_drafts(changes.c.id == change)

    async def wipe_replaced(self, by: int) -> None:
        """Wipe the drafts whose secrets went over into the change ``by``, which replaced them."""
        await self._wipe_drafts(changes.c.replaced_by == by)

    async def wipe_batch(self, batch: int) -> None:
        """Wipe the secrets in one batch: it is never sent again."""
        await self._wipe_batches(batches.c.id == batch)

    async def wipe_change(self, change: int) -> None:
        """Wipe the secrets in all batches of ``change``."""
        await self._wipe_batches(batches.c.change_id == change)

    async def _wipe_drafts(self, which: ColumnElement[bool]) -> None:
        for row in (await self._connection.execute(select(changes.c.id, changes.c.draft).where(which))).all():
            if (wiped := without_sealed(row.draft)) != row.draft:
                await self._connection.execute(update(changes).where(changes.c.id == row.id).values(draft=wiped))
                self.wiped = True

    async def _wipe_batches(self, which: ColumnElement[bool]) -> None:
        for row in (await self._connection.execute(select(batches.c.id, batches.c["values"]).where(which))).all():
            if (wiped := without_sealed(row[1])) != row[1]:
                await self._connection.execute(update(batches).where(batches.c.id == row.id).values(values=wiped))
                self.wiped = True


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
        """Forget secrets sent before ``before``, unless a change that began earlier still runs.

        Until then a provider may still quote them.
        """
        over = [state.value for state in ChangeState if state.over]
        going_on = exists().where(changes.c.state.not_in(over), changes.c.created_at <= sent_secrets.c.sent_at)
        await self._connection.execute(delete(sent_secrets).where(sent_secrets.c.sent_at < before, ~going_on))
