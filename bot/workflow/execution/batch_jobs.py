"""The request of a batch; recording, polling and announcing a batch that has become a job."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.changes.model.batches import Batch
from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState, OperationState
from bot.changes.outcome.outcomes import GIVEN_UP, UNCHANGED
from bot.changes.outcome.poll_schedule import expected_end, next_poll
from bot.changes.policy import OnStale
from bot.providers.base import BatchRequest, JobReport
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.execution.settlement import CLEAR
from bot.workflow.notifications import Notifications

#: Why a number is not sent after stale numbers have stopped its change.
OTHERS_CHANGED: Final = "Numbers of the change have changed since the plan was made, so nothing more of it was sent."
#: Longest text about stale numbers that a change keeps, in characters; the results name every number.
_MOST_TEXT: Final = 2000


async def request_of(context: Context, batch: Batch, kind: Kind) -> BatchRequest:
    """Return the request for ``batch``: its numbers as they were approved, and its values."""
    async with context.database.reading() as tx:
        change = await tx.changes.get(batch.change)
        numbers = (await tx.operations.planned(batch.change, [batch.position])).values()
    return BatchRequest(
        kind=kind,
        numbers=tuple((number.id, number.e164) for number in numbers),
        values=batch.values,
        handed=batch.handed,
        reference=batch.reference,
        before={number.id: number.before for number in numbers},
        on_stale=on_stale(context, change),
    )


def on_stale(context: Context, change: Change) -> OnStale:
    """Return what the current policy does about stale numbers of ``change``; stop when no rule governs it.

    When a temporary change ends, a number that somebody changed does not keep the others from being restored.
    """
    if change.part_of is not None:
        return OnStale.CONTINUE
    policy = context.policies.governing(change.kind, change.size, change.names)
    return policy.on_stale if policy else OnStale.STOP


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
    due = await poll_due(tx, context, replace(batch, submitted_at=now, progressed_at=now), kind, report)
    await tx.tasks.add(Task.POLL, batch.id, due)


async def poll_due(
    tx: Transaction, context: Context, batch: Batch, kind: Kind, report: JobReport | None, *, moved: bool = False
) -> datetime:
    """Return when the job of ``batch`` is polled next.

    ``report`` is what was just read, if it could be; ``moved`` says whether outcomes are new in it.
    """
    now = context.clock()
    pace = context.timing.poll
    since = batch.submitted_at or now
    moved_at = now if moved else batch.progressed_at or since
    done_by = report.done_by if report else batch.done_by
    decided = len(report.succeeded) + len(report.failed) if report else 0
    share = min(1.0, decided / batch.size) if batch.size and moved_at > since else 0.0
    typical = None
    if done_by is None and not share:
        seconds = await tx.batches.typical_seconds(kind.name, like=batch.size)
        typical = None if seconds is None else timedelta(seconds=seconds)
    expected = expected_end(since=since, moved_at=moved_at, done_by=done_by, share=share, typical=typical)
    if expected and context.catalogue.provider(kind).carries_out:
        # Looking at a run of our own costs the provider nothing, and people watch it number by number.
        expected = min(expected, now + max(pace.least, min((expected - now) / 2, pace.most)))
    return next_poll(
        pace,
        now=now,
        since=since,
        expected=expected,
        moves=moved,
        in_flight=await tx.job_slots.watched(kind.provider),
        spread=batch.id,
    )


async def say_submitted(tx: Transaction, notifications: Notifications, change: int) -> None:
    """Show progress, and tell the thread once all batches have become jobs."""
    states = await tx.batches.states(change)
    if not {BatchState.QUEUED, BatchState.SUBMITTING, BatchState.UNKNOWN} & states.keys():
        wave = (await tx.changes.get(change)).wave  # the jobs of earlier waves have ended
        jobs = sum(1 for batch in await tx.batches.of(change) if batch.job and batch.wave == wave)
        if jobs:  # a batch that was refused, stopped or given up has no job
            await notifications.line(tx, change, "submitted", batches=jobs)
    await notifications.card(tx, change)
    await say_kept_back(tx, notifications, change)


async def say_kept_back(tx: Transaction, notifications: Notifications, change: int) -> None:
    """Tell the thread how many numbers a stop kept back, once every batch that had no answer then is decided.

    A batch that an operator gave up counts as decided: nobody will ever know of its numbers.
    """
    told = await notifications.told(tx, change, "stopped")
    if not (told and told.get("unknown")):
        return
    states = await tx.batches.states(change)
    if {BatchState.QUEUED, BatchState.SUBMITTING, BatchState.UNKNOWN} & states.keys():
        return
    unsent = await tx.tallies.groups(change, OperationState.NOT_ATTEMPTED)
    numbers = sum(group.count for group in unsent if group.code != UNCHANGED)
    unknown = await tx.tallies.groups(change, OperationState.UNKNOWN)
    given_up = sum(group.count for group in unknown if group.code == GIVEN_UP)
    await notifications.line(tx, change, "kept_back", numbers=numbers, given_up=given_up)


async def leave_out(tx: Transaction, notifications: Notifications, change: Change, problem: str) -> None:
    """Note the ``problem`` of numbers that changed, and tell people that ``change`` continues without them.

    For a restore, only the thread is told: those numbers are left on purpose, and others of their jobs come later.
    """
    await tx.changes.put(change.id, problem=f"{change.problem}\n{problem}".strip()[:_MOST_TEXT])
    await notifications.line(tx, change.id, "left_out")
    if change.part_of is None:
        await notifications.failure(tx, change.id, "left_out")
