"""Telling people that a change began later than announced, and what it had to wait for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from bot.changes.model.change import Change
from bot.changes.model.start import begins_at
from bot.changes.outcome.restores import how_late
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications

#: From this delay on, the failure channel hears of it too: nobody expects the change any more.
MUCH: Final = timedelta(hours=2)


class Lateness:
    """How late scheduled changes begin."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications

    async def due(self, tx: Transaction, change: Change) -> datetime | None:
        """Return when ``change`` was to begin, as people were told; None when it was to begin at once.

        A restore was to begin at the end of its temporary change.
        """
        if change.restores:
            whole = await tx.changes.get(await tx.changes.whole(change.id))
            return whole.until.at if whole.until else None
        said = await self._notify.told(tx, change.id, "approved")
        return datetime.fromtimestamp(said["begins"], UTC) if said and "begins" in said else None

    async def tell(self, tx: Transaction, change: Change, now: datetime) -> None:
        """Say how late a change is that begins ``now``, if it is, and what it waited for last, if that is known."""
        if (due := await self.due(tx, change)) is None or (late := how_late(due, now)) is None:
            return
        seconds, why = int(late.total_seconds()), change.waiting_for
        name = "began_late" if change.restores else "started_late"
        await tx.events.add(change.id, "began_late", at=now, digest=change.digest, minutes=seconds // 60)
        await self._notify.line(tx, change.id, name, seconds=seconds, due=int(due.timestamp()), why=why)
        # A window closed at that time was foreseen: the requester and the approvers were shown it.
        opened = begins_at(None, self._context.governing(change).windows, due) or due
        if now - opened >= MUCH:
            await self._notify.failure(tx, change.id, name, seconds=seconds, due=int(due.timestamp()), why=why)
