"""The results of a change in another form, for whoever asks for them."""

from __future__ import annotations

from bot.changes.lifecycle import ChangeState
from bot.errors import Superseded
from bot.workflow.announcements import Announcements
from bot.workflow.authority import Authority
from bot.workflow.context import Context


class Reporting:
    """Hands out results again."""

    def __init__(self, context: Context, authority: Authority, announcements: Announcements) -> None:
        self._context = context
        self._authority = authority
        self._say = announcements

    async def workbook(self, change_id: int, *, by: str) -> str:
        """Put the results into the change's thread as XLSX and return a sentence about it.

        Whoever may look may ask. Raises NotAllowed, NotFound, or Superseded when the change has no results.
        """
        await self._authority.read(by)
        async with self._context.database.transaction() as tx:
            change = await tx.changes.get(change_id)
            if change.state is not ChangeState.FINISHED:
                state = change.state.value.replace("_", " ")
                raise Superseded(f"{change.public_id} is {state}; there are results only when its jobs are over.")
            await tx.events.add(change_id, "workbook_asked_for", at=self._context.clock(), actor=by)
            await self._say.workbook(tx, change_id)
        self._context.ring()
        return f"{change.public_id}-results.xlsx comes into the thread of its card, if it is not there already."
