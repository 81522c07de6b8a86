"""The stages of a request: who is asked when one opens, and who may approve as well when it has waited too long."""

from __future__ import annotations

from datetime import datetime

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.policy import Policy, StageProgress, open_stage
from bot.errors import NotAuthorized
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.approval_validity import progress_of
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications


async def wait_for_fallback(tx: Transaction, change: int, opened: StageProgress) -> None:
    """Have the fallback approvers of the stage that is open asked when their time has come, if there are any."""
    await tx.tasks.remove(Task.FALLBACK, [change])
    if opened.fallback_at is not None:
        await tx.tasks.add(Task.FALLBACK, change, opened.fallback_at)


class StageChanges:
    """Asks the people whose turn it is."""

    def __init__(self, context: Context, authorization: Authorization, notifications: Notifications) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications

    async def opened(
        self, tx: Transaction, change: Change, policy: Policy, opened: StageProgress, now: datetime, *, why: str
    ) -> None:
        """Ask the people of the stage that is open since ``now``: an edited card notifies nobody.

        ``why`` says which approvals have lapsed, so that it is open again; empty when the one before it is complete.
        The caller holds the change.
        """
        await wait_for_fallback(tx, change.id, opened)
        if policy.reminder:
            await tx.tasks.add(Task.REMIND, change.id, now + policy.reminder)
        name = opened.stage.name
        await tx.events.add(
            change.id, "stage_reopened" if why else "stage_opened", at=now, digest=change.digest, stage=name
        )
        await self._notify.stage(tx, change, opened, why=why)

    @handles(Task.FALLBACK)
    async def fallback(self, claim: Claim) -> None:
        """Carry out the task: ask the fallback approvers, once, if the stage still waits and its time has come."""
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(claim.subject)
            opened = await self._waiting(tx, change)
            if opened is None or opened.fallback_at is None:
                await tx.tasks.done(claim)
                return
            now = self._context.clock()
            if not opened.fallback_due(now):
                await tx.tasks.again(claim, opened.fallback_at)
                return
            await tx.tasks.done(claim)
            stage = {"stage": opened.stage.name} if opened.stage.name else {}
            await tx.events.add(change.id, "fallback_asked", at=now, digest=change.digest, details=stage)
            await self._notify.fallback(tx, change, opened)
            await self._notify.cards(tx, change.id)
        self._context.ring()

    async def _waiting(self, tx: Transaction, change: Change) -> StageProgress | None:
        """Return the stage for which ``change`` waits by the policy of this moment; None when it waits for none."""
        if change.state is not ChangeState.AWAITING_APPROVAL:
            return None
        try:
            policy = self._authorization.still_allowed(change)
        except NotAuthorized:
            return None
        return open_stage(await progress_of(tx, change, policy))
