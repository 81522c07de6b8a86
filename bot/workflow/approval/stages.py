"""The stages of a request: who is asked when one opens, and who may approve as well when it has waited too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.changes.audit.events import Event
from bot.changes.model.change import Change, Decision
from bot.changes.model.lifecycle import ChangeState
from bot.changes.policy import Lapse, Policy, StageProgress, lapsed_text, open_stage, stage_gone
from bot.errors import NotAuthorized
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.approval.rights import name_of
from bot.workflow.approval_validity import ApprovalValidity, progress_of
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications

#: Most changes that wait for their time of which the card is shown anew at a start; others follow at their next edit.
APPROVED: Final = 100
#: Events by which people are asked to approve.
_ASKING: Final = frozenset({"approval_requested", "stage_opened", "stage_reopened"})


async def wait_for_fallback(tx: Transaction, change: int, opened: StageProgress) -> None:
    """Have the fallback approvers of the stage that is open asked when their time has come, if there are any."""
    await tx.tasks.remove(Task.FALLBACK, [change])
    if opened.fallback_at is not None:
        await tx.tasks.add(Task.FALLBACK, change, opened.fallback_at)


async def review_all(context: Context) -> None:
    """Have every request looked at that waits: since the last start the policy may have become another one.

    Cards of what is approved and waits for its time are shown anew: they say so when that rule asks for more by now.
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
        self._approval_validity = ApprovalValidity(context, authorization)

    async def review(self, change_id: int) -> None:
        """Bring a request that waits in line with the policy, which may have become another one since it was made.

        Approvals in stages that its rule does not have any more lapse; and where another stage is open than that whose
        people were asked last, those of the open one are asked, and it is open since then and no longer.
        """
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
            if await self._in_line(tx, change) or (policy := self._allowing(change)) is None:
                return
            gone = _elsewhere(policy, await tx.decisions.of(change_id))
        lapses = [
            Lapse(person=each.person, name=await name_of(self._context, each.person), why=stage_gone(each.stage))
            for each in gone
        ]
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            if await self._in_line(tx, change) or _elsewhere(policy, await tx.decisions.of(change_id)) != gone:
                return  # somebody else was faster, and whoever comes next looks again
            await self._approval_validity.note(tx, change, lapses)
            await tx.changes.put(change_id, approvals_required=policy.approvals_required)
            await self._ask_again(tx, change, policy, lapsed_text(lapses))
            await self._notify.cards(tx, change_id)
        self._context.ring()

    async def _in_line(self, tx: Transaction, change: Change) -> bool:
        """Tell whether there is nothing to review about ``change``, or nobody to be asked about it."""
        opened, policy = await self._waiting(tx, change), self._allowing(change)
        if opened is None or policy is None:
            return True
        asked = _asked(change, await tx.events.of(change.id))
        known = opened.stage.name == asked.stage and opened.opened_at is not None and opened.opened_at >= asked.at
        as_shown = change.approvals_required == policy.approvals_required
        return known and as_shown and not _elsewhere(policy, await tx.decisions.of(change.id))

    async def _ask_again(self, tx: Transaction, change: Change, policy: Policy, why: str) -> None:
        """Ask the people of the stage that is open, unless they were asked last."""
        now, asked = self._context.clock(), _asked(change, await tx.events.of(change.id))
        opened = open_stage(await progress_of(tx, change, policy))
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

        ``why`` says which approvals have lapsed, so that it is open again; empty when the one before it is complete.
        The caller holds the change.
        """
        if why:
            change, now = await self.waits_anew(tx, change)
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
        else:  # the rule has no stages any more
            await self._notify.reminder(tx, change, 0, opened)

    async def waits_anew(self, tx: Transaction, change: Change) -> tuple[Change, datetime]:
        """Write down that a stage of ``change`` is open again, and return the change and since when.

        What is known of a lapse is gone once the same person approves again, and with it that the stage was complete in
        between: without this, its fallback approvers could decide as early as if it had been open all the time.
        """
        now = self._context.clock()
        await tx.changes.put(change.id, asked_at=now)
        return replace(change, asked_at=now), now

    async def lapse(self, tx: Transaction, change: Change, lapses: Sequence[Lapse]) -> None:
        """Let approvals of ``change`` lapse, and ask the people of the stage that is open again for that, if one is.

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
        """Carry out the task: ask the fallback approvers, once, if the stage still waits and its time has come."""
        await self.review(claim.subject)
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

    async def _waiting(self, tx: Transaction, change: Change) -> StageProgress | None:
        """Return the stage for which ``change`` waits by the policy of this moment; None when it waits for none."""
        policy = self._allowing(change)
        return open_stage(await progress_of(tx, change, policy)) if policy is not None else None

    def _allowing(self, change: Change) -> Policy | None:
        """Return the policy by which ``change`` waits; None when it does not, or not for anybody who may approve it."""
        if change.state is not ChangeState.AWAITING_APPROVAL:
            return None
        try:
            return self._authorization.still_allowed(change)
        except NotAuthorized:
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """Whose turn it was when people were asked last."""

    #: Name of the stage; empty where the rule had but one.
    stage: str
    at: datetime


def _asked(change: Change, events: Sequence[Event]) -> _Asked:
    """Return which stage's people were asked last, by the ``events`` of a request."""
    last = next((each for each in reversed(events) if each.what in _ASKING), None)
    if last is None:
        return _Asked(stage="", at=change.requested_at or change.created_at)
    return _Asked(stage=str(last.details.get("stage", "")), at=last.at)


def _elsewhere(policy: Policy, decisions: Sequence[Decision]) -> Sequence[Decision]:
    """Return the approvals that count, given in a stage that ``policy`` does not have."""
    stages = {stage.name for stage in policy.stages}
    return [each for each in decisions if each.counts and each.stage not in stages]
