"""Beginning an approved change: at its time, exactly as approved, and only if nothing changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.changes.model.change import Change
from bot.changes.model.draft import FollowUp
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.start import begins_at
from bot.changes.policy import Policy
from bot.errors import DeliveryError, DeliveryPostponed, NotAuthorized, ProviderError
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.approval_validity import ApprovalValidity, approvals_wanting
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.execution.ending import ChangeEnd
from bot.workflow.execution.freshness import stored_plan
from bot.workflow.execution.lateness import Lateness
from bot.workflow.execution.rollout import RolloutControl
from bot.workflow.execution.staleness import Staleness, StalenessCheck
from bot.workflow.execution.stop import RELEASED
from bot.workflow.execution.wave_start import WAIT, WaveStart
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)

#: What a change whose time has come is waiting for, as people read it.
_FROZEN = "Submissions are frozen."
_CLOSED = "Its change window is closed."


class ChangeStart:
    """Starts changes whose stored plan is the approved one and whose numbers are as the plan found them."""

    def __init__(
        self,
        context: Context,
        authorization: Authorization,
        notifications: Notifications,
        staleness: Staleness,
        *,
        rollout: RolloutControl,
        wave_start: WaveStart,
        change_end: ChangeEnd,
        approval_validity: ApprovalValidity,
    ) -> None:
        self._context = context
        self._staleness = staleness
        self._approval_validity = approval_validity
        self._authorization = authorization
        self._notify = notifications
        self._rollout = rollout
        self._wave_start = wave_start
        self._change_end = change_end
        self._lateness = Lateness(context, notifications)

    @handles(Task.START)
    async def start(self, claim: Claim) -> None:
        """Carry out the task: begin an approved change, stop it as stale, or wait.

        If the time has come before the approval, say so. For a change in waves, send the released wave or release the
        next.
        """
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(claim.subject)
            frozen = await tx.freezes.current() is not None
        if change.state is ChangeState.AWAITING_APPROVAL:
            await self._undecided(claim)
            return
        if change.state is ChangeState.RUNNING and change.continued_at is not None:
            await self._wave_start.resume(claim, change)
            return
        if change.state is ChangeState.PAUSED:
            if not await self._wave_start.stopped_unapproved(claim):
                await self._rollout.time_is_up(claim)
            return
        if change.state is not ChangeState.APPROVED:
            await self._done(claim)
            return
        if change.draft.base and change.draft.base.what is FollowUp.EXTEND:
            await self._change_end.extend(claim)
            return
        await self._approved(claim, change, frozen=frozen)

    async def _approved(self, claim: Claim, change: Change, *, frozen: bool) -> None:
        """Begin an approved change if it is time and its numbers are as the plan found them."""
        try:
            policy = self._policy(change)
        except NotAuthorized as error:
            await self._forbidden(claim, error)
            return
        if change.until is not None and change.until.at <= self._context.clock():
            await self._past_its_end(claim)
            return
        begins = begins_at(change.start, policy.windows, self._context.clock())
        if frozen or begins is not None:
            await self._wait(claim, begins, why=_FROZEN if frozen else _CLOSED)
            return
        numbers, stored = await stored_plan(self._context, change)
        if change.part_of is not None and not await self._stands(change.part_of):
            stored = ""
        first = await self._going_first(change)
        checked_at = self._context.clock()
        try:
            seen = await self._staleness.read(change, numbers, first)
        except ProviderError as error:
            await self._unread(claim, change, error)
            return
        try:
            # At the last moment, as reading many numbers takes a while.
            lapsed = "" if change.part_of else await self._lapsed(change, policy)
        except DeliveryError as error:
            await self._unsure(claim, error)
            return
        await self._conclude(claim, stored, lapsed, seen, checked_at)

    async def _going_first(self, change: Change) -> Sequence[int]:
        """Return the positions of the batches that are sent as soon as the change begins, as far as known now."""
        async with self._context.database.reading() as tx:
            positions = [batch.position for batch in await tx.batches.of(change.id) if batch.wave == change.wave]
        return positions[: self._context.catalogue.kind(change.kind).jobs_in_flight]

    def _policy(self, change: Change) -> Policy:
        """Return the rule that governs ``change`` now; raises NotAuthorized when the rule no longer allows the change.

        A restore was approved with its temporary change, so no current rule stops it; it only waits for its window.
        """
        if change.part_of is None:
            return self._authorization.still_allowed(change)
        return self._context.governing(change)

    async def _stands(self, whole: int) -> bool:
        """Tell whether the stored plan of a temporary change, from which its restore follows, is the approved one."""
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(whole)
        if change.until and change.summary and change.summary.ends_at:  # its end may have been moved since
            change = replace(change, until=replace(change.until, at=change.summary.ends_at))
        return (await stored_plan(self._context, change))[1] == change.digest

    async def _lapsed(self, change: Change, policy: Policy) -> str:
        return await self._approval_validity.in_the_way(change, policy, "nothing was sent")

    async def _approved_digest(self, tx: Transaction, change: Change) -> str:
        """Return the digest of ``change`` if the approvals are for it, otherwise nothing.

        The approval of a temporary change covers its restore: planning made sure that the restore sets only the earlier
        values. A lapsed approval still covers the restore: it allowed the change, so it allows the way back.
        """
        approved = await tx.changes.get(await tx.changes.whole(change.id))
        decisions = await tx.decisions.of(approved.id)
        approvals = [each for each in decisions if each.counts or (change.restores and each.lapse)]
        decided = {each.digest for each in approvals}
        return change.digest if decided == {approved.digest} else ""

    async def _conclude(
        self, claim: Claim, stored: str, lapsed: str, seen: StalenessCheck, checked_at: datetime
    ) -> None:
        """Begin the change, or end it for what was found; ``lapsed`` says why its approvals do not let it begin."""
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.APPROVED:
                return
            approved = await self._approved_digest(tx, change)
            if change.part_of is None:
                lapsed = lapsed or await approvals_wanting(tx, change, self._policy(change), "nothing was sent")
            if lapsed:
                # A new approval would start it at a time that nobody has seen, so it must be requested again.
                await self._end(tx, change, "not_approved", lapsed)
            elif not approved or stored != approved:
                await self._refuse(tx, change)
            elif not await tx.locks.held(change.id):
                await self._end(tx, change, "not_locked", f"{RELEASED} Nothing was sent. Request the change again.")
            elif (opens := self._context.window_opens(change)) is not None:  # it closed while the numbers were read
                await tx.tasks.add(Task.START, change.id, opens)
            else:
                # The check counts from its beginning, as reading many numbers takes a while.
                await self._staleness.note(tx, change, await tx.batches.of(change.id), seen, checked_at)
                if not seen.stale:
                    await self._begin(tx, change)
            await self._notify.cards(tx, change.id)
        self._context.ring()

    async def _begin(self, tx: Transaction, change: Change) -> None:
        now = self._context.clock()
        await tx.changes.move(change.id, ChangeState.RUNNING, started_at=now, waiting_for="")
        batches = await tx.batches.of(change.id)
        first = [batch for batch in batches if batch.wave == change.wave]
        await tx.tasks.add_many(Task.SUBMIT, [batch.id for batch in first], now)
        if change.until is not None:  # the end may come while something is not sent yet
            await tx.tasks.add(Task.END, change.id, change.until.at)
        await tx.events.add(change.id, "started", at=now, digest=change.digest, batches=len(batches))
        await self._lateness.tell(tx, change, now)

    async def _refuse(self, tx: Transaction, change: Change) -> None:
        problem = (
            "The stored plan is not the one that was approved, or its approvers were not shown all that it sends, so "
            "nothing was sent. Request the change again."
        )
        await self._end(tx, change, "digest_mismatch", problem)

    async def _end(self, tx: Transaction, change: Change, what: str, problem: str) -> None:
        """End a change that cannot begin."""
        now = self._context.clock()
        await tx.changes.move(change.id, ChangeState.CANCELLED, problem=problem, finished_at=now)
        await tx.events.add(change.id, what, at=now, digest=change.digest)
        await self._notify.line(tx, change.id, "cancelled")
        await self._notify.failure(tx, change.id, what)

    async def _unread(self, claim: Claim, change: Change, error: ProviderError) -> None:
        """Wait: a change does not begin while its numbers cannot be read again."""
        async with self._context.database.transaction() as tx:
            await self._staleness.unread(tx, await tx.batches.of(change.id), error)
        await self._wait(claim, why=f"Its numbers cannot be read: {error.message}")

    async def _unsure(self, claim: Claim, error: DeliveryError) -> None:
        """Wait until Slack says whether the approvals still count."""
        pause = timedelta(seconds=error.wait) if isinstance(error, DeliveryPostponed) else WAIT
        log.warning("cannot check whether the approvals still count", change=claim.subject, code=error.code)
        async with self._context.database.transaction() as tx:
            await tx.tasks.again(claim, self._context.clock() + pause)
            if claim.attempts > 1:  # one lost answer is no reason to tell people
                await self._notify.line(tx, claim.subject, "unsure")
        self._context.ring()

    async def _undecided(self, claim: Claim) -> None:
        """Tell the approvers that the time has come without a decision; an approval now begins the change at once."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.AWAITING_APPROVAL:
                return  # decided at this very moment, which made this task due again or removed it
            if change.start is not None and change.start.at > now:
                await tx.tasks.again(claim, change.start.at)  # hastened by the end of a freeze
                return
            await tx.tasks.done(claim)
            await tx.events.add(change.id, "start_passed", at=now, digest=change.digest)
            await self._notify.undecided(tx, change)
            await self._notify.cards(tx, change.id)
        self._context.ring()

    async def _forbidden(self, claim: Claim, error: NotAuthorized) -> None:
        """End a change that waited for its time and is no longer allowed."""
        now = self._context.clock()
        problem = f"It was approved but is no longer allowed, so nothing was sent. {error.message}"
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.APPROVED:
                return
            await tx.changes.move(change.id, ChangeState.CANCELLED, problem=problem, finished_at=now)
            await tx.events.add(change.id, "not_allowed", at=now, digest=change.digest, answer=error.message)
            await self._notify.line(tx, change.id, "cancelled")
            await self._notify.failure(tx, change.id, "not_allowed")
            await self._notify.cards(tx, change.id)
        self._context.ring()

    async def _past_its_end(self, claim: Claim) -> None:
        """End a temporary change that could not start before its end."""
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            change = await tx.changes.hold(claim.subject)
            if change.state is ChangeState.APPROVED:
                problem = f"Its end, {change.until}, came before it could start, so nothing was sent."
                await self._end(tx, change, "end_passed", problem)
                await self._notify.cards(tx, change.id)
        self._context.ring()

    async def _wait(self, claim: Claim, until: datetime | None = None, *, why: str) -> None:
        """Try again later; once its time has come, ``why`` is kept and shown."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.tasks.again(claim, until or now + WAIT)
            change = await tx.changes.get(claim.subject)
            due = await self._lateness.due(tx, change)
            if change.restores or (due is not None and due <= now):
                await tx.changes.put(claim.subject, waiting_for=why)
            await self._notify.cards(tx, claim.subject)

    async def _done(self, claim: Claim) -> None:
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
