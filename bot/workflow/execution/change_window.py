"""The change window of a change that has begun: what is not sent when it closes waits until it opens again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.changes.model.batches import Batch
from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.start import begins_at
from bot.providers.base import Provider
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.execution.stop import reach
from bot.workflow.notifications import Notifications

#: The thread line that says so.
OUTSIDE: Final = "outside_window"
#: The audit event for the same.
CLOSED: Final = "window_closed"
#: Most changes that are looked at when a process starts; older ones wait until their window would have opened.
ASKED: Final = 1000


async def waiting_numbers(tx: Transaction, provider: Provider, change: Change, batches: Sequence[Batch]) -> int:
    """Return how many numbers of ``change`` a closed window keeps back: the unsent ones of the released waves."""
    if change.state is not ChangeState.RUNNING or change.stopped_at is not None:
        return 0
    return (await reach(tx, provider, [batch for batch in batches if batch.wave <= change.wave])).unsent


async def ask_again(context: Context) -> None:
    """Resume changes whose window is open now: the policy file may have changed its windows."""
    now = context.clock()
    async with context.database.transaction() as tx:
        for change in await tx.changes.newest([ChangeState.APPROVED, ChangeState.RUNNING], ASKED):
            if begins_at(change.start, context.governing(change).windows, now) is not None:
                continue
            await tx.tasks.hasten(Task.START, now, [change.id])
            # A change that was never told to wait for its window waits for something else.
            if any(event.what == CLOSED for event in await tx.events.of(change.id)):
                await tx.tasks.hasten(Task.SUBMIT, now, [batch.id for batch in await tx.batches.of(change.id)])


class ChangeWindow:
    """The change windows of running changes, under the current policy."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications

    async def closed_until(self, tx: Transaction, change: Change) -> datetime | None:
        """Return when the closed window opens, and tell people of it; None while it is open.

        The caller holds the change. Thread, card and audit log say once per opening time that the rest waits for it.
        """
        opens = self._context.window_opens(change)
        if opens is not None:
            each = f"{opens:%Y%m%d%H%M}"
            if await self._notify.told(tx, change.id, f"{OUTSIDE}:{each}") is None:
                await self._tell(tx, change, opens, each)
        return opens

    async def _tell(self, tx: Transaction, change: Change, opens: datetime, each: str) -> None:
        provider = self._context.catalogue.provider(self._context.catalogue.kind(change.kind))
        if not (numbers := await waiting_numbers(tx, provider, change, await tx.batches.of(change.id))):
            return
        at, until = self._context.clock(), f"{opens:%Y-%m-%d %H:%M} UTC"
        await tx.events.add(change.id, CLOSED, at=at, numbers=numbers, opens=until)
        await self._notify.line(tx, change.id, OUTSIDE, each=each, numbers=numbers, opens=int(opens.timestamp()))
        await self._notify.card(tx, change.id)
