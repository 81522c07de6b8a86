"""Seeing who holds which numbers, and letting go of them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.holds import Lock
from bot.changes.records import public_id
from bot.errors import Superseded
from bot.workflow.authority import Authority
from bot.workflow.context import Context
from bot.workflow.refusals import Refusals


class Unlocking:
    """Shows locks to everybody, and releases them for operators."""

    def __init__(self, context: Context, authority: Authority) -> None:
        self._context = context
        self._authority = authority
        self._refusals = Refusals(context)

    async def locks(self) -> Sequence[Lock]:
        """Return who holds how many numbers since when."""
        async with self._context.database.reading() as tx:
            return await tx.locks.list()

    async def allow(self, *, by: str) -> None:
        """Raise NotAllowed unless ``by`` is an operator."""
        async with self._refusals.noting("unlock", by=by):
            await self._authority.operate(by)

    async def unlock(self, change: int, *, by: str) -> int:
        """Release the locks of ``change`` and return how many numbers that was.

        The change itself goes on: this is for an operator who knows that it will not touch its numbers any more.
        Raises NotAllowed, or Superseded when it holds nothing.
        """
        async with self._refusals.noting("unlock", by=by, change=change):
            await self._authority.operate(by)
            return await self._unlock(change, by=by)

    async def _unlock(self, change: int, *, by: str) -> int:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            released = await tx.locks.release(change)
            if not released:
                raise Superseded(f"{public_id(change)} holds no numbers.")
            await tx.events.add(change, "unlocked", at=now, actor=by, numbers=released)
        return released
