"""Asking operators about what only they can decide, until everything is decided."""

from __future__ import annotations

from bot.changes.model.lifecycle import ChangeState
from bot.store.queue.tasks import Claim, Task, handles
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications

#: The longest pause is the first one doubled this often.
DOUBLINGS = 8


class Escalation:
    """Asks in the failure channel, with pauses that double each time."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications

    @handles(Task.ESCALATE)
    async def escalate(self, claim: Claim) -> None:
        """Carry out the task: ask once about all that is open on a change, and set the next time."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.get(claim.subject)
            waiting = [batch for batch in await tx.batches.of(change.id) if batch.undecided or batch.stuck]
            unread = change.state is ChangeState.VERIFYING and change.failed_reads > 0
            if change.state.over or not (waiting or unread):
                await tx.tasks.done(claim)
                return
            await self._notify.question(tx, change.id)
            await tx.events.add(change.id, "operators_asked", at=now, batches=len(waiting), times=claim.attempts)
            await tx.tasks.again(claim, now + self._context.timing.stuck * 2 ** min(claim.attempts - 1, DOUBLINGS))
        self._context.ring()
