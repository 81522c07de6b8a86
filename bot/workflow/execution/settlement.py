"""Ending batches that are not sent, and what follows when a batch has settled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bot.changes.model.batches import Batch
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState, ChangeState, OperationState
from bot.changes.outcome.outcomes import STOPPED
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.context import Context

#: Why the numbers of a cancelled change were not sent.
CANCELLED: Final = "The change was cancelled before this number was sent."
#: Why a number of a stopped change was not attempted.
STOPPED_NUMBER: Final = "The change was stopped before this number was sent."
#: Added to the reason of numbers that were about to be sent again.
NO_JOB: Final = "An earlier attempt got no response, and the provider lists no job for it."
#: Pause between two requests for a slot, while the provider refuses for lack of one and no job of ours ends.
SLOT_WAIT: Final = timedelta(seconds=10)
#: Pause while jobs of ours hold all slots: the first to end lets the batch that waited longest ask at once.
OWN_SLOT_WAIT: Final = timedelta(seconds=60)
#: How long a refusal counts as news: longer than the pause, as the next batch to ask may be held up.
SLOT_NEWS: Final = timedelta(seconds=60)
#: Columns of a batch that needs no operator.
CLEAR: Final[Mapping[str, Any]] = {"escalated_at": None, "doubt": "", "candidates": None, "overdue_at": None}


async def after_settling(tx: Transaction, change: int, context: Context) -> None:
    """Hand freed slots to waiting batches; when every batch released so far has settled, make the read-back due."""
    now = context.clock()
    record = await tx.changes.get(change)
    kind = context.catalogue.kind(record.kind)
    await free_slot(tx, kind, now)
    if record.state is ChangeState.RUNNING and await tx.batches.settled(change, record.wave):
        await tx.changes.move(change, ChangeState.VERIFYING, verifying_at=now, waiting_for="")
        await tx.events.add(change, "verifying", at=now)
        await tx.tasks.add(Task.VERIFY, change, now)


async def free_slot(tx: Transaction, kind: Kind, now: datetime) -> None:
    """Make the longest-waiting batches due now, one for each slot we believe is free (at least one)."""
    await tx.job_slots.freed(kind.name, now - SLOT_WAIT)
    free = kind.jobs_in_flight - await tx.job_slots.in_flight(kind.name)
    waiting = await tx.job_slots.queued(kind.name, limit=max(free, 1))
    await tx.tasks.hasten(Task.SUBMIT, now, waiting)


async def stop_batch(
    tx: Transaction,
    batch: Batch,
    now: datetime,
    *,
    code: str = STOPPED,
    reason: str = CANCELLED,
) -> None:
    """End a queued batch of a stopped change: its numbers are not attempted.

    If the batch was to be sent again, its numbers also say that no job came of the earlier attempt.
    """
    if batch.unanswered_since is not None:
        reason = f"{reason} {NO_JOB}"
    await tx.batches.move(batch.id, BatchState.SETTLED, settled_at=now, **CLEAR)
    await tx.operations.end_batch(
        batch.change,
        batch.position,
        OperationState.NOT_ATTEMPTED,
        code=code,
        reason=reason,
        pointer="",
        now=now,
    )
    await tx.events.add(batch.change, "batch_stopped", at=now, batch=batch.position, numbers=batch.size)
