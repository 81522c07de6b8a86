"""Rollouts in waves, of which the canary is the simplest: what follows a wave that has been read back.

Later waves are held back: their batches are queued without a task to send them. When a wave has ended as approved, the
plan says whether the next one is released at once, after a time, or by somebody; otherwise somebody decides. Before any
wave is sent, its numbers are read again: days may have passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.changes.model.batches import Batch, Tally
from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.rollout import PauseReason, Rollout
from bot.changes.text.counts import counted
from bot.errors import Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Claim, Task
from bot.store.records.events import ITSELF
from bot.store.transaction import Transaction
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.execution.wave_start import of_wave
from bot.workflow.notifications import Notifications


class RolloutControl:
    """Decides, or has somebody decide, what follows a wave."""

    def __init__(
        self,
        context: Context,
        authorization: Authorization,
        notifications: Notifications,
    ) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications
        self._refusals = DeniedActions(context)

    async def concluded(self, tx: Transaction, change: Change) -> bool:
        """Pause the change, or release the next wave, after a wave has ended; False when nothing is held back."""
        if change.state is not ChangeState.VERIFYING:
            return False
        held = await tx.batches.held_back(change.id)
        if not held:
            return False
        tally = await tx.tallies.of(change.id, wave=change.wave)
        rollout = change.summary.rollout if change.summary else Rollout()
        # Whatever is not known to be good counts against the wave, except numbers that the policy left out and named:
        # those prove nothing, and must not make the share of trouble look smaller either.
        tried = tally.total - await tx.tallies.left_out(change.id, wave=change.wave)
        # A wave without one verified number says nothing in favour of the next, whatever the threshold.
        if not tally.verified or rollout.threshold.exceeded(tried - tally.verified, tried):
            await self._pause(tx, change, PauseReason.TROUBLE, tally)
        elif rollout.pause.asks:
            await self._pause(tx, change, PauseReason.ASKED, tally)
        elif rollout.pause.length:
            await self._pause(tx, change, PauseReason.TIMED, tally, rollout.pause.length)
        else:
            await self._release(tx, change, held, ITSELF)
        await self._notify.cards(tx, change.id)
        return True

    async def _pause(
        self, tx: Transaction, change: Change, why: PauseReason, tally: Tally, length: timedelta | None = None
    ) -> None:
        """Pause a change after a wave whose numbers ended as ``tally``: for ``length``, or until somebody decides."""
        now, wave = self._context.clock(), str(change.wave)
        resumes_at = now + length if length else None
        counts: dict[str, str | int] = {**tally.counts}
        if not tally.not_attempted:
            del counts["not_attempted"]
        await tx.changes.move(change.id, ChangeState.PAUSED, paused_for=why, resumes_at=resumes_at)
        event = "paused" if why is PauseReason.TROUBLE else "paused_as_planned"
        await tx.events.add(change.id, event, at=now, digest=change.digest, wave=change.wave, details=counts)
        told = {**counts, "why": why.value, "wave": change.wave, "size": tally.total}
        if why is PauseReason.TROUBLE:
            await self._notify.failure(tx, change.id, "paused", each=wave, **told)
        if resumes_at is not None:
            told["resumes_at"] = int(resumes_at.timestamp())
            await tx.tasks.add(Task.START, change.id, resumes_at)
        elif reminder := self._authorization.reminder_of(change):
            await tx.tasks.add(Task.REMIND, change.id, now + reminder)
        await self._notify.line(tx, change.id, "paused", each=wave, **told)

    async def _release(self, tx: Transaction, change: Change, held: Sequence[Batch], by: str) -> list[Batch]:
        """Release the next wave of ``held``, and return it; its numbers are read again first."""
        now = self._context.clock()
        wave = held[0].wave
        await tx.changes.move(
            change.id,
            ChangeState.RUNNING,
            wave=wave,
            continued_at=now,
            paused_for=None,
            resumes_at=None,
            read_backs=0,
            failed_reads=0,
            waiting_for="",
        )
        await tx.tasks.remove(Task.REMIND, [change.id])
        await tx.tasks.add(Task.START, change.id, now)
        await tx.events.add(change.id, "continued", at=now, actor=by, digest=change.digest, wave=wave)
        return of_wave(held, wave)

    async def time_is_up(self, claim: Claim) -> None:
        """Carry out the task on a paused change: release the next wave when its time has come."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.PAUSED or change.resumes_at is None:
                await tx.tasks.done(claim)
                return
            if change.resumes_at > now:  # hastened by the end of a freeze
                await tx.tasks.again(claim, change.resumes_at)
                return
            await tx.tasks.done(claim)
            await self._release(tx, change, await tx.batches.held_back(change.id), ITSELF)
            await self._notify.cards(tx, change.id)
        self._context.ring()

    @repeatable
    async def continue_rollout(self, change_id: int, wave: int, *, by: str) -> str:
        """Release the next wave of a change that is paused after ``wave``, and return a sentence about it.

        Raises NotAuthorized, or Superseded when it is not paused there; both are also written to the audit log.
        """
        async with self._refusals.noting("go_on", by=by, change=change_id):
            return await self._continue(change_id, wave, by)

    async def _continue(self, change_id: int, wave: int, by: str) -> str:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
        await self._authorization.requester_or_operator(by, change, to="continue")
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            if change.state is not ChangeState.PAUSED:
                raise Superseded(
                    f"{change.public_id} is already {change.state.phrase}, so there is nothing left to decide."
                )
            if change.wave != wave:
                raise Superseded(
                    f"That button was for wave {wave}, and {change.public_id} is now paused after wave {change.wave}. "
                    "Use the buttons on its current card."
                )
            held = await tx.batches.held_back(change.id)
            following = await self._release(tx, change, held, by)
            numbers = sum(batch.size for batch in following)
            told: dict[str, str | int] = {"by": by, "numbers": numbers, "wave": following[0].wave}
            await self._notify.line(tx, change_id, "continued", each=str(wave), **told)
            await self._notify.cards(tx, change_id)
        self._context.ring()
        remaining = "the remaining" if len(following) == len(held) else f"wave {following[0].wave}:"
        return f"{change.public_id} continues with {remaining} {counted(numbers, 'number')}."
