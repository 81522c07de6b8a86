"""Wiping secrets that nobody needs any more: the sealed text goes, the fingerprint stays.

Sealed text rests in two places only: in the draft until approval is asked for, and in the values of a batch until the
provider has them for certain. Plans, summaries and digests count a secret by its fingerprint.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.values import without_sealed
from bot.store.tables import batches, changes


class Secrets:
    """Wipes, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        #: Whether anything was wiped, so that what is left of it beside the tables has to go too.
        self.wiped = False

    async def wipe_draft(self, change: int) -> None:
        """Wipe what was typed into the form of ``change``."""
        await self._wipe_drafts(changes.c.id == change)

    async def wipe_replaced(self, by: int) -> None:
        """Wipe the drafts whose secrets went over into the change ``by``, which took their place."""
        await self._wipe_drafts(changes.c.replaced_by == by)

    async def wipe_batch(self, batch: int) -> None:
        """Wipe what one batch sends: it is never sent again."""
        await self._wipe_batches(batches.c.id == batch)

    async def wipe_change(self, change: int) -> None:
        """Wipe what all batches of ``change`` send."""
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
