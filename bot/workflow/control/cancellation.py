"""Cancelling a change: unsent numbers are not sent; numbers at the provider are watched to their end."""

from __future__ import annotations

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.outcome.outcomes import STOPPED
from bot.errors import NotAuthorized, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.emergency_brake import EmergencyBrake
from bot.workflow.execution.settlement import CANCELLED
from bot.workflow.execution.stop import ChangeStop
from bot.workflow.notifications import Notifications

#: States from which nothing has been sent to the provider.
_UNSENT = frozenset({ChangeState.AWAITING_APPROVAL, ChangeState.CHANGES_REQUESTED, ChangeState.APPROVED})


class Cancellation:
    """Cancels changes for their requester or an operator."""

    def __init__(self, context: Context, authorization: Authorization, notifications: Notifications) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications
        self._refusals = DeniedActions(context)
        self._brake = EmergencyBrake(context)
        self._stopping = ChangeStop(context, notifications)

    @repeatable
    async def cancel(self, change_id: int, *, by: str) -> str:
        """Stop the change and return a sentence about the result.

        Raises NotAuthorized, or Superseded when there is nothing left to stop.
        """
        async with self._refusals.noting("cancel", by=by, change=change_id):
            return await self._cancel(change_id, by=by)

    async def _cancel(self, change_id: int, *, by: str) -> str:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
        unsaid = ""
        if change.requester != by or change.restores:
            # Without its restore, a temporary change would become permanent, which nobody has approved.
            unsaid = await self._only_operators(change, by)
        else:
            await self._brake.own(by)
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            own = by == change.requester and not change.restores
            problem = f"Cancelled by {'its requester' if own else 'an operator'}."
            said = await self.end(tx, change, by=by, problem=problem)
            if unsaid:
                await tx.events.add(change_id, "cancelled_by_memory", at=self._context.clock(), actor=by, answer=unsaid)
            await self._notify.cards(tx, change_id)
        self._context.ring()
        return f"{said} {unsaid}".strip()

    async def _only_operators(self, change: Change, by: str) -> str:
        """Raise NotAuthorized unless ``by`` is an operator; return what to say when Slack could not be asked."""
        try:
            return await self._brake.operator(by)
        except NotAuthorized as error:
            who = "an operator" if change.restores else "the requester or an operator"
            only = f"Only {who} can cancel {change.public_id}."
            raise NotAuthorized(f"{only} {error.message}") from error

    async def end(
        self, tx: Transaction, change: Change, *, by: str, problem: str, code: str = STOPPED, reason: str = CANCELLED
    ) -> str:
        """End ``change``, or what is left of it to be sent, and return a sentence about what that came to.

        Raises Superseded, before anything is written, when there is nothing left to stop. The caller holds the
        change.
        """
        now = self._context.clock()
        if change.state in {ChangeState.PLANNING, ChangeState.PLANNED}:
            await tx.changes.move(change.id, ChangeState.DISCARDED, problem=problem, finished_at=now)
            await tx.tasks.remove(Task.DISCARD, [change.id])
            await tx.events.add(change.id, "discarded", at=now, actor=by)
            await self._notify.preview(tx, change.id)
            return f"{change.public_id} is discarded. Nothing was changed."
        if change.state in _UNSENT:
            await tx.changes.move(change.id, ChangeState.CANCELLED, problem=problem, finished_at=now)
            await tx.tasks.stop_waiting(change.id)
            await tx.events.add(change.id, "cancelled", at=now, actor=by, digest=change.digest)
            await self._notify.line(tx, change.id, "cancelled")
            return f"{change.public_id} is cancelled. Nothing was sent to the provider."
        if change.state is ChangeState.RUNNING and change.stopped_at is not None:
            raise Superseded(
                f"{change.public_id} is already stopped; only jobs that cannot be stopped are still running."
            )
        if said := await self._stopping.stop(tx, change, by=by, problem=problem, code=code, reason=reason):
            return said
        if change.state is ChangeState.RUNNING:
            raise Superseded(f"All jobs of {change.public_id} are already at the provider, which cannot stop them.")
        if change.state is ChangeState.IN_EFFECT:
            raise Superseded(
                f"{change.public_id} is in effect until {change.until}. `/numbers end {change.public_id}` ends it now "
                "and restores its numbers."
            )
        raise Superseded(f"{change.public_id} is already {change.state.phrase}, so there is nothing left to cancel.")
