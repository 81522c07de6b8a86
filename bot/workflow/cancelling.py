"""Stopping a change: what is not sent yet is not sent; what is at the provider is watched to its end."""

from __future__ import annotations

from bot.changes.batches import Batch
from bot.changes.lifecycle import BatchState, ChangeState
from bot.changes.records import Change
from bot.errors import NotAllowed, Superseded
from bot.store.transaction import Transaction
from bot.store.work import Task
from bot.workflow.announcements import Announcements
from bot.workflow.authority import Authority
from bot.workflow.context import Context
from bot.workflow.refusals import Refusals
from bot.workflow.settling import settle_change, stop_batch

#: States from which nothing has been sent to the provider.
_UNSENT = frozenset({ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED})
#: States in which a rest may wait for the end of the first try.
_TRIED = frozenset({ChangeState.VERIFYING, ChangeState.PAUSED})


class Cancelling:
    """Cancels changes for their requester or an operator."""

    def __init__(self, context: Context, authority: Authority, announcements: Announcements) -> None:
        self._context = context
        self._authority = authority
        self._say = announcements
        self._refusals = Refusals(context)

    async def cancel(self, change_id: int, *, by: str) -> str:
        """Stop the change and return a sentence about what that came to.

        Raises NotAllowed, or Superseded when there is nothing left to stop.
        """
        async with self._refusals.noting("cancel", by=by, change=change_id):
            return await self._cancel(change_id, by=by)

    async def _cancel(self, change_id: int, *, by: str) -> str:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
        if change.requester != by:
            await self._only_operators(change, by)
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            said = await self._stop(tx, change, by)
            await self._say.cards(tx, change_id)
        self._context.ring()
        return said

    async def _only_operators(self, change: Change, by: str) -> None:
        try:
            await self._authority.operate(by)
        except NotAllowed as error:
            raise NotAllowed(f"Only the requester or an operator can cancel {change.public_id}.") from error

    async def _stop(self, tx: Transaction, change: Change, by: str) -> str:
        now = self._context.clock()
        problem = f"Cancelled by {'its requester' if by == change.requester else 'an operator'}."
        if change.state in {ChangeState.PLANNING, ChangeState.PLANNED}:
            await tx.changes.move(change.id, ChangeState.DISCARDED, problem=problem, finished_at=now)
            await tx.work.remove(Task.DISCARD, [change.id])
            await tx.events.add(change.id, "discarded", at=now, actor=by)
            await self._say.preview(tx, change.id)
            return f"{change.public_id} is discarded. Nothing was changed."
        if change.state in _UNSENT:
            await tx.changes.move(change.id, ChangeState.CANCELLED, problem=problem, finished_at=now)
            await tx.work.remove(Task.EXPIRE, [change.id])
            await tx.work.remove(Task.REMIND, [change.id])
            await tx.work.remove(Task.START, [change.id])
            await tx.events.add(change.id, "cancelled", at=now, actor=by, digest=change.digest)
            await self._say.line(tx, change.id, "cancelled")
            return f"{change.public_id} is cancelled. Nothing was sent to the provider."
        if change.state is ChangeState.RUNNING:
            return await self._stop_running(tx, change, by, problem)
        if change.state in _TRIED and (rest := await tx.batches.held_back(change.id)):
            return await self._stop_rest(tx, change, rest, by, problem)
        state = change.state.value.replace("_", " ")
        raise Superseded(f"{change.public_id} is {state} already, so there is nothing left to cancel.")

    async def _stop_rest(self, tx: Transaction, change: Change, rest: list[Batch], by: str, problem: str) -> str:
        """End a change with its first try: the rest is not sent."""
        now = self._context.clock()
        for batch in rest:
            await stop_batch(tx, batch, now)
        numbers = sum(batch.size for batch in rest)
        await tx.changes.put(change.id, problem=problem, stopped_at=now)
        await tx.events.add(
            change.id, "stopped", at=now, actor=by, digest=change.digest, batches=len(rest), numbers=numbers
        )
        await self._say.line(tx, change.id, "stopped", numbers=numbers)
        if change.state is ChangeState.PAUSED:
            await tx.work.remove(Task.REMIND, [change.id])
            await tx.changes.move(change.id, ChangeState.VERIFYING)
            await tx.work.add(Task.FINISH, change.id, now)
        return (
            f"{change.public_id} is stopped: {numbers:,} {'number' if numbers == 1 else 'numbers'} will not be sent. "
            "The numbers of the first try stay as they are now."
        )

    async def _stop_running(self, tx: Transaction, change: Change, by: str, problem: str) -> str:
        """Give the numbers of the batches that are still queued their outcome; the rest goes on to its end."""
        now = self._context.clock()
        batches = await tx.batches.of(change.id)
        queued = [batch for batch in batches if batch.state is BatchState.QUEUED]
        # What is being sent or looked for right now may yet come back into the queue; it will not leave it again.
        undecided = any(batch.state in {BatchState.SUBMITTING, BatchState.UNKNOWN} for batch in batches)
        if change.stopped_at is not None or not (queued or undecided):
            raise Superseded(f"All jobs of {change.public_id} are at the provider already, which cannot stop them.")
        for batch in queued:
            await stop_batch(tx, batch, now)
        await tx.work.remove(Task.SUBMIT, [batch.id for batch in queued])
        await tx.work.remove(Task.START, [change.id])
        if len(queued) == len(batches) and not any(batch.attempts for batch in batches):
            await tx.changes.move(change.id, ChangeState.CANCELLED, problem=problem, finished_at=now)
            await tx.events.add(change.id, "cancelled", at=now, actor=by, digest=change.digest)
            await self._say.line(tx, change.id, "cancelled")
            return f"{change.public_id} is cancelled. Nothing was sent to the provider."
        await tx.changes.put(change.id, problem=problem, stopped_at=now)
        numbers = sum(batch.size for batch in queued)
        await tx.events.add(
            change.id, "stopped", at=now, actor=by, digest=change.digest, batches=len(queued), numbers=numbers
        )
        await self._say.line(tx, change.id, "stopped", numbers=numbers)
        await settle_change(tx, change.id, self._context)
        return (
            f"{change.public_id} is stopped: {numbers:,} {'number' if numbers == 1 else 'numbers'} will not be sent. "
            "Jobs that are at the provider already are watched to their end."
        )
