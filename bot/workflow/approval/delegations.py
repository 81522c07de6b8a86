"""Lending the right to approve: making, listing and ending delegations.

What a delegation allows is decided when the delegate decides (:mod:`bot.workflow.approval.rights`). Telling the
delegate, and noting that a delegation ended by itself, is the work of :mod:`bot.workflow.approval.delegation_notices`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from bot.changes.input.delegations import DELEGATE, DelegationRequest, read_until
from bot.changes.model.change import Change
from bot.changes.model.delegation import Delegation
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.start import End
from bot.changes.policy import TAKEN_BACK, Lapse, lapsed_text
from bot.errors import InputError, NotAuthorized, NotFound, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.approval.rights import name_of
from bot.workflow.approval.stages import StageChanges
from bot.workflow.approval_validity import approvals_wanting
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.emergency_brake import EmergencyBrake
from bot.workflow.notifications import Notifications

#: Most requests updated when a delegation begins or ends; older requests follow at their next edit.
CARDS: Final = 100
#: States of a change that has begun: parts of it may still be held back.
BEGUN: Final = frozenset({ChangeState.RUNNING, ChangeState.PAUSED})


class DelegationControl:
    """Takes delegations in, lists them and ends them."""

    def __init__(
        self,
        context: Context,
        authorization: Authorization,
        notifications: Notifications,
        stage_changes: StageChanges,
    ) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications
        self._stage_changes = stage_changes
        self._refusals = DeniedActions(context)
        self._brake = EmergencyBrake(context)

    @repeatable
    async def lend(self, asked: DelegationRequest, *, by: str) -> Delegation:
        """Lend the right to approve of ``by`` as they ``asked``, and return the delegation.

        A second loan to the same person replaces the end of the first. Raises NotAuthorized, and InputError with all
        problems at once.
        """
        async with self._refusals.noting("delegate", by=by):
            lender = await self._authorization.delegate(by)
        problems = dict(asked.problems)
        if asked.delegate and (problem := await self._unfit(asked.delegate, by)):
            problems[DELEGATE] = problem
        until = None
        try:
            until = read_until(asked.until, now=self._context.clock(), zone=lender.zone)
        except InputError as error:
            problems |= error.problems
        if problems or until is None:
            raise InputError(problems)
        async with self._context.database.transaction() as tx:
            delegation = await self._write(tx, by, asked.delegate, until)
        self._context.ring()
        return delegation

    async def _unfit(self, user: str, by: str) -> str:
        """Return why nobody, or not ``by``, can lend ``user`` the right; empty when they can."""
        if user == by:
            return "You cannot delegate to yourself: name somebody else."
        return await self._authorization.why_no_delegate(user)

    async def _write(self, tx: Transaction, by: str, to: str, until: End) -> Delegation:
        now, floor = self._context.clock(), self._context.slack_time
        present = await tx.delegations.of_pair(by, to)
        if present is not None and not present.active(now):
            await end_by_itself(tx, self._notify, present, now)
            await tx.tasks.remove(Task.DELEGATION, [present.id])
            present = None
        if present is not None and present.until == until:
            return present  # the same command arrived twice
        what = "delegated" if present is None else "delegation_changed"
        if present is None:
            delegation = await tx.delegations.add(by, to, until, now=now, floor=floor)
        else:
            delegation = await tx.delegations.move_end(present, until, floor=floor)
        await tx.tasks.add(Task.DELEGATION, delegation.id, now)
        if present is None:
            await _show_requests(tx, self._notify)
        await tx.events.add(None, what, at=now, actor=by, delegate=to, until=str(until), delegation=delegation.id)
        return delegation

    async def listed(self, *, by: str) -> tuple[Sequence[Delegation], bool]:
        """Return what ``by`` lends and is lent now (for operators: everybody's), and whether it is everybody's.

        Raises NotAuthorized.
        """
        await self._authorization.read(by)
        everybodys = await self._operates(by)
        async with self._context.database.reading() as tx:
            now = self._context.clock()
            return await (tx.delegations.all(now) if everybodys else tx.delegations.about(by, now)), everybodys

    async def lent_to(self, delegate: str, *, by: str) -> Delegation:
        """Return what ``by`` lends to ``delegate``; raises NotFound when there is nothing."""
        async with self._context.database.reading() as tx:
            present = await tx.delegations.of_pair(by, delegate)
        if present is None:
            raise NotFound("You have not delegated to this person; `/numbers delegate` lists your delegations.")
        return present

    @repeatable
    async def end(self, delegation_id: int, *, by: str) -> Delegation:
        """End a delegation early: for the lender, the delegate, and operators.

        Approvals under it no longer count for changes that have not started or have waiting waves; that is written down
        in the same transaction. Raises NotAuthorized, or Superseded when it has ended.
        """
        async with self._context.database.reading() as tx:
            delegation = await tx.delegations.get(delegation_id)
        async with self._refusals.noting("end_delegation", by=by):
            await self._may_end(delegation, by)
        name = await name_of(self._context, delegation.delegate)
        async with self._context.database.transaction() as tx:
            await self._end(tx, await tx.delegations.hold(delegation_id), by=by, name=name)
        self._context.ring()
        return delegation

    async def _end(self, tx: Transaction, delegation: Delegation, *, by: str, name: str) -> None:
        now = self._context.clock()
        if not delegation.active(now):
            raise Superseded("This delegation has already ended.")
        await tx.delegations.end(delegation, now, by=by, floor=self._context.slack_time)
        await tx.tasks.add(Task.DELEGATION, delegation.id, now)
        taken_back = await self._take_back(tx, delegation, name)
        await _show_requests(tx, self._notify)
        await tx.events.add(
            None,
            "delegation_ended",
            at=now,
            actor=by,
            delegator=delegation.delegator,
            delegate=delegation.delegate,
            delegation=delegation.id,
            approvals=taken_back,
        )

    async def _may_end(self, delegation: Delegation, by: str) -> None:
        if by in {delegation.delegator, delegation.delegate}:
            # This takes a right away and gives none, so it must work while Slack does not answer.
            await self._brake.own(by)
            return
        try:
            await self._authorization.operate(by)
        except NotAuthorized as error:
            raise NotAuthorized(
                "Only the person who lends the right, the person who borrows it and operators can end a delegation. "
                f"{error.message}"
            ) from error

    async def _take_back(self, tx: Transaction, delegation: Delegation, name: str) -> int:
        """Let the approvals given under the delegation lapse, and return how many there were.

        A change of which everything has been sent is not stopped, and stays approved: nothing depends on its approvals
        now.
        """
        lapse = Lapse(person=delegation.delegate, name=name, why=TAKEN_BACK)
        taken_back = 0
        for change_id in await tx.decisions.lent(delegation.delegator, delegation.delegate):
            change = await tx.changes.hold(change_id)
            if change.state in BEGUN and not await tx.batches.held_back(change_id):
                continue
            taken_back += 1
            await self._stage_changes.lapse(tx, change, [lapse])
            await self._follow_up(tx, change, delegation, lapse)
            await self._notify.cards(tx, change_id)
        return taken_back

    async def _follow_up(self, tx: Transaction, change: Change, delegation: Delegation, lapse: Lapse) -> None:
        """End an approved change that cannot start; tell the thread of a change whose other waves cannot be sent.

        Nobody can approve it again, as it is no longer a request. Waiting for its start would only keep its numbers
        from other changes until then. A paused change is stopped by its own task, for the same reason.
        """
        if change.state is ChangeState.AWAITING_APPROVAL:
            return
        ends = change.state is ChangeState.APPROVED and change.part_of is None
        waits = {ChangeState.APPROVED: "it will not start"}.get(change.state, "the rest will not be sent")
        so = "nothing was sent" if ends else waits
        with suppress(NotAuthorized):
            if wanting := await approvals_wanting(tx, change, self._authorization.policy_of(change), so):
                why, now = f"{lapsed_text([lapse])} {wanting}", self._context.clock()
                if ends:
                    await tx.changes.move(change.id, ChangeState.CANCELLED, problem=why, finished_at=now)
                    await tx.tasks.stop_waiting(change.id)
                    await tx.events.add(change.id, "not_approved", at=now, digest=change.digest)
                    await self._notify.line(tx, change.id, "cancelled")
                    await self._notify.failure(tx, change.id, "not_approved")
                    return
                await self._notify.line(tx, change.id, "taken_back", each=str(delegation.id), why=why)
                if change.state is ChangeState.PAUSED:
                    await tx.tasks.add(Task.START, change.id, now)

    async def _operates(self, user: str) -> bool:
        try:
            await self._authorization.operate(user)
        except NotAuthorized:
            return False
        return True


async def end_by_itself(tx: Transaction, notify: Notifications, delegation: Delegation, now: datetime) -> None:
    """Write down that a delegation's time is over."""
    await tx.delegations.lapse(delegation)
    await _show_requests(tx, notify)
    await tx.events.add(
        None,
        "delegation_over",
        at=now,
        delegator=delegation.delegator,
        delegate=delegation.delegate,
        delegation=delegation.id,
    )


async def _show_requests(tx: Transaction, notify: Notifications) -> None:
    """Update the waiting requests: they name who may approve them."""
    for change in await tx.changes.newest([ChangeState.AWAITING_APPROVAL], CARDS):
        await notify.cards(tx, change.id)
