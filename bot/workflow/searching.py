"""Finding out whether a submission that got no answer made a job."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.changes.kinds import Kind
from bot.changes.lifecycle import BatchState
from bot.changes.records import Batch, Change
from bot.errors import ProviderError
from bot.providers.base import JobReport
from bot.store.work import Claim, Task
from bot.workflow.announcements import Announcements
from bot.workflow.context import Context
from bot.workflow.submission import adopt, request_of, say_submitted

log = structlog.get_logger(__name__)

#: How far the provider's clock may be behind ours: jobs made this long before an attempt are searched through too.
SKEW = timedelta(minutes=5)
#: Reads without the job, after the settling time, before a submission counts as surely not made.
ABSENCES = 2
#: The longest pause between two searches.
LONGEST = timedelta(seconds=30)


class Searching:
    """Settles batches that are ``unknown``: their job is adopted, or they are sent again once it is surely absent."""

    def __init__(self, context: Context, announcements: Announcements) -> None:
        self._context = context
        self._say = announcements

    async def search(self, claim: Claim) -> None:
        """Carry out the task: look for the job of a batch that got no answer."""
        async with self._context.database.reading() as tx:
            batch = await tx.batches.get(claim.subject)
            change = await tx.changes.get(batch.change)
        if batch.state is not BatchState.UNKNOWN or batch.attempted_at is None:
            async with self._context.database.transaction() as tx:
                await tx.work.done(claim)
            return
        kind = self._context.catalogue.kind(change.kind)
        request = await request_of(self._context, batch, kind)
        try:
            jobs = await self._context.catalogue.provider(kind).search(request, batch.attempted_at - SKEW)
        except ProviderError as error:
            await self._search_again(claim, batch, batch.absences, error.message)
            return
        if not await self._take(claim, batch, change, kind, jobs):
            await self._absent(claim, batch, change)

    async def _take(self, claim: Claim, batch: Batch, change: Change, kind: Kind, jobs: tuple[JobReport, ...]) -> bool:
        """Adopt the oldest of ``jobs`` that is no other batch's; False when there is none."""
        async with self._context.database.transaction() as tx:
            for job in sorted(jobs, key=lambda job: (job.created_at is None, job.created_at, job.id)):
                if await tx.batches.with_job(kind.name, job.id) is not None:
                    continue
                await tx.work.done(claim)
                await adopt(tx, self._context, batch, kind, job)
                await say_submitted(tx, self._say, change.id)
                await tx.events.add(
                    change.id, "batch_adopted", at=self._context.clock(), batch=batch.position, job=job.id
                )
                break
            else:
                return False
        self._context.ring()
        return True

    async def _absent(self, claim: Claim, batch: Batch, change: Change) -> None:
        """Count one more search without the job; after the settling time and enough of them, send the batch again."""
        now = self._context.clock()
        settled = batch.attempted_at is not None and now >= batch.attempted_at + self._context.timing.settle
        # Of a filter that was handed over nobody knows which numbers its job names, so no job can be told from it.
        absences = batch.absences + 1 if settled and not batch.handed else 0
        if absences < ABSENCES:
            await self._search_again(claim, batch, absences, "the provider lists no such job yet")
            return
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            await tx.batches.move(batch.id, BatchState.QUEUED)
            await tx.work.add(Task.SUBMIT, batch.id, now)
            await tx.events.add(change.id, "batch_absent", at=now, batch=batch.position)
            await self._say.card(tx, change.id)
        self._context.ring()

    async def _search_again(self, claim: Claim, batch: Batch, absences: int, why: str) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.batches.put(batch.id, absences=absences)
            await tx.work.again(claim, now + min(self._pause(claim), LONGEST))
        log.info("still searching", change=batch.change, batch=batch.position, why=why)

    def _pause(self, claim: Claim) -> timedelta:
        """Return the pause before the next search: growing, but so that two fit into the settling time."""
        timing = self._context.timing
        doubled: timedelta = timing.poll.least * 2.0 ** min(claim.attempts, 10)
        return min(doubled, max(timing.settle / 2, timing.poll.least))
