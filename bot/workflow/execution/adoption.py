"""A batch that has become a job at the provider: written down, watched from now on, and told."""

from __future__ import annotations

from bot.changes.model.batches import Batch
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState, OperationState
from bot.changes.model.messages import Topic
from bot.changes.outcome.outcomes import GIVEN_UP, UNCHANGED
from bot.changes.outcome.poll_schedule import next_poll
from bot.providers.base import JobReport
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.execution.settlement import CLEAR
from bot.workflow.notifications import Notifications


async def adopt(tx: Transaction, context: Context, batch: Batch, kind: Kind, report: JobReport) -> None:
    """Write down that ``batch`` became the job ``report`` and make its first poll due."""
    now = context.clock()
    await tx.batches.move(
        batch.id,
        BatchState.SUBMITTED,
        job=report.id,
        submitted_at=now,
        done_by=report.done_by,
        job_state=report.state_word[:32],
        polls=0,
        unanswered_since=None,
        unanswered_there=None,
        slot_refused_at=None,
        progressed_at=now,
        **CLEAR,
    )
    if batch.handed:
        await tx.operations.admit(batch.change, batch.position, report.known, batch.values)
    await tx.operations.sent(batch.change, batch.position)
    due = next_poll(
        context.timing.poll,
        now=now,
        polls=0,
        done_by=report.done_by,
        in_flight=await tx.batches.watched(kind.provider),
        spread=batch.id,
    )
    await tx.tasks.add(Task.POLL, batch.id, due)


async def say_submitted(tx: Transaction, notifications: Notifications, change: int) -> None:
    """Show progress, and tell the thread once all batches have become jobs."""
    states = await tx.batches.states(change)
    if not {BatchState.QUEUED, BatchState.SUBMITTING, BatchState.UNKNOWN} & states.keys():
        jobs = sum(1 for batch in await tx.batches.of(change) if batch.job)
        if jobs:  # a batch that was refused, stopped or given up has none
            await notifications.line(tx, change, "submitted", batches=jobs)
    await notifications.card(tx, change)
    await say_kept_back(tx, notifications, change)


async def say_kept_back(tx: Transaction, notifications: Notifications, change: int) -> None:
    """Tell the thread how many numbers a stop kept back, once that is decided of the batches that had no answer then.

    It is also when nobody will ever know of some: an operator has given them up.
    """
    told = await tx.outbox.told(change, Topic.THREAD, "stopped")
    states = await tx.batches.states(change)
    undecided = {BatchState.QUEUED, BatchState.SUBMITTING, BatchState.UNKNOWN} & states.keys()
    if undecided or not (told and told.get("unknown")):
        return
    unsent = await tx.operations.groups(change, OperationState.NOT_ATTEMPTED)
    numbers = sum(group.count for group in unsent if group.code != UNCHANGED)
    unknown = await tx.operations.groups(change, OperationState.UNKNOWN)
    given_up = sum(group.count for group in unknown if group.code == GIVEN_UP)
    await notifications.line(tx, change, "kept_back", numbers=numbers, given_up=given_up)
