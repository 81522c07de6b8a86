"""Whether a batch may be sent now, or what must come before it."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from bot.changes.model.batches import Batch
from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState
from bot.errors import ProviderError
from bot.store.queue.tasks import Claim
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.execution.batch_jobs import say_kept_back
from bot.workflow.execution.change_window import ChangeWindow
from bot.workflow.execution.settlement import (
    OWN_SLOT_WAIT,
    SLOT_NEWS,
    SLOT_WAIT,
    STOPPED_NUMBER,
    after_settling,
    stop_batch,
)
from bot.workflow.execution.staleness import RECENT, Staleness
from bot.workflow.notifications import Notifications

#: How soon to try again while another batch finds out whether there is a free slot.
PROBE_WAIT = timedelta(seconds=1)


class NextStep(Enum):
    """What comes next for a batch that is due."""

    GO = "go"  #: its POST, as soon as the provider's pace lets it
    CHECK = "check"  #: its staleness check
    STOP = "stop"  #: the end of the change, which no longer holds its numbers
    STAY = "stay"  #: nothing now: it waits, or it was stopped


class SubmissionGate:
    """The one gate that every batch passes, each time that it is about to be sent."""

    def __init__(self, context: Context, notifications: Notifications, staleness: Staleness) -> None:
        self._context = context
        self._notify = notifications
        self._staleness = staleness
        self._window = ChangeWindow(context, notifications)

    async def check(self, claim: Claim, batch: Batch, kind: Kind) -> NextStep:
        """Check the batch's numbers, unless the batch before it has done so, and say what comes next.

        If its own check found everything as planned, nothing else is asked until its turn has come, when everything is
        asked anyway. Otherwise, where everything is slow, each check would be too old by then, again and again.
        """
        if (step := await self.may_go(claim, batch, kind)) is not NextStep.CHECK:
            return step
        try:
            as_planned = await self._staleness.check(batch)
        except ProviderError as error:
            await self._unread(claim, error)
            return NextStep.STAY
        return NextStep.GO if as_planned else await self.may_go(claim, batch, kind)

    async def may_go(self, claim: Claim, batch: Batch, kind: Kind, *, begins: bool = False) -> NextStep:
        """Tell whether the POST may go out now, or what must come before it.

        With ``begins``, the coming POST is written down, in the transaction that asked whether anything forbids it.
        """
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return NextStep.STAY  # somebody took the claim over, or the batch was stopped
            change = await tx.changes.hold(batch.change)
            batch = await tx.batches.get(batch.id)  # as it is now that nobody else can stop it
            if batch.state is not BatchState.QUEUED:
                await tx.tasks.done(claim)
                return NextStep.STAY
            if change.stopped_at is not None:
                await tx.tasks.done(claim)
                # The stop did not reach this batch: it had no answer then, or its answer came just now.
                reason = f"{STOPPED_NUMBER} {change.problem}".strip()
                await stop_batch(tx, batch, now, reason=reason)
                await say_kept_back(tx, self._notify, batch.change)
                await after_settling(tx, batch.change, self._context)
                return NextStep.STAY
            if not await tx.locks.held(change.id):
                return NextStep.STOP
            wait = await self._wait(tx, change, batch, kind)
            if wait:
                await tx.tasks.again(claim, now + wait, waited=True)
                await self._notify.card(tx, batch.change)
                return NextStep.STAY
            if self._staleness.needed(batch, kind):
                if not self._staleness.recent(batch):
                    return NextStep.CHECK
                if batch.check_problem:
                    await tx.tasks.again(claim, now + self._pause(claim))
                    return NextStep.STAY
            if not begins:
                return NextStep.GO
            await tx.batches.move(
                batch.id,
                BatchState.SUBMITTING,
                attempted_at=now,
                attempted_there=self._context.catalogue.provider(kind).clock.latest,
                attempts=batch.attempts + 1,
                absences=0,
            )
            await tx.tasks.busy(claim, self._context.clock() + self._context.timing.under_way)
            await tx.events.add(batch.change, "batch_submitting", at=now, batch=batch.position)
        return NextStep.GO

    async def _unread(self, claim: Claim, error: ProviderError) -> None:
        """Try the staleness check again later: a batch is never sent unchecked."""
        wait = max(self._pause(claim), timedelta(seconds=getattr(error, "wait", 0)))
        async with self._context.database.transaction() as tx:
            await tx.tasks.again(claim, self._context.clock() + wait)

    def _pause(self, claim: Claim) -> timedelta:
        """Return the pause after a failed check; the other batches that it was for do not repeat it either."""
        return max(self.backoff(claim), RECENT)

    async def _wait(self, tx: Transaction, change: Change, batch: Batch, kind: Kind) -> timedelta:
        """Return how long the batch must wait before it may be sent; nothing when it may go now.

        While the provider refuses for lack of a slot, which others may hold, one batch of the kind at a time finds out
        whether that is still so: 500 waiting batches must not mean 500 refused requests.
        """
        if (opens := await self._window.closed_until(tx, change)) is not None:
            return opens - self._context.clock()
        if await tx.freezes.current() is not None or await tx.batches.undecided(batch.change):
            return SLOT_WAIT  # an operator's answer is awaited, and hastens this
        if await tx.job_slots.in_flight(kind.name) >= kind.jobs_in_flight:
            return OWN_SLOT_WAIT
        now = self._context.clock()
        refused = await tx.job_slots.refused(kind.name, now - SLOT_NEWS)
        if refused is None:
            return timedelta(0)
        gate = refused + SLOT_WAIT - now
        if gate > timedelta(0):
            return gate
        return PROBE_WAIT if await tx.job_slots.being_sent(kind.name) else timedelta(0)

    def backoff(self, claim: Claim) -> timedelta:
        """Return the pause after a failed attempt: twice as long each time, within the bounds of a poll."""
        pace = self._context.timing.poll
        doubled: timedelta = pace.least * 2.0 ** min(claim.tries, 10)
        return min(pace.most, doubled)
