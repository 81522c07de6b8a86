"""The results of a change in another format, on request."""

from __future__ import annotations

from bot.changes.model.lifecycle import ChangeState
from bot.errors import Superseded
from bot.store.engine.driver_errors import repeatable
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications


class ResultsExport:
    """Hands out results again."""

    def __init__(self, context: Context, authorization: Authorization, notifications: Notifications) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications

    @repeatable
    async def workbook(self, change_id: int, *, by: str) -> str:
        """Put the results into the change's thread as XLSX and return a sentence about it.

        Everybody who may view may ask. Raises NotAuthorized, NotFound, or Superseded when the change has no results.
        """
        await self._authorization.read(by)
        async with self._context.database.transaction() as tx:
            change = await tx.changes.get(change_id)
            if change.state is not ChangeState.FINISHED:
                raise Superseded(f"{change.public_id} is {change.state.phrase}; results are available when it is over.")
            await tx.events.add(change_id, "workbook_asked_for", at=self._context.clock(), actor=by)
            await self._notify.workbook(tx, change_id)
        self._context.ring()
        return f"{change.public_id}-results.xlsx is posted in the thread of its card, unless it is already there."
