"""From queued batches to jobs at the provider, each created once."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.changes.batches import Batch
from bot.changes.kinds import Kind
from bot.changes.lifecycle import BatchState, OperationState
from bot.changes.outcomes import REFUSED
from bot.changes.pacing import next_poll
from bot.changes.policy import OnStale
from bot.changes.records import Change
from bot.errors import (
    BadRequest,
    Forbidden,
    Missing,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    SecretError,
    Superseded,
    TooManyJobs,
    Unauthorised,
    Unavailable,
)
from bot.providers.base import BatchRequest, JobReport
from bot.store.transaction import Transaction
from bot.store.work import Claim, Task
from bot.workflow.announcements import Announcements
from bot.workflow.context import Context
from bot.workflow.settling import CLEAR, SLOT_NEWS, SLOT_WAIT, free_slot, settle_change, stop_batch

log = structlog.get_logger(__name__)

#: How soon to look again while another batch finds out whether there is a free slot.
PROBE_WAIT = timedelta(seconds=1)


class Submission:
    """Submits batches."""

    def __init__(self, context: Context, announcements: Announcements, worker: str) -> None:
        self._context = context
        self._say = announcements
        #: The owner of the claims that this process holds.
        self._worker = worker

    async def submit(self, claim: Claim) -> None:
        """Carry out the task: send one batch.

        The batch is ``submitting`` in the database before its POST goes out. Found ``submitting`` at the start of
        this task, it was interrupted there, and nobody knows whether the POST went out: it is searched for.
        """
        async with self._context.database.reading() as tx:
            batch = await tx.batches.get(claim.subject)
            change = await tx.changes.get(batch.change)
        kind = self._context.catalogue.kind(change.kind)
        if batch.state is BatchState.SUBMITTING:
            await self._unknown(claim, batch, change, "the process stopped while it was being sent")
            return
        if batch.state is not BatchState.QUEUED:
            await self._finish_task(claim)
            return
        request = await request_of(self._context, batch, kind)
        if not await self._begin(claim, batch, kind):
            return
        provider = self._context.catalogue.provider(kind)
        try:
            report = await provider.submit(request)
        except TooManyJobs as error:
            await self._no_slot(claim, batch, error)
        except RateLimited as error:
            await self._queue_again(claim, batch, timedelta(seconds=error.wait), error.message)
        except Unavailable as error:
            await self._queue_again(claim, batch, self._backoff(claim), error.message)
        except (BadRequest, Unauthorised, Forbidden, Missing, SecretError) as error:
            await self._refused(claim, batch, change, error)
        except OutcomeUnknown as error:
            await self._unknown(claim, batch, change, error.message)
        else:
            await self._made(claim, batch, change, kind, report)

    async def _begin(self, claim: Claim, batch: Batch, kind: Kind) -> bool:
        """Write down that the POST is about to go out; False when it must not."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.brake.heed()
            if not await tx.work.held(claim, self._worker):
                return False  # somebody took the claim over; the batch is theirs
            if (await tx.changes.get(batch.change)).stopped_at is not None:
                await tx.work.done(claim)
                await stop_batch(tx, batch, now)
                await settle_change(tx, batch.change, self._context)
                return False
            wait = await self._wait(tx, batch, kind)
            if wait:
                await tx.work.again(claim, now + wait)
                await self._say.card(tx, batch.change)
                return False
            try:
                await tx.batches.move(
                    batch.id,
                    BatchState.SUBMITTING,
                    attempted_at=now,
                    attempted_there=self._context.catalogue.provider(kind).clock.latest,
                    attempts=batch.attempts + 1,
                    absences=0,
                )
            except Superseded:
                await tx.work.done(claim)
                return False
            await tx.events.add(batch.change, "batch_submitting", at=now, batch=batch.position)
        return True

    async def _wait(self, tx: Transaction, batch: Batch, kind: Kind) -> timedelta:
        """Return how long the batch has to wait before it may be sent; nothing when it may now.

        While the provider refuses for want of a slot, which others may hold, one batch of the kind at a time finds out
        whether that is still so: 500 waiting batches must not mean 500 refused requests.
        """
        if await tx.freezes.current() is not None or await tx.batches.undecided(batch.change):
            return SLOT_WAIT  # an operator's word is awaited, and hastens this
        if await tx.batches.in_flight(kind.name) >= kind.jobs_in_flight:
            return SLOT_WAIT
        now = self._context.clock()
        refused = await tx.batches.slot_refused(kind.name, now - SLOT_NEWS)
        if refused is None:
            return timedelta(0)
        gate = refused + SLOT_WAIT - now
        if gate > timedelta(0):
            return gate
        return PROBE_WAIT if await tx.batches.being_sent(kind.name) else timedelta(0)

    async def _no_slot(self, claim: Claim, batch: Batch, error: TooManyJobs) -> None:
        """Others hold the slots that we do not: the batch waits, which is no failure."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.batches.move(batch.id, BatchState.QUEUED, slot_refused_at=now)
            await tx.work.again(claim, now + SLOT_WAIT)
            if batch.slot_refused_at is None:  # the trail tells of the waiting once, not of every try
                await tx.events.add(
                    batch.change, "batch_postponed", at=now, batch=batch.position, why="waiting for a free slot"
                )
            await self._say.card(tx, batch.change)
        log.info("no free slot", change=batch.change, batch=batch.position, why=error.message)
        self._context.ring()

    async def _made(self, claim: Claim, batch: Batch, change: Change, kind: Kind, report: JobReport) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            await adopt(tx, self._context, batch, kind, report)
            await say_submitted(tx, self._say, change.id)
            await tx.events.add(change.id, "batch_submitted", at=now, batch=batch.position, job=report.id)
            if await tx.batches.slot_refused(kind.name, now - SLOT_NEWS) is not None:
                await free_slot(tx, kind, now)  # where this one fitted in, the next may
        self._context.ring()

    async def _queue_again(self, claim: Claim, batch: Batch, wait: timedelta, why: str) -> None:
        """Put a batch that the provider surely did not take back into the queue."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.batches.move(batch.id, BatchState.QUEUED)
            await tx.work.again(claim, now + wait)
            await tx.events.add(batch.change, "batch_postponed", at=now, batch=batch.position, why=why)
            await self._say.card(tx, batch.change)
        log.info("batch postponed", change=batch.change, batch=batch.position, seconds=wait.total_seconds(), why=why)
        self._context.ring()

    def _backoff(self, claim: Claim) -> timedelta:
        pace = self._context.timing.poll
        doubled: timedelta = pace.least * 2.0 ** min(claim.attempts, 10)
        return min(pace.most, doubled)

    async def _refused(self, claim: Claim, batch: Batch, change: Change, error: ProviderError | SecretError) -> None:
        """Settle a batch that the provider refused whole: none of its numbers was changed, and each says why."""
        now = self._context.clock()
        code = getattr(error, "code", "") or REFUSED
        pointer = getattr(error, "pointer", "")
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            await tx.batches.move(batch.id, BatchState.SETTLED, settled_at=now)
            await tx.operations.settle_batch(
                change.id,
                batch.position,
                OperationState.FAILED,
                code=code,
                reason=error.message,
                pointer=pointer,
                now=now,
            )
            await tx.events.add(
                change.id, "batch_refused", at=now, batch=batch.position, code=code, answer=error.message
            )
            await self._say.card(tx, change.id)
            await settle_change(tx, change.id, self._context)
        log.warning("batch refused", change=change.id, batch=batch.position, code=code)
        self._context.ring()

    async def _unknown(self, claim: Claim, batch: Batch, change: Change, why: str) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            sent = await tx.batches.get(batch.id)
            await tx.batches.move(
                batch.id,
                BatchState.UNKNOWN,
                unanswered_since=sent.unanswered_since or sent.attempted_at,
                unanswered_there=sent.floor,
            )
            await tx.work.add(Task.SEARCH, batch.id, now)
            await tx.events.add(change.id, "batch_unknown", at=now, batch=batch.position, why=why)
            await self._say.card(tx, change.id)
        log.warning("submission without an answer", change=change.id, batch=batch.position, why=why)
        self._context.ring()

    async def _finish_task(self, claim: Claim) -> None:
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)


async def request_of(context: Context, batch: Batch, kind: Kind) -> BatchRequest:
    """Return what is sent for ``batch``: its numbers as they were approved, and its values."""
    async with context.database.reading() as tx:
        change = await tx.changes.get(batch.change)
        operations = await tx.operations.of_batch(batch.change, batch.position)
    numbers = tuple((operation.number_id, operation.e164) for operation in operations)
    return BatchRequest(
        kind=kind,
        numbers=numbers,
        values=batch.values,
        handed=batch.handed,
        reference=batch.reference,
        before={operation.number_id: operation.before for operation in operations},
        on_stale=on_stale(context, change),
    )


def on_stale(context: Context, change: Change) -> OnStale:
    """Return what follows when numbers of ``change`` are stale, by the policy of now; stop when no rule governs it."""
    summary = change.summary
    policy = context.policies.governing(change.kind, summary.size if summary else 0, summary.names if summary else ())
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
        moved_at=now,
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
    await tx.work.add(Task.POLL, batch.id, due)


async def say_submitted(tx: Transaction, announcements: Announcements, change: int) -> None:
    """Show progress, and tell the thread once all batches have become jobs."""
    states = await tx.batches.states(change)
    if not {BatchState.QUEUED, BatchState.SUBMITTING, BatchState.UNKNOWN} & states.keys():
        jobs = sum(1 for batch in await tx.batches.of(change) if batch.job)
        if jobs:  # a batch that was refused, stopped or given up has none
            await announcements.line(tx, change, "submitted", batches=jobs)
    await announcements.card(tx, change)
