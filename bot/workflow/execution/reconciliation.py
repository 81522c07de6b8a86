"""Finding out whether a submission that got no answer made a job."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.changes.model.batches import Batch
from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState
from bot.changes.text.counts import counted
from bot.errors import BadRequest, Forbidden, ProviderError, ProviderNotFound, Unauthorised
from bot.providers.base import JobReport, JobSearch
from bot.store.queue.tasks import Claim, Task, handles
from bot.workflow.context import Context
from bot.workflow.execution.batch_jobs import adopt, request_of, say_submitted
from bot.workflow.execution.settlement import CLEAR
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)

#: Searches without the job, after the waiting time, before a submission surely made none.
ABSENCES = 2
#: How often a batch is sent again automatically. A provider that swallows this many requests must be looked into, and
#: each repetition is one more job that could come to light late.
RESENDS = 3
#: The longest pause between two searches, and the pause once an operator was asked.
LONGEST = timedelta(seconds=30)
ASKED = timedelta(minutes=5)
#: Refusals that a retry will not change.
_LASTING = (BadRequest, Unauthorised, Forbidden, ProviderNotFound)


class Reconciliation:
    """Resolves batches that are ``unknown``.

    Their job is adopted, or they are sent again once it is surely absent. When neither can be decided, operators are
    asked (:mod:`bot.workflow.control.resolution`); the search continues slowly, in case it can be decided after all.

    Times are taken from the provider's clock: ours may be wrong, or be set meanwhile.
    """

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications
        self._steady = context.steady
        #: Batch and attempt -> when this process first searched, in steady seconds; for providers without a clock.
        self._begun: dict[tuple[int, int], float] = {}

    @handles(Task.RECONCILE)
    async def reconcile(self, claim: Claim) -> None:
        """Carry out the task: look for the job of a batch that got no answer."""
        async with self._context.database.reading() as tx:
            batch = await tx.batches.get(claim.subject)
            change = await tx.changes.get(batch.change)
        if batch.state is not BatchState.UNKNOWN:
            self._begun.pop((batch.id, batch.attempts), None)
            async with self._context.database.transaction() as tx:
                await tx.tasks.done(claim)
            return
        kind = self._context.catalogue.kind(change.kind)
        request = await request_of(self._context, batch, kind)
        try:
            result = await self._context.catalogue.provider(kind).search(request, batch.floor)
        except ProviderError as error:
            await self._unsearchable(claim, batch, error)
            return
        free = await self._unclaimed(kind, result.jobs)
        ours = [job for job in free if job.certain]
        waited = self._waited_long_enough(batch, result)
        if len(ours) == 1:
            await self._take(claim, batch, change, kind, ours[0])
        elif free:
            await self._several(claim, batch, ours, free, waited=waited)
        elif not result.whole and waited:
            known = (
                "The provider's list of jobs repeats itself, leaves out ids, or ends before the number of jobs that it "
                "announced."
            )
            await self._doubt(claim, batch, known)
        elif not result.whole:
            await self._search_again(claim, batch, 0, "the provider's list of jobs is unreliable")
        else:
            await self._absent(claim, batch, change, waited=waited)

    async def _unclaimed(self, kind: Kind, jobs: tuple[JobReport, ...]) -> list[JobReport]:
        """Return those of ``jobs`` that belong to no batch."""
        async with self._context.database.reading() as tx:
            return [job for job in jobs if await tx.batches.with_job(kind.name, job.id) is None]

    async def _take(self, claim: Claim, batch: Batch, change: Change, kind: Kind, job: JobReport) -> None:
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return  # an operator resolved the batch meanwhile
            await tx.tasks.done(claim)
            await adopt(tx, self._context, batch, kind, job)
            await say_submitted(tx, self._notify, change.id)
            await tx.events.add(change.id, "batch_adopted", at=self._context.clock(), batch=batch.position, job=job.id)
        self._context.ring()

    async def _absent(self, claim: Claim, batch: Batch, change: Change, *, waited: bool) -> None:
        """Count one more search without the job; after the waiting time and enough of them, send the batch again."""
        now = self._context.clock()
        absences = batch.absences + 1 if waited else 0
        if absences < ABSENCES:
            await self._search_again(claim, batch, absences, "the provider lists no such job yet")
            return
        if batch.resent >= RESENDS:
            known = (
                f"It was sent {batch.resent + 1} times without a response, and the provider lists no job for it. "
                "It is not sent again automatically."
            )
            await self._doubt(claim, batch, known)
            return
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return
            await tx.tasks.done(claim)
            await tx.batches.move(batch.id, BatchState.QUEUED, resent=batch.resent + 1, **CLEAR)
            await tx.tasks.add(Task.SUBMIT, batch.id, now)
            await tx.events.add(change.id, "batch_absent", at=now, batch=batch.position)
            await self._notify.card(tx, change.id)
        self._context.ring()

    async def _several(
        self, claim: Claim, batch: Batch, ours: list[JobReport], free: list[JobReport], *, waited: bool
    ) -> None:
        """Several jobs may be the batch's: ask operators, unless the list may still be behind."""
        if not waited:
            await self._search_again(claim, batch, 0, "the provider lists several jobs that may be this one")
        elif ours:
            known = f"The provider lists {len(ours)} jobs for exactly these numbers, created after the batch was sent."
            await self._doubt(claim, batch, known, ours)
        else:
            jobs = counted(len(free), "job")
            known = (
                f"The provider lists {jobs} that may belong to this batch, but the numbers, values "
                "and creation time do not prove it."
            )
            await self._doubt(claim, batch, known, free)

    async def _unsearchable(self, claim: Claim, batch: Batch, error: ProviderError) -> None:
        """Search on when the job list cannot be read; ask operators when that will last, or has lasted long."""
        now = self._context.clock()  # a wrong clock only asks operators too early or too late; nothing is sent
        patience = self._context.timing.reconcile
        if not isinstance(error, _LASTING):
            patience = max(patience, self._context.timing.stuck)
        if batch.attempted_at is None or now < batch.attempted_at + patience:
            await self._search_again(claim, batch, batch.absences, error.message)
        else:
            await self._doubt(claim, batch, f"The provider's list of jobs cannot be read: {error.message}")

    async def _doubt(self, claim: Claim, batch: Batch, known: str, jobs: list[JobReport] | None = None) -> None:
        """Write down what is known, and ask operators before anything else is done."""
        now = self._context.clock()
        candidates = [job.id for job in jobs or ()]
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return
            await tx.batches.put(
                batch.id, escalated_at=batch.escalated_at or now, doubt=known, candidates=candidates, absences=0
            )
            await tx.tasks.again(claim, now + ASKED)
            if batch.escalated_at is None:
                await tx.events.add(batch.change, "batch_undecidable", at=now, batch=batch.position, why=known)
                await self._notify.ask(tx, batch.change)
                log.error("an operator must decide", change=batch.change, batch=batch.position, why=known)
            await self._notify.card(tx, batch.change)
        self._context.ring()

    async def _search_again(self, claim: Claim, batch: Batch, absences: int, why: str) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return
            await tx.batches.put(batch.id, absences=absences)
            await tx.tasks.again(claim, now + min(self._pause(claim), LONGEST))
        log.info("still reconciling", change=batch.change, batch=batch.position, why=why)

    def _waited_long_enough(self, batch: Batch, result: JobSearch) -> bool:
        """Tell whether the list was requested after the waiting time was over, by the provider's own clock.

        Without that clock, the time counts from this process's first search, so that neither a wrong clock of ours nor
        a restart can shorten it.
        """
        least = self._context.timing.reconcile
        if result.asked_there is not None and batch.attempted_there is not None:
            return result.asked_there >= batch.attempted_there + least
        begun = self._begun.setdefault((batch.id, batch.attempts), self._steady())
        return self._steady() - begun >= least.total_seconds()

    def _pause(self, claim: Claim) -> timedelta:
        """Return the pause before the next search: growing, but short enough for two in the waiting time."""
        timing = self._context.timing
        doubled: timedelta = timing.poll.least * 2.0 ** min(claim.attempts, 10)
        return min(doubled, max(timing.reconcile / 2, timing.poll.least))
