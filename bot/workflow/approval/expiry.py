"""The end of requests that nobody decides, and of changes that were sent back and never planned again."""

from __future__ import annotations

from contextlib import suppress

from bot.changes.model.lifecycle import ChangeState
from bot.errors import ClaimLost
from bot.store.queue.tasks import Claim, Task, handles
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications
from bot.workflow.revisions import EXPIRING


class RequestExpiry:
    """Ends requests that have waited for as long as the policy allows."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications

    @handles(Task.EXPIRE)
    async def expire(self, claim: Claim) -> None:
        """Carry out the task: end a request that nobody decided, or that was sent back and never planned again."""
        await self.end(claim.subject)
        async with self._context.database.transaction() as tx:
            change = await tx.changes.get(claim.subject)
            if change.state in EXPIRING and change.expires_at is not None:
                await tx.tasks.again(claim, change.expires_at)
            else:
                with suppress(ClaimLost):  # the click that ended the request has removed this task, too
                    await tx.tasks.done(claim)

    async def end(self, change_id: int) -> None:
        """End a request, or a change that was sent back, if its time is over."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            # Meanwhile it may have been sent back, or requested again: then it has another time and task.
            if change.state not in EXPIRING or (change.expires_at is not None and now < change.expires_at):
                return
            await tx.changes.move(change_id, ChangeState.EXPIRED, finished_at=now)
            await tx.tasks.stop_waiting(change_id)
            await tx.events.add(change_id, "expired", at=now)
            await self._notify.cards(tx, change_id)
            if change.state is ChangeState.CHANGES_REQUESTED:
                await self._notify.line(tx, change_id, "not_revised")
            else:
                await self._notify.line(tx, change_id, "expired")
                await self._notify.failure(tx, change_id, "expired")
        self._context.ring()
