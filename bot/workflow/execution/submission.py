"""From queued batches to jobs at the provider, each created once."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.changes.model.batches import Batch
from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState, OperationState
from bot.changes.outcome.outcomes import REFUSED, UNLOCKED
from bot.errors import (
    BadRequest,
    ClaimLost,
    Forbidden,
    OutcomeUnknown,
    ProviderError,
    ProviderNotFound,
    RateLimited,
    SecretError,
    TooManyJobs,
    Unauthorised,
    Unavailable,
)
from bot.providers.base import BatchRequest, JobReport
from bot.providers.exchange import Ready
from bot.store.queue.tasks import Claim, Task, handles
from bot.workflow.context import Context
from bot.workflow.execution.batch_jobs import adopt, request_of, say_kept_back, say_submitted
from bot.workflow.execution.settlement import SLOT_NEWS, SLOT_WAIT, after_settling, free_slot
from bot.workflow.execution.staleness import Staleness
from bot.workflow.execution.stop import RELEASED, RELEASED_NUMBER, ChangeStop
from bot.workflow.execution.submission_gate import NextStep, SubmissionGate
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)

#: From this length on, people in front of a card want to know of a wait that a provider asks for.
LONG = timedelta(seconds=60)


class _KeptBack(Exception):
    """A batch that was about to be sent may not go now after all."""

    def __init__(self, step: NextStep) -> None:
        super().__init__(step.value)
        self.step = step


@dataclass(slots=True)
class _Try:
    """One attempt to send a batch."""

    claim: Claim
    batch: Batch
    change: Change
    kind: Kind
    #: Whether it is already written down that the POST is about to go out.
    begun: bool = False


class Submission:
    """Submits batches."""

    def __init__(self, context: Context, notifications: Notifications, staleness: Staleness) -> None:
        self._context = context
        self._notify = notifications
        self._staleness = staleness
        self._gate = SubmissionGate(context, notifications, staleness)
        self._stopping = ChangeStop(context, notifications)

    @handles(Task.SUBMIT)
    async def submit(self, claim: Claim) -> None:
        """Carry out the task: send one batch.

        The batch is ``submitting`` in the database before its POST goes out. A batch found ``submitting`` at the start
        of this task was interrupted there; nobody knows whether the POST went out, so its job is searched for.
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
        while (step := await self._attempt(_Try(claim, batch, change, kind))) is NextStep.CHECK:
            log.info("its turn came late, so its numbers are checked again", change=batch.change, batch=batch.position)
        if step is NextStep.STOP:
            await self._released(claim, batch)

    async def _attempt(self, one: _Try) -> NextStep:
        """Send the batch right after its numbers were seen to be as planned; return what is left to do.

        Whether it may go is asked before it waits for its turn at the provider, and once more right before it goes out.
        """
        async with AsyncExitStack() as turn:
            step = await self._gate.may_go(one.claim, one.batch, one.kind)
            if step is NextStep.CHECK:
                await turn.enter_async_context(self._staleness.turn(one.batch.change))
                step = await self._gate.check(one.claim, one.batch, one.kind)
            if step is not NextStep.GO:
                return step
            request = await request_of(self._context, one.batch, one.kind)

            async def ready() -> None:
                word = await self._gate.may_go(one.claim, one.batch, one.kind, begins=True)
                if word is not NextStep.GO:
                    raise _KeptBack(word)
                one.begun = True
                await turn.aclose()  # from here on, other batches see that it is being sent

            try:
                await self._send(one, request, ready)
            except _KeptBack as kept:
                return kept.step
        return NextStep.STAY

    async def _send(self, one: _Try, request: BatchRequest, ready: Ready) -> None:
        """Have the provider make the job, and write down the result; raises _KeptBack when ``ready`` does."""
        provider = self._context.catalogue.provider(one.kind)
        try:
            report = await provider.submit(request, ready)
        except TooManyJobs as error:
            await self._no_slot(one.claim, one.batch, error)
        except RateLimited as error:
            # Asked to wait for a second again and again, it asks less and less often.
            wait = max(timedelta(seconds=error.wait), self._gate.backoff(one.claim))
            until = self._context.clock() + wait
            told = f"{provider.title} asks to wait until {until:%H:%M} UTC." if wait >= LONG else ""
            await self._queue_again(one, wait, error.message, told)
        except Unavailable as error:
            await self._queue_again(one, self._gate.backoff(one.claim), error.message)
        except (BadRequest, Unauthorised, Forbidden, ProviderNotFound, SecretError) as error:
            await self._refused(one, error)
        except OutcomeUnknown as error:
            await self._unknown(one.claim, one.batch, one.change, error.message)
        else:
            await self._made(one.claim, one.batch, one.change, one.kind, report)

    async def _released(self, claim: Claim, batch: Batch) -> None:
        """Stop a change that no longer holds its numbers."""
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(batch.change)
            await tx.tasks.done(claim)
            await self._stopping.stop_by_itself(tx, change, problem=RELEASED, code=UNLOCKED, reason=RELEASED_NUMBER)
        self._context.ring()

    async def _no_slot(self, claim: Claim, batch: Batch, error: TooManyJobs) -> None:
        """Let the batch wait while others hold the slots; that is not a failure."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return  # see _queue_again
            await tx.batches.move(batch.id, BatchState.QUEUED, slot_refused_at=now)
            await tx.tasks.again(claim, now + SLOT_WAIT, waited=True)
            if batch.slot_refused_at is None:  # the audit log tells of the waiting once, not of every attempt
                await tx.events.add(
                    batch.change, "batch_postponed", at=now, batch=batch.position, why="waiting for a free slot"
                )
            await self._notify.card(tx, batch.change)
        log.info("no free slot", change=batch.change, batch=batch.position, why=error.message)
        self._context.ring()

    async def _made(self, claim: Claim, batch: Batch, change: Change, kind: Kind, report: JobReport) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            present = (await tx.batches.get(batch.id)).state
            if present not in {BatchState.SUBMITTING, BatchState.UNKNOWN}:
                return  # another replica took the claim over while this one was cut off, and found the job
            with suppress(ClaimLost):  # only this process knows the job, so it is written down all the same
                await tx.tasks.done(claim)
            await adopt(tx, self._context, batch, kind, report)
            await say_submitted(tx, self._notify, change.id)
            await tx.events.add(change.id, "batch_submitted", at=now, batch=batch.position, job=report.id)
            if await tx.job_slots.refused(kind.name, now - SLOT_NEWS) is not None:
                await free_slot(tx, kind, now)  # where this batch found a slot, the next may too
        self._context.ring()

    async def _queue_again(self, one: _Try, wait: timedelta, why: str, told: str = "") -> None:
        """Put a batch that the provider surely did not take back into the queue; the card says ``told`` meanwhile."""
        now, batch = self._context.clock(), one.batch
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(one.claim):
                return  # stopped before it was sent, or taken over: then another replica searches for its job
            if one.begun:
                await tx.batches.move(batch.id, BatchState.QUEUED)
            if told:
                await tx.batches.checked([batch.id], now, told)
            await tx.tasks.again(one.claim, now + wait)
            await tx.events.add(batch.change, "batch_postponed", at=now, batch=batch.position, why=why)
            await self._notify.card(tx, batch.change)
        log.info("batch postponed", change=batch.change, batch=batch.position, seconds=wait.total_seconds(), why=why)
        self._context.ring()

    async def _refused(self, one: _Try, error: ProviderError | SecretError) -> None:
        """End a batch that the provider refused as a whole: none of its numbers was changed, and each says why."""
        now, batch, change = self._context.clock(), one.batch, one.change.id
        code = getattr(error, "code", "") or REFUSED
        pointer = getattr(error, "pointer", "")
        async with self._context.database.transaction() as tx:
            await tx.changes.hold(change)
            if not await tx.tasks.held(one.claim):
                return  # see _queue_again
            await tx.tasks.done(one.claim)
            await tx.batches.move(batch.id, BatchState.SETTLED, settled_at=now)
            await tx.operations.end_batch(
                change,
                batch.position,
                OperationState.FAILED,
                code=code,
                reason=error.message,
                pointer=pointer,
                now=now,
            )
            await tx.events.add(change, "batch_refused", at=now, batch=batch.position, code=code, answer=error.message)
            await self._notify.card(tx, change)
            await say_kept_back(tx, self._notify, change)
            await after_settling(tx, change, self._context)
        log.warning("batch refused", change=change, batch=batch.position, code=code)
        self._context.ring()

    async def _unknown(self, claim: Claim, batch: Batch, change: Change, why: str) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return  # see _queue_again
            await tx.tasks.done(claim)
            sent = await tx.batches.get(batch.id)
            await tx.batches.move(
                batch.id,
                BatchState.UNKNOWN,
                unanswered_since=sent.unanswered_since or sent.attempted_at,
                unanswered_there=sent.floor,
            )
            await tx.tasks.add(Task.RECONCILE, batch.id, now)
            await tx.events.add(change.id, "batch_unknown", at=now, batch=batch.position, why=why)
            await self._notify.card(tx, change.id)
        log.warning("submission without a response", change=change.id, batch=batch.position, why=why)
        self._context.ring()

    async def _finish_task(self, claim: Claim) -> None:
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
