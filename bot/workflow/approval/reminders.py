"""Reminding people: approvers who have not answered, requesters whose change is paused, about to end or sent back."""

from __future__ import annotations

from bot.changes.model.lifecycle import ChangeState
from bot.changes.policy import FIRST_REMINDER, open_stage
from bot.errors import NotAuthorized
from bot.store.queue.tasks import Claim, Task, handles
from bot.workflow.approval_validity import progress_of
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications

#: The longest pause is the first one doubled this often; a request that nobody answers for days is left to its expiry.
DOUBLINGS = 10


class Reminders:
    """Reminds, with pauses that double each time."""

    def __init__(self, context: Context, authorization: Authorization, notifications: Notifications) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications

    @handles(Task.REMIND)
    async def remind(self, claim: Claim) -> None:
        """Carry out the task: remind once, and set the next time."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.get(claim.subject)
            if change.state is ChangeState.PAUSED:
                await tx.tasks.done(claim)
                await self._notify.line(tx, change.id, "still_paused", each=str(change.wave), wave=change.wave)
                await tx.events.add(change.id, "reminded", at=now, times=1)
                self._context.ring()
                return
            if change.state is ChangeState.IN_EFFECT:
                await tx.tasks.done(claim)
                until = change.until
                each = f"{until.at:%Y%m%d%H%M}" if until else ""
                await self._notify.line(tx, change.id, "ends_soon", each=each, until=str(until or ""))
                await tx.events.add(change.id, "reminded", at=now, times=1)
                self._context.ring()
                return
            if change.state is ChangeState.CHANGES_REQUESTED:
                await tx.tasks.done(claim)
                await self._notify.line(tx, change.id, "still_to_revise", each=change.digest[:12])
                await tx.events.add(change.id, "reminded", at=now, times=1)
                self._context.ring()
                return
            if change.state is not ChangeState.AWAITING_APPROVAL:
                await tx.tasks.done(claim)
                return
            try:
                policy = self._authorization.still_allowed(change)
            except NotAuthorized:  # nobody may approve it, unless the policy changes before it expires
                await tx.tasks.again(claim, now + FIRST_REMINDER)
                return
            if not (pause := policy.reminder):
                await tx.tasks.done(claim)
                return
            opened = open_stage(await progress_of(tx, change, policy))
            if opened.complete:  # another replica had another policy when it checked
                await tx.tasks.ensure(Task.FALLBACK, change.id, now)
            await self._notify.reminder(tx, change, claim.attempts, opened)
            await tx.events.add(change.id, "reminded", at=now, times=claim.attempts)
            await tx.tasks.again(claim, now + pause * 2 ** min(claim.attempts, DOUBLINGS))
        self._context.ring()
