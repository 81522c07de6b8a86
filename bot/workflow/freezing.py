"""Stopping all submissions for a while."""

from __future__ import annotations

from bot.changes.holds import Freeze
from bot.changes.lifecycle import ChangeState
from bot.errors import InputError, Superseded
from bot.store.transaction import Transaction
from bot.store.work import Task
from bot.workflow.announcements import Announcements
from bot.workflow.authority import Authority
from bot.workflow.context import Context
from bot.workflow.refusals import Refusals

#: States whose cards say that submissions are frozen.
SHOWN = (ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED, ChangeState.RUNNING, ChangeState.PAUSED)
#: Most cards that are brought up to date when a freeze comes or goes; older ones follow at their next edit.
CARDS = 200


class Freezing:
    """Freezes and unfreezes submissions, for operators."""

    def __init__(self, context: Context, authority: Authority, announcements: Announcements) -> None:
        self._context = context
        self._authority = authority
        self._say = announcements
        self._refusals = Refusals(context)

    async def freeze(self, reason: str, *, by: str) -> None:
        """Stop all submissions. Raises NotAllowed, InputError without a reason, Superseded when frozen already."""
        async with self._refusals.noting("freeze", by=by):
            await self._freeze(reason, by=by)
        self._context.ring()

    async def _freeze(self, reason: str, *, by: str) -> None:
        await self._authority.operate(by)
        words = " ".join(reason.split())[:300]
        if not words:
            raise InputError({"reason": "Say why, everybody will read it: /numbers freeze carrier maintenance"})
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if (present := await tx.freezes.current()) is not None:
                raise Superseded(f"Submissions are frozen already: {present.reason}")
            await tx.freezes.add(Freeze(by=by, reason=words, at=now))
            await tx.events.add(None, "frozen", at=now, actor=by, reason=words)
            await self._show(tx)

    async def unfreeze(self, *, by: str) -> None:
        """Let submissions go on. Raises NotAllowed, or Superseded when nothing is frozen."""
        async with self._refusals.noting("unfreeze", by=by):
            await self._unfreeze(by=by)
        self._context.ring()

    async def _unfreeze(self, *, by: str) -> None:
        await self._authority.operate(by)
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if not await tx.freezes.lift(by, now):
                raise Superseded("Submissions are not frozen.")
            await tx.events.add(None, "unfrozen", at=now, actor=by)
            for task in (Task.START, Task.SUBMIT):
                await tx.work.hasten_all(task, now)
            await self._show(tx)

    async def _show(self, tx: Transaction) -> None:
        for change in await tx.changes.list(states=SHOWN, limit=CARDS):
            await self._say.cards(tx, change.id)
