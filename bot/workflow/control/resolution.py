"""An operator's decision on what nobody else can decide.

The cases are a submission without an answer, a job that stands still, and a read-back not worth waiting for.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from bot.changes.model.batches import Batch
from bot.changes.model.bulk_runs import NumberState
from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState, ChangeState, OperationState
from bot.changes.model.public_ids import public_id
from bot.changes.outcome.outcomes import GIVEN_UP, number_outcomes
from bot.changes.text.characters import is_blank
from bot.changes.text.counts import counted
from bot.errors import InputError, NotFound, ProviderNotFound, Superseded, Unavailable
from bot.providers.base import JobReport
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.execution.batch_jobs import adopt, request_of, say_submitted
from bot.workflow.execution.settlement import CLEAR, after_settling
from bot.workflow.execution.verification import conclude
from bot.workflow.notifications import Notifications

#: The field in which an operator names a job.
JOB: Final = "job"
#: Seconds that a provider has to describe a job, while an operator waits for the answer.
RECOGNISED_WITHIN: Final = 45.0


@dataclass(frozen=True, slots=True)
class BatchQuestion:
    """One question about one batch, as a button carries it; an answer to it never answers a later question."""

    batch: int
    #: Attempts to send it when the question was asked.
    attempts: int
    #: The job that stands still; empty when the question is whether there is a job.
    job: str

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Return the ticket of the question about ``batch``."""
        return cls(batch.id, batch.attempts, batch.job)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the ticket that ``str`` wrote; raises NotFound when the text is not a ticket."""
        batch, _, rest = text.partition(":")
        attempts, _, job = rest.partition(":")
        if not (batch.isascii() and batch.isdigit() and attempts.isascii() and attempts.isdigit()):
            raise NotFound("This button belongs to another version of Linesman; use /numbers resolve.")
        return cls(int(batch), int(attempts), job)

    def __str__(self) -> str:
        return f"{self.batch}:{self.attempts}:{self.job}"


@dataclass(frozen=True, slots=True)
class ReadBackQuestion:
    """The question whether to wait for a read-back, as a button carries it; a later read-back is another question."""

    change: int
    #: When this read-back began, in microseconds since 1970.
    began: int

    @classmethod
    def of(cls, change: Change) -> Self:
        """Return the ticket of the question about ``change``."""
        began = change.verifying_at
        return cls(change.id, 0 if began is None else int(began.timestamp() * 1_000_000))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the ticket that ``str`` wrote; raises NotFound when the text is not a ticket."""
        change, _, began = text.partition(":")
        if not (change.isascii() and change.isdigit() and began.isascii() and began.isdigit()):
            raise NotFound("This button belongs to another version of Linesman; use /numbers resolve.")
        return cls(int(change), int(began))

    def __str__(self) -> str:
        return f"{self.change}:{self.began}"


class Resolution:
    """Resolves for operators what the provider left open. Other people are refused, and that is written down.

    Each answer is one conditional write: of two answers, one counts and the other raises Superseded.
    """

    def __init__(self, context: Context, authorization: Authorization, notifications: Notifications) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications
        self._refusals = DeniedActions(context)

    async def allow(self, change: int, *, by: str) -> None:
        """Raise NotAuthorized unless ``by`` may decide for ``change``."""
        async with self._refusals.noting("resolve", by=by, change=change):
            await self._authorization.operate(by)

    async def change_of(self, ticket: BatchQuestion) -> int:
        """Return the change that a question is about; raises NotFound."""
        async with self._context.database.reading() as tx:
            return (await tx.batches.get(ticket.batch)).change

    @repeatable
    async def adopt(self, ticket: BatchQuestion, job: str, *, by: str) -> str:
        """Accept ``job`` as the batch's and return a sentence about it.

        Raises InputError without a job, NotAuthorized, Superseded when the question is answered or the job belongs to
        another batch, and a ProviderError when the provider does not know the job or shows that it is another one.
        """
        if is_blank(job):
            raise InputError({JOB: "Give the job's id, as the provider shows it."})
        change, batch = await self._open(ticket, by)
        kind = self._context.catalogue.kind(change.kind)
        await self._unclaimed(kind, job, batch)
        report = await self._recognised(kind, batch, job)
        async with self._context.database.transaction() as tx:
            await tx.changes.hold(change.id)
            batch = await self._still(tx, ticket)
            await adopt(tx, self._context, batch, kind, report)
            await tx.tasks.remove(Task.RECONCILE, [batch.id])
            await say_submitted(tx, self._notify, change.id)
            certain = "yes" if report.certain else "no"
            await self._answered(tx, batch, "batch_adopted", by, job=report.id, certain=certain)
        self._context.ring()
        unsure = (
            ""
            if report.certain
            else " The provider does not prove that this job belongs to the batch, so this relies on your word."
        )
        return f"Job {report.id} is now watched for batch {batch.position} of {change.public_id}.{unsure}"

    @repeatable
    async def send_again(self, ticket: BatchQuestion, *, by: str) -> str:
        """Send the batch once more, on the operator's word that it made no job, and return a sentence about it."""
        change, _ = await self._open(ticket, by)
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change.id)
            batch = await self._still(tx, ticket)
            if change.stopped_at is not None:
                ended = "was stopped or cancelled, so nothing of it is sent again. Adopt a job, or give up."
                raise Superseded(f"{change.public_id} {ended}")
            await tx.batches.move(batch.id, BatchState.QUEUED, resent=0, **CLEAR)
            await tx.tasks.remove(Task.RECONCILE, [batch.id])
            await tx.tasks.add(Task.SUBMIT, batch.id, self._context.clock())
            await self._answered(tx, batch, "batch_sent_again", by)
        self._context.ring()
        return f"Batch {batch.position} of {change.public_id} is being sent again."

    @repeatable
    async def give_up(self, ticket: BatchQuestion, *, by: str) -> str:
        """End the batch without knowing: its undecided numbers are read back, which shows their values."""
        change, _ = await self._open(ticket, by)
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.changes.hold(change.id)
            batch = await self._still(tx, ticket)
            await tx.batches.move(batch.id, BatchState.SETTLED, settled_at=now, **CLEAR)
            spared = await self._call_off(tx, change, batch)
            await tx.operations.end_batch(
                change.id,
                batch.position,
                OperationState.UNKNOWN,
                code=GIVEN_UP,
                reason=_given_up(batch),
                pointer="",
                now=now,
            )
            await tx.tasks.remove(Task.RECONCILE, [batch.id])
            await tx.tasks.remove(Task.POLL, [batch.id])
            await self._answered(tx, batch, "batch_given_up", by, job=batch.job or None)
            await say_submitted(tx, self._notify, change.id)
            await after_settling(tx, change.id, self._context)
        self._context.ring()
        given_up = f"Batch {batch.position} of {change.public_id} is given up."
        if spared:
            given_up += f" {spared:,} of its {batch.size:,} numbers will not be sent."
        return (
            f"{given_up} {'Its other' if spared else 'Its'} undecided numbers are read back when the other batches "
            "have ended, and reported with the values that they have then; the provider may still change them "
            "afterwards."
        )

    async def _call_off(self, tx: Transaction, change: Change, batch: Batch) -> int:
        """Stop a job that we carry out ourselves, note its results, and return how many numbers are spared.

        Nothing is done for a job that runs at the provider.
        """
        kind = self._context.catalogue.kind(change.kind)
        provider, now = self._context.catalogue.provider(kind), self._context.clock()
        if not provider.carries_out:
            return 0
        reason = "An operator gave up on its batch before this number was sent."
        await tx.runs.call_off(provider.name, [batch.reference], code=GIVEN_UP, reason=reason, now=now)
        run = await tx.runs.under(provider.name, batch.reference, now)
        if run is None:
            return 0
        verdicts = number_outcomes(
            await tx.operations.of_batch(change.id, batch.position),
            succeeded=run.in_state(NumberState.SUCCEEDED),
            failed=run.in_state(NumberState.FAILED, NumberState.UNKNOWN, NumberState.NOT_ATTEMPTED),
            pending=(),
            final=False,
            job_word="",
        )
        await tx.operations.record_outcomes(change.id, verdicts, now)
        return len(run.in_state(NumberState.NOT_ATTEMPTED))

    @repeatable
    async def end_read_back(self, ticket: ReadBackQuestion, *, by: str) -> str:
        """Stop waiting for the read-back: numbers not read yet count as not verified, and the change ends.

        Raises NotAuthorized, and Superseded when that read-back is over.
        """
        await self.allow(ticket.change, by=by)
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(ticket.change)
            if change.state is not ChangeState.VERIFYING or ReadBackQuestion.of(change) != ticket:
                raise Superseded(f"The numbers of {change.public_id} are no longer being read back.")
            left = (await tx.tallies.of(change.id)).unread
            waited = f" {change.waiting_for}" if change.waiting_for else ""
            reason = f"An operator ended the read-back; check the number before you rely on it.{waited}"
            await tx.read_backs.give_up(change.id, reason)
            await tx.tasks.remove(Task.VERIFY, [change.id])
            await tx.events.add(change.id, "read_back_ended", at=now, actor=by, numbers=left)
            await conclude(tx, change.id, now, times=change.read_backs)
            await self._notify.card(tx, change.id)
        self._context.ring()
        numbers = counted(left, "number counts", "numbers count")
        return f"The read-back of {change.public_id} has ended: {numbers} as not verified."

    async def _open(self, ticket: BatchQuestion, by: str) -> tuple[Change, Batch]:
        """Return the change and the batch that the question is about, for an operator."""
        async with self._context.database.reading() as tx:
            batch = await tx.batches.get(ticket.batch)
            change = await tx.changes.get(batch.change)
        await self.allow(change.id, by=by)
        async with self._context.database.reading() as tx:
            return change, await self._still(tx, ticket)

    async def _still(self, tx: Transaction, ticket: BatchQuestion) -> Batch:
        """Return the batch if the question about it is still open; raises Superseded."""
        batch = await tx.batches.get(ticket.batch)
        if BatchQuestion.of(batch) != ticket or not (batch.stuck if ticket.job else batch.undecided):
            raise Superseded(f"Batch {batch.position} of {public_id(batch.change)} no longer needs a decision.")
        return batch

    async def _unclaimed(self, kind: Kind, job: str, batch: Batch) -> None:
        async with self._context.database.reading() as tx:
            holder = await tx.batches.with_job(kind.name, job)
        if holder is not None and holder.id != batch.id:
            raise Superseded(f"Job {job} already belongs to batch {holder.position} of {public_id(holder.change)}.")

    async def _recognised(self, kind: Kind, batch: Batch, job: str) -> JobReport:
        """Return the job as the provider reports it, if it can be the batch's."""
        request = await request_of(self._context, batch, kind)
        provider = self._context.catalogue.provider(kind)
        try:
            async with asyncio.timeout(RECOGNISED_WITHIN):
                return await provider.recognise(request, job, batch.floor)
        except TimeoutError as error:
            raise Unavailable(
                f"{provider.title} is not responding right now, so nothing was adopted. Try again in a few minutes."
            ) from error
        except ProviderNotFound as error:
            raise ProviderNotFound(f"{provider.title} has no job {job}, so nothing was adopted.") from error

    async def _answered(self, tx: Transaction, batch: Batch, what: str, by: str, **details: Any) -> None:  # noqa: ANN401 - an event's details
        """Write down who answered, resume the batches that waited for the answer, and show it."""
        now: datetime = self._context.clock()
        await tx.events.add(batch.change, what, at=now, actor=by, batch=batch.position, **details)
        queued = [each.id for each in await tx.batches.of(batch.change) if each.state is BatchState.QUEUED]
        await tx.tasks.hasten(Task.SUBMIT, now, queued)
        await self._notify.card(tx, batch.change)


def _given_up(batch: Batch) -> str:
    if batch.job:
        return (
            f"An operator gave up on job {batch.job}, which was last “{batch.job_state}”; the provider may still "
            "change this number."
        )
    return (
        "It was sent, no response came back, and an operator gave up searching for the job; the provider may still "
        "change this number."
    )
