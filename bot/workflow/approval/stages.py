"""The stages of a request: who is asked when one opens, and who else may approve when it has waited too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.policy import Lapse, Policy, StageProgress, lapsed_text, open_stage, stage_gone
from bot.errors import DeliveryError, DeliveryPostponed, NotAuthorized
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.approval.asked_last import asked_last, given_elsewhere
from bot.workflow.approval.conclusion import beginning_of, conclude, start_passed
from bot.workflow.approval.rights import name_of
from bot.workflow.approval_validity import ApprovalValidity, progress_of
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications

#: Pause before asking again whether approvals count, when Slack did not answer.
UNSURE_WAIT: Final = timedelta(seconds=30)
#: Most cards of approved, waiting changes that are redrawn when a process starts; others follow at their next edit.
APPROVED: Final = 100


async def wait_for_fallback(tx: Transaction, change: int, opened: StageProgress) -> None:
    """Have the fallback approvers of the open stage asked when their time has come, if there are any."""
    await tx.tasks.remove(Task.FALLBACK, [change])
    if opened.fallback_at is not None:
        await tx.tasks.add(Task.FALLBACK, change, opened.fallback_at)


async def review_all(context: Context) -> None:
    """Have every waiting request reviewed: the policy may have changed since the last start.

    Cards of approved changes that wait for their time are redrawn: they say so if the rule now requires more.
    """
    notify = Notifications(context)
    async with context.database.transaction() as tx:
        for change in await tx.changes.undecided():
            await tx.tasks.add(Task.FALLBACK, change, context.clock())
        for approved in await tx.changes.newest([ChangeState.APPROVED], APPROVED):
            await notify.card(tx, approved.id)


class StageChanges:
    """Asks the people whose turn it is."""

    def __init__(self, context: Context, authorization: Authorization, notifications: Notifications) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications
        self._approval_validity = ApprovalValidity(context)

    async def review(self, change_id: int) -> None:
        """Bring a waiting request in line with the policy, which may have changed since it was made.

        Approvals in stages that its rule no longer has lapse. If another stage is open than the one whose people were
        last asked, the people of the open stage are asked, and that stage counts as open from now on.
        """
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
            if await self._in_line(tx, change) or (policy := self._allowing(change)) is None:
                return
            gone = given_elsewhere(policy, await tx.decisions.of(change_id))
        lapses = [
            Lapse(person=each.person, name=await name_of(self._context, each.person), why=stage_gone(each.stage))
            for each in gone
        ]
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            if await self._in_line(tx, change) or given_elsewhere(policy, await tx.decisions.of(change_id)) != gone:
                return  # somebody else was faster, and the next visitor reviews again
            await self._approval_validity.note(tx, change, lapses)
            await tx.changes.put(change_id, approvals_required=policy.approvals_required)
            await self._ask_again(tx, change, policy, lapsed_text(lapses))
            await self._notify.cards(tx, change_id)
        self._context.ring()

    async def _in_line(self, tx: Transaction, change: Change) -> bool:
        """Tell whether nothing about ``change`` needs a review, or nobody can be asked about it."""
        opened, policy = await self._waiting(tx, change), self._allowing(change)
        if opened is None or policy is None:
            return True
        asked = asked_last(change, await tx.events.of(change.id))
        known = opened.stage.name == asked.stage and opened.opened_at is not None and opened.opened_at >= asked.at
        as_shown = change.approvals_required == policy.approvals_required
        return known and as_shown and not given_elsewhere(policy, await tx.decisions.of(change.id))

    async def _ask_again(self, tx: Transaction, change: Change, policy: Policy, why: str) -> None:
        """Ask the people of the open stage, unless they were the last to be asked."""
        now, asked = self._context.clock(), asked_last(change, await tx.events.of(change.id))
        opened = open_stage(await progress_of(tx, change, policy))
        if opened.complete:
            return  # it has all its approvals, and continues with its next task
        same = opened.stage.name == asked.stage
        since = asked.at if same else now
        if opened.opened_at is None or opened.opened_at < since:
            await tx.changes.put(change.id, asked_at=since)
            change = replace(change, asked_at=since)
            opened = open_stage(await progress_of(tx, change, policy))
        if same:
            await wait_for_fallback(tx, change.id, opened)
        else:
            await self.opened(tx, change, policy, opened, now, why=why)

    async def opened(
        self, tx: Transaction, change: Change, policy: Policy, opened: StageProgress, now: datetime, *, why: str
    ) -> None:
        """Ask the people of the stage that is open since ``now``: an edited card notifies nobody.

        ``why`` says which approvals have lapsed, so that it is open again; empty when the previous stage is complete.
        The caller holds the change.
        """
        if why:
            change, now = await self._waits_anew(tx, change)
            opened = open_stage(await progress_of(tx, change, policy))
        await wait_for_fallback(tx, change.id, opened)
        if policy.reminder:
            await tx.tasks.add(Task.REMIND, change.id, now + policy.reminder)
        name = opened.stage.name
        await tx.events.add(
            change.id, "stage_reopened" if why else "stage_opened", at=now, digest=change.digest, stage=name
        )
        if name:
            await self._notify.stage(tx, change, opened, why=why)
        else:  # the rule no longer has stages
            await self._notify.reminder(tx, change, 0, opened)

    async def _waits_anew(self, tx: Transaction, change: Change) -> tuple[Change, datetime]:
        """Write down that a stage of ``change`` is open again; return the change, and since when it is open.

        When the same person approves again, the record of the lapse is gone, and with it the fact that the stage was
        complete in between. Without this, its fallback approvers could decide as early as if it had been open all the
        time.
        """
        now = self._context.clock()
        await tx.changes.put(change.id, asked_at=now)
        return replace(change, asked_at=now), now

    async def lapse(self, tx: Transaction, change: Change, lapses: Sequence[Lapse]) -> None:
        """Let approvals of ``change`` lapse, and ask the people of a stage that this opens again.

        The caller holds the change.
        """
        before = await self._waiting(tx, change)
        await self._approval_validity.note(tx, change, lapses)
        opened = await self._waiting(tx, change)
        if before is not None and opened is not None and opened.place < before.place:
            policy, now = self._authorization.policy_of(change), self._context.clock()
            await self.opened(tx, change, policy, opened, now, why=lapsed_text(lapses))

    @handles(Task.FALLBACK)
    async def fallback(self, claim: Claim) -> None:
        """Carry out the task: ask the fallback approvers, once, if the stage still waits and its time has come.

        A request whose policy may have changed has the same task.
        """
        await self.review(claim.subject)
        try:
            if await self._concluded(claim):
                return
        except DeliveryError as error:
            pause = timedelta(seconds=error.wait) if isinstance(error, DeliveryPostponed) else UNSURE_WAIT
            async with self._context.database.transaction() as tx:
                await tx.tasks.again(claim, self._context.clock() + pause)
            return
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
            if await self._notify.fallback_told(tx, change, opened):
                return
            stage = {"stage": opened.stage.name} if opened.stage.name else {}
            await tx.events.add(change.id, "fallback_asked", at=now, digest=change.digest, details=stage)
            await self._notify.fallback(tx, change, opened)
            await self._notify.cards(tx, change.id)
        self._context.ring()

    async def _concluded(self, claim: Claim) -> bool:
        """Continue a request that now has all required approvals, and tell whether it did.

        The rule requires fewer approvals than before. Nothing unapproved is done: each approval is for the plan that
        continues, by somebody whose approval counts now according to Slack and the policy. No click could add to that,
        and those who approved could not click again. But nobody approved a start at another time than the request said:
        if that time has passed meanwhile, one more click must confirm the start at once, and the card says so.

        A click never does this: a rejection at that moment is heard first. Raises DeliveryError when Slack does not say
        whether the approvals count.
        """
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(claim.subject)
            complete = await self._complete(tx, change)
        if not complete:
            return False
        policy = self._authorization.still_allowed(change)
        lapses = await self._approval_validity.lapses(change, policy)
        async with self._context.database.transaction() as tx:
            present = await tx.changes.hold(change.id)
            if present.digest != change.digest or present.state is not change.state:
                return False  # decided, or sent back, meanwhile
            await self.lapse(tx, present, lapses)
            if not await self._complete(tx, present):
                await self._notify.cards(tx, change.id)
                return False
            await tx.tasks.done(claim)
            now = self._context.clock()
            await tx.changes.put(change.id, approvals_required=policy.approvals_required)
            details: dict[str, str | int | None] = {"rule": policy.name}
            await tx.events.add(change.id, "approvals_suffice", at=now, digest=change.digest, details=details)
            await conclude(tx, self._notify, change, await beginning_of(tx, change, policy, now), now, eased=1)
            await self._notify.cards(tx, change.id)
        self._context.ring()
        return True

    async def _complete(self, tx: Transaction, change: Change) -> bool:
        """Tell whether a waiting request has all its approvals, and may continue without anybody's click."""
        opened, now = await self._waiting(tx, change), self._context.clock()
        if opened is None or not opened.complete or start_passed(change, now):
            return False
        return (change.expires_at is None or now < change.expires_at) and await tx.locks.held(change.id)

    async def _waiting(self, tx: Transaction, change: Change) -> StageProgress | None:
        """Return the stage for which ``change`` waits under the current policy; None when it waits for none."""
        policy = self._allowing(change)
        return open_stage(await progress_of(tx, change, policy)) if policy is not None else None

    def _allowing(self, change: Change) -> Policy | None:
        """Return the policy under which ``change`` waits; None when it does not wait, or nobody may approve it."""
        if change.state is not ChangeState.AWAITING_APPROVAL:
            return None
        try:
            return self._authorization.still_allowed(change)
        except NotAuthorized:
            return None
