"""Temporary changes: in effect until their end, then restored number by number.

The numbers are restored by a change of its own, a part of the temporary one. That restore is written down here, planned
like an undo (:mod:`bot.workflow.planning.restoring`), and carried out like every other change. When it is over, the
temporary change is concluded, with one result for both ways. A restore that is stale before anything was sent is made
again. If some numbers could not be changed, another restore follows for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from bot.changes.input.drafts import REASON_LENGTH
from bot.changes.model.batches import Tally
from bot.changes.model.change import Change
from bot.changes.model.draft import Base, Draft, FollowUp
from bot.changes.model.lifecycle import ChangeState, Outcome
from bot.changes.model.public_ids import public_id
from bot.changes.model.start import End
from bot.changes.outcome.outcomes import outcome
from bot.changes.outcome.restores import overall, pause_after, restored, telling
from bot.changes.planning.plan import extension_digest
from bot.changes.text.counts import counted
from bot.errors import NotAuthorized, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.approval_validity import approvals_wanting
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.execution.stop import RELEASED, ChangeStop
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)

#: The requester of a temporary change is reminded this long before its end, at most.
NOTICE: Final = timedelta(hours=1)
#: Nobody need end a change that ends within this time by itself, or because of another click a moment ago.
AT_ONCE: Final = timedelta(minutes=1)
#: Pause between two checks whether a restore is over; the end of a restore is also reported here.
LOOK: Final = timedelta(minutes=10)

#: States in which numbers may wait to be sent, or for somebody to say whether they are.
_UNDER_WAY: Final = frozenset({ChangeState.RUNNING, ChangeState.VERIFYING, ChangeState.PAUSED})
#: Why a change sends no more numbers after its end has come.
_TOO_LATE: Final = "The end of the change came before this number was sent."
#: Why a change restores nothing when it no longer holds its numbers.
NOT_RESTORED: Final = f"{RELEASED} So they are not restored."
#: What follows when a later end has too few approvals.
NOT_EXTENDED: Final = "it was not extended"


class ChangeEnd:
    """Brings temporary changes into effect, and to their end."""

    def __init__(self, context: Context, authorization: Authorization, notifications: Notifications) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications
        self._refusals = DeniedActions(context)
        self._stopping = ChangeStop(context, notifications)

    async def awaited(self, tx: Transaction, change: Change, counts: Mapping[str, Any]) -> bool:
        """Put a temporary change into effect until its end; False when it changed nothing or is not temporary."""
        changed = counts["verified"] + counts["differs"] + counts["unverified"]
        if change.until is None or not changed:
            return False
        now = self._context.clock()
        await tx.changes.move(change.id, ChangeState.IN_EFFECT)
        await tx.events.add(change.id, "in_effect", at=now, digest=change.digest, numbers=changed)
        ends_at = max(change.until.at, now) if await tx.locks.held(change.id) else now
        await self._due(tx, change.id, ends_at)
        await self._notify.cards(tx, change.id)
        await self._notify.line(tx, change.id, "in_effect", until=str(change.until), **counts)
        if counts["failed"] or counts["differs"] or counts["unverified"]:
            await self._notify.failure(tx, change.id, "failed", **counts)
        return True

    async def _due(self, tx: Transaction, change: int, ends_at: datetime) -> None:
        """Make the end due, and a reminder before it."""
        await tx.tasks.add(Task.END, change, ends_at)
        await tx.tasks.add(Task.REMIND, change, ends_at - min(NOTICE, (ends_at - self._context.clock()) / 10))

    async def extend(self, claim: Claim) -> None:
        """Carry out the task to start an approved extension: move the end, unless the end has come meanwhile."""
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            extension = await tx.changes.hold(claim.subject)
            if extension.state is not ChangeState.APPROVED:
                return
            change = await tx.changes.hold(await tx.changes.whole(extension.id))
            decided = {decision.digest for decision in await tx.decisions.of(extension.id) if decision.counts}
            ending = await tx.changes.part(change.id, FollowUp.RESTORE) is not None
            # Somebody may just have ended it, or its time is up, and the restore is not written down yet.
            over = ending or change.until is None or change.until.at <= self._context.clock()
            held = await tx.locks.held(change.id)
            if change.state is not ChangeState.IN_EFFECT or over or not held or extension.until is None:
                problem = f"{change.public_id} has ended, so it was not extended."
                await self._not_extended(tx, extension, problem)
            elif forbidden := self._forbidden(extension):
                await self._not_extended(tx, extension, forbidden)
            elif wanting := await approvals_wanting(tx, extension, self._context.governing(extension), NOT_EXTENDED):
                await self._not_extended(tx, extension, wanting)
            elif decided != {extension.digest} or extension.digest != extension_digest(change.digest, extension.until):
                problem = "The stored request is not the one that was approved. Request it again."
                await self._not_extended(tx, extension, problem)
            else:
                await self._extend(tx, change, extension, extension.until)
            await self._notify.cards(tx, extension.id)
            await self._notify.cards(tx, change.id)
        self._context.ring()

    def _forbidden(self, extension: Change) -> str:
        """Return why the current rule no longer allows this extension; empty when it does."""
        try:
            self._authorization.still_allowed(extension)
        except NotAuthorized as error:
            return f"It was approved but is no longer allowed, so {NOT_EXTENDED}. {error.message}"
        return ""

    async def _extend(self, tx: Transaction, change: Change, extension: Change, until: End) -> None:
        now = self._context.clock()
        for state in (ChangeState.RUNNING, ChangeState.VERIFYING):  # an extension has nothing to send or to read back
            await tx.changes.move(extension.id, state)
        await tx.changes.move(extension.id, ChangeState.FINISHED, outcome=Outcome.SUCCEEDED, finished_at=now)
        await tx.events.add(extension.id, "finished", at=now, digest=extension.digest)
        await tx.changes.put(change.id, until=until)
        await self._due(tx, change.id, until.at)
        await tx.events.add(change.id, "extended", at=now, digest=change.digest, by=extension.public_id, why=str(until))
        await self._notify.line(tx, change.id, "extended", each=extension.public_id, until=str(until))

    async def _not_extended(self, tx: Transaction, extension: Change, problem: str) -> None:
        now = self._context.clock()
        await tx.changes.move(extension.id, ChangeState.CANCELLED, problem=problem, finished_at=now)
        await tx.events.add(extension.id, "not_extended", at=now, digest=extension.digest, details={"answer": problem})
        await self._notify.line(tx, extension.id, "cancelled")
        await self._notify.cards(tx, extension.id)

    @repeatable
    async def end_now(self, change_id: int, *, by: str) -> str:
        """End a temporary change early, and return a sentence about it.

        Raises NotAuthorized, or Superseded when it is not in effect; both are also written to the audit log.
        """
        async with self._refusals.noting("end", by=by, change=change_id):
            return await self._end_now(change_id, by)

    async def _end_now(self, change_id: int, by: str) -> str:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
        await self._authorization.requester_or_operator(by, change, to="end")
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            # Read the time while holding the change: somebody else may have ended it while this click waited.
            now = self._context.clock()
            restore = await tx.changes.part(change_id, FollowUp.RESTORE)
            if change.state is not ChangeState.IN_EFFECT or change.until is None:
                raise Superseded(
                    f"{change.public_id} is {change.state.phrase}: only a temporary change that is in effect can end."
                )
            if restore is not None or change.until.at <= now + AT_ONCE:
                restored_by = f": {restore.public_id} restores its numbers" if restore else ""
                raise Superseded(f"{change.public_id} is already ending{restored_by}.")
            numbers = (await tx.tallies.of(change_id)).changed
            await tx.changes.put(change_id, until=End(at=now, zone=change.until.zone))
            await tx.events.add(change_id, "ended_early", at=now, actor=by, digest=change.digest)
            await tx.tasks.add(Task.END, change_id, now)
            await self._notify.line(tx, change_id, "ended_early", by=by)
            await self._notify.cards(tx, change_id)
        self._context.ring()
        return (
            f"{change.public_id} ends now: {counted(numbers, 'number')} will be restored, except those changed since."
        )

    @handles(Task.END)
    async def end(self, claim: Claim) -> None:
        """Carry out the task: wait for the end, have the numbers restored, then conclude the change."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.IN_EFFECT or change.until is None:
                await tx.tasks.done(claim)
                if change.state in _UNDER_WAY and change.until is not None:
                    await self._cut_short(tx, change)
                    self._context.ring()
                return
            restore = await tx.changes.part(change.id, FollowUp.RESTORE)
            if restore is None or restore.state is ChangeState.STALE or await _to_be_continued(tx, restore):
                if not await tx.locks.held(change.id):
                    await self._conclude(tx, claim, change, restore)
                elif change.until.at > now:
                    await tx.tasks.again(claim, change.until.at)
                else:
                    await self._restore(tx, change)
                    await tx.tasks.again(claim, now + LOOK)
            elif restore.state.over:
                await self._conclude(tx, claim, change, restore)
            else:
                await tx.tasks.again(claim, now + LOOK)
        self._context.ring()

    async def _cut_short(self, tx: Transaction, change: Change) -> None:
        """Send nothing more of a change whose end has come; what was sent is restored once it has been read back.

        Otherwise nobody would undo what was sent before a pause or a freeze.
        """
        problem = f"Its end, {change.until}, came before all its numbers were sent."
        await self._stopping.stop_by_itself(tx, change, problem=problem, reason=_TOO_LATE)

    async def _restore(self, tx: Transaction, change: Change) -> None:
        """Write down a restore for the numbers of ``change``, and make its planning due."""
        now = self._context.clock()
        earlier = await tx.changes.parts(change.id, FollowUp.RESTORE)
        draft = Draft(
            kind=change.kind,
            reason=f"End of {change.public_id}: {change.draft.reason}"[:REASON_LENGTH],
            base=Base(change=change.id, what=FollowUp.RESTORE),
        )
        restore = await tx.changes.add(
            draft,
            requester=change.requester,
            origin=change.origin,
            view="",
            submission=None,
            now=now,
            part_of=change.id,
        )
        await tx.tasks.add(Task.PLAN, restore, now + pause_after(len(earlier)))
        await tx.tasks.remove(Task.REMIND, [change.id])
        await self._close_extension(tx, change)
        await tx.events.add(restore, "proposed", at=now, details={"kind": change.kind, "restore": change.public_id})
        await tx.events.add(change.id, "ending", at=now, digest=change.digest, by=public_id(restore))
        await self._notify.line(tx, change.id, "ending", restore=restore)
        await self._notify.cards(tx, change.id)

    async def _close_extension(self, tx: Transaction, change: Change) -> None:
        """End a request for a later end that nobody has decided in time."""
        extension = await tx.changes.part(change.id, FollowUp.EXTEND)
        if extension is not None and extension.state is ChangeState.AWAITING_APPROVAL:
            await tx.tasks.stop_waiting(extension.id)
            await self._not_extended(tx, extension, f"{change.public_id} has ended, so it was not extended.")

    async def _conclude(self, tx: Transaction, claim: Claim, change: Change, restore: Change | None) -> None:
        """End a temporary change for good, and tell everybody once what became of its numbers on both ways."""
        now = self._context.clock()
        tally = await tx.tallies.of(change.id)
        told = telling(await tx.changes.parts(change.id, FollowUp.RESTORE))
        there = await tx.tallies.of(told.id) if told else Tally()
        back = restored(tally.changed, told.summary if told else None, there)
        ended = overall(outcome(tally, change.summary.unchanged if change.summary else 0), back)
        problem = (restore.problem if restore else "") if await tx.locks.held(change.id) else NOT_RESTORED
        counts: dict[str, Any] = back.counts
        await tx.tasks.done(claim)
        await tx.tasks.remove(Task.REMIND, [change.id])
        await self._close_extension(tx, change)
        problem = "\n".join(filter(None, (change.problem, problem if back.wanting else "")))
        await tx.changes.move(change.id, ChangeState.FINISHED, outcome=ended, problem=problem, finished_at=now)
        await tx.events.add(change.id, "ended", at=now, details={"outcome": ended.value, **counts})
        await self._notify.cards(tx, change.id)
        await self._notify.line(tx, change.id, "ended", **counts)
        await self._notify.results(tx, change.id)
        if back.wanting:
            await self._notify.failure(tx, change.id, "not_restored", **counts)
        log.info("temporary change over", change=change.id, **counts)


async def _to_be_continued(tx: Transaction, restore: Change) -> bool:
    """Tell whether another restore must follow this one, which nobody has stopped, for the numbers that it left.

    Those could not be changed when it was planned, or shared a job with a number that somebody changed later.
    """
    if restore.state is not ChangeState.FINISHED or restore.stopped_at is not None:
        return False
    return bool(restore.draft.postponed) or await tx.tallies.left_out(restore.id) > 0
