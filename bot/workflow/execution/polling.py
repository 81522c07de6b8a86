"""Watching jobs to their end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import structlog

from bot.changes.model.batches import Batch, BatchNumber
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState
from bot.changes.outcome.outcomes import STALE, NumberOutcome, number_outcomes
from bot.changes.outcome.poll_schedule import POLLS_AT_ONCE, POLLS_PER_SECOND, TRUSTED, next_final_poll
from bot.changes.policy import OnStale
from bot.changes.text.counts import counted, examples
from bot.errors import ClaimLost, ProviderError, ProviderNotFound
from bot.providers.base import JobReport, JobState
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.execution.batch_jobs import OTHERS_CHANGED, leave_out, on_stale, poll_due
from bot.workflow.execution.change_window import ChangeWindow
from bot.workflow.execution.settlement import CLEAR, after_settling
from bot.workflow.execution.stop import ChangeStop
from bot.workflow.notifications import Notifications
from bot.workflow.rate_limiter import SharedRateLimiter

log = structlog.get_logger(__name__)

#: How often a job is read again that is over but still lists numbers as pending, or whose numbers all have an outcome
#: although it does not end.
FINAL_POLLS = 4
#: How often a job that the provider does not know is asked for before it counts as lost. Its numbers are then read
#: back: the provider may have changed them all.
GONE_POLLS = 10
#: Our word for the state of a lost job.
GONE = "not found"
#: How many stale numbers are named; the rest are only counted, and the results name every one.
NAMED = 5


class Polling:
    """Polls jobs."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications
        self._stopping = ChangeStop(context, notifications)
        self._window = ChangeWindow(context, notifications)
        #: Provider -> the limit on polls that all its jobs share.
        self._turns: dict[str, SharedRateLimiter] = {}

    @handles(Task.POLL)
    async def poll(self, claim: Claim) -> None:
        """Carry out the task: read one job, note the outcomes that it reports, and settle the batch when it is over."""
        async with self._context.database.reading() as tx:
            batch = await tx.batches.get(claim.subject)
            change = await tx.changes.get(batch.change)
        if batch.state is not BatchState.SUBMITTED:
            async with self._context.database.transaction() as tx:
                await tx.tasks.done(claim)
            return
        kind = self._context.catalogue.kind(change.kind)
        now = self._context.clock()
        if wait := await self._turns_at(kind.provider).wait(str(batch.id), now):
            # After a restart, for example, everything is due at once: 500 jobs must not mean 500 calls.
            async with self._context.database.transaction() as tx:
                await tx.tasks.again(claim, now + wait)
            return
        try:
            report = await self._context.catalogue.provider(kind).poll(batch.job)
        except ProviderNotFound:
            report = JobReport(id=batch.job, state=JobState.UNKNOWN, state_word=GONE)
        except ProviderError as error:
            log.warning("poll failed", change=change.id, batch=batch.position, job=batch.job, why=error.message)
            await self._again(claim, batch, kind, error)
            return
        await self._note(claim, batch, kind, report)

    def _turns_at(self, provider: str) -> SharedRateLimiter:
        if provider not in self._turns:
            self._turns[provider] = SharedRateLimiter(
                self._context.database, f"polls:{provider}", rate=POLLS_PER_SECOND, burst=POLLS_AT_ONCE
            )
        return self._turns[provider]

    async def _note(self, claim: Claim, batch: Batch, kind: Kind, report: JobReport) -> None:
        """Write down what the job reports; once it is over, every number of the batch gets its outcome."""
        gone = report.state_word == GONE
        most = GONE_POLLS if gone else FINAL_POLLS
        over = report.state.over or gone
        final = (report.state.over and not report.pending) or (over and batch.final_polls + 1 >= most)
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return  # an operator gave up on the job meanwhile
            if self._ours(kind):
                await tx.changes.hold(batch.change)  # before its numbers, as a stop does
            if batch.handed:
                # Only the job's own list says which numbers the filter matched.
                await tx.operations.admit(batch.change, batch.position, report.known, batch.values)
            numbers = await tx.operations.of_batch(batch.change, batch.position)
            verdicts = number_outcomes(
                numbers,
                succeeded=report.succeeded,
                failed=report.failed,
                pending=report.pending,
                final=final,
                job_word=report.state_word,
            )
            decided = _all_decided(batch, report, numbers, verdicts)
            # A job that does not end, or whose state we do not know, has nothing left to do once each of its numbers
            # has an outcome. It gets a few polls to say so itself; the read-back tells what is true.
            final = final or (decided and batch.final_polls + 1 >= FINAL_POLLS)
            final_polls = batch.final_polls + 1 if over or decided else 0
            await tx.operations.record_outcomes(batch.change, verdicts, now)
            await tx.batches.put(
                batch.id,
                polls=batch.polls + 1,
                final_polls=final_polls,
                job_state=report.state_word[:32],
            )
            if any(verdict.code == STALE for verdict in verdicts):
                await self._stale(tx, batch, numbers, verdicts)
            if (await tx.batches.get(batch.id)).state is BatchState.SETTLED:
                # Nothing of the batch had been sent when the change was stopped just now; the stop also removed this
                # task.
                with suppress(ClaimLost):
                    await tx.tasks.done(claim)
            elif final:
                await self._end(tx, claim, batch, report)
            else:
                progressed = bool(verdicts) or report.state_word[:32] != batch.job_state
                # A run of ours stands still during a freeze and outside the change window, as it should.
                progressed = (self._ours(kind) and await self._held_back(tx, batch)) or progressed
                await self._watch(tx, batch, report if progressed else None, why=f"it says “{report.state_word}”")
                if over or decided:
                    due = next_final_poll(self._context.timing.poll, now=now, final_polls=final_polls)
                else:
                    due = await poll_due(tx, self._context, batch, kind, report, moved=bool(verdicts))
                await tx.tasks.again(claim, due)
            if verdicts or final:
                await self._notify.card(tx, batch.change)
        log.info(
            "job polled",
            change=batch.change,
            batch=batch.position,
            job=batch.job,
            state=report.state_word,
            outcomes=len(verdicts),
            pending=len(report.pending),
        )
        self._context.ring()

    async def _stale(
        self, tx: Transaction, batch: Batch, numbers: Sequence[BatchNumber], verdicts: Sequence[NumberOutcome]
    ) -> None:
        """Do what the policy says when a run of ours met stale numbers: stop the change, or tell people of them."""
        e164 = {number.position: number.e164 for number in numbers}
        stale = [e164[verdict.position] for verdict in verdicts if verdict.code == STALE]
        change = await tx.changes.hold(batch.change)
        if change.stopped_at is not None:
            return
        await tx.events.add(
            change.id,
            "batch_stale",
            at=self._context.clock(),
            batch=batch.position,
            numbers=len(stale),
            changed=len(stale),
        )
        numbers_have = counted(len(stale), "number has", "numbers have")
        found = f"{numbers_have} changed since the plan was made ({examples(stale[:NAMED], len(stale))})"
        if on_stale(self._context, change) is OnStale.STOP:
            problem = f"{found}, so nothing more was sent."
            await self._stopping.stop_by_itself(tx, change, problem=problem, reason=OTHERS_CHANGED, stale=len(stale))
            return
        problem = f"{found} and {'was' if len(stale) == 1 else 'were'} not sent."
        await leave_out(tx, self._notify, change, problem)

    async def _held_back(self, tx: Transaction, batch: Batch) -> bool:
        """Tell whether a run of ours may send nothing just now; tell people of a closed window."""
        closed = await self._window.closed_until(tx, await tx.changes.get(batch.change)) is not None
        return closed or await tx.freezes.current() is not None

    def _ours(self, kind: Kind) -> bool:
        return self._context.catalogue.provider(kind).carries_out

    async def _end(self, tx: Transaction, claim: Claim, batch: Batch, report: JobReport) -> None:
        now = self._context.clock()
        await tx.tasks.done(claim)
        await tx.batches.move(batch.id, BatchState.SETTLED, settled_at=now, **CLEAR)
        await tx.events.add(
            batch.change, "batch_settled", at=now, batch=batch.position, job=batch.job, said=report.state_word
        )
        await after_settling(tx, batch.change, self._context)

    async def _watch(self, tx: Transaction, batch: Batch, progress: JobReport | None, *, why: str) -> None:
        """Notice when a job stalls, and when it makes progress again. It is polled either way."""
        now = self._context.clock()
        since = batch.progressed_at or batch.submitted_at or now
        if batch.done_by is not None:
            # A job that is expected to take an hour has not stalled after half an hour.
            since = max(since, min(batch.done_by, since + TRUSTED))
        if progress is not None:
            await tx.batches.put(batch.id, progressed_at=now, overdue_at=None, done_by=progress.done_by)
            if batch.stuck:
                await tx.events.add(batch.change, "job_resumed", at=now, batch=batch.position, job=batch.job)
                await self._notify.card(tx, batch.change)
        elif not batch.stuck and now >= since + self._context.timing.stuck:
            await tx.batches.put(batch.id, overdue_at=now, doubt=why)
            await tx.events.add(batch.change, "job_stuck", at=now, batch=batch.position, job=batch.job, why=why)
            await self._notify.ask(tx, batch.change)
            await self._notify.card(tx, batch.change)
            log.error("job stalled", change=batch.change, batch=batch.position, job=batch.job, why=why)

    async def _again(self, claim: Claim, batch: Batch, kind: Kind, error: ProviderError) -> None:
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return
            await tx.batches.put(batch.id, polls=batch.polls + 1)
            await self._watch(tx, batch, None, why=f"it cannot be read: {error.message}")
            await tx.tasks.again(claim, await poll_due(tx, self._context, batch, kind, None))


def _all_decided(
    batch: Batch, report: JobReport, numbers: Sequence[BatchNumber], verdicts: Sequence[NumberOutcome]
) -> bool:
    """Tell whether these ``verdicts`` give every number of a batch an outcome.

    For a filter handed to the provider, only the job knows the numbers, and it may still name more.
    """
    undecided = {number.position for number in numbers if not number.state.over}
    return not batch.handed and not report.pending and undecided <= {verdict.position for verdict in verdicts}
