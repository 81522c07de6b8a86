"""Showing who holds which numbers, and releasing them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.locks import Lock
from bot.changes.model.public_ids import public_id
from bot.changes.outcome.outcomes import UNLOCKED
from bot.changes.text.counts import counted
from bot.errors import Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Task
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.control.cancellation import Cancellation
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.execution.stop import RELEASED, RELEASED_NUMBER
from bot.workflow.notifications import Notifications


class LockControl:
    """Shows locks to everybody who may view, and releases them for operators."""

    def __init__(
        self, context: Context, authorization: Authorization, notifications: Notifications, cancellation: Cancellation
    ) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications
        self._refusals = DeniedActions(context)
        self._cancellation = cancellation

    async def locks(self, *, by: str) -> Sequence[Lock]:
        """Return who holds how many numbers, and since when; raises NotAuthorized."""
        await self._authorization.read(by)
        async with self._context.database.reading() as tx:
            return await tx.locks.list()

    async def allow(self, *, by: str) -> None:
        """Raise NotAuthorized unless ``by`` is an operator."""
        async with self._refusals.noting("unlock", by=by):
            await self._authorization.operate(by)

    @repeatable
    async def unlock(self, change: int, *, by: str) -> str:
        """Release the locks of ``change`` and return a sentence about it.

        Without its locks, the change may not touch a number, as another change may lock it a moment later. A request
        ends, and a running change is stopped; only numbers that cannot be stopped continue. Raises NotAuthorized, or
        Superseded when it holds no numbers.
        """
        async with self._refusals.noting("unlock", by=by, change=change):
            await self._authorization.operate(by)
            return await self._unlock(change, by=by)

    async def _unlock(self, change_id: int, *, by: str) -> str:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            released = await tx.locks.release(change.id)
            if not released:
                raise Superseded(f"{public_id(change.id)} holds no numbers.")
            await tx.events.add(change.id, "unlocked", at=now, actor=by, numbers=released)
            try:
                ended = await self._cancellation.end(
                    tx, change, by=by, problem=RELEASED, code=UNLOCKED, reason=RELEASED_NUMBER
                )
            except Superseded as error:
                ended = error.message if change.state is ChangeState.RUNNING else ""
            if change.state is ChangeState.IN_EFFECT:
                await tx.tasks.add(Task.END, change.id, now)
                ended = "Nothing more of it is restored."
            await self._notify.cards(tx, change.id)
        self._context.ring()
        numbers = counted(released, f"number of {change.public_id} is", f"numbers of {change.public_id} are")
        return f"{numbers} released. {ended}".strip()
