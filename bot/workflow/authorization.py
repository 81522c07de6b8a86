"""Who may do what, according to Slack and the policy at the moment of the click. Everything fails closed.

Actions are checked ``fresh``: somebody who was just removed from a group, deactivated or made a guest can no longer
act. Views may rely on what Slack said within the last minute. Actions that only stop something are the business of
:mod:`bot.workflow.emergency_brake`; whether an approval still counts is the business of
:mod:`bot.workflow.approval_validity`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from bot.changes.model.change import Change
from bot.changes.policy import (
    Grant,
    Membership,
    Person,
    Policy,
    Reason,
    StageProgress,
    UnknownGroup,
    Verdict,
    forbidden,
    in_a_while,
    kind_off,
    lists,
    may_approve,
    may_approve_now,
    may_delegate,
    may_operate,
    may_read,
    may_request,
    may_stand_in,
    open_stage,
)
from bot.errors import DeliveryError, DeliveryPostponed, NotAuthorized
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions

#: Errors of users.info that mean: there is no such person here, today or tomorrow.
UNKNOWN: Final = frozenset({"user_not_found", "user_not_visible"})


class Authorization:
    """Answers who may do what; each question raises :class:`bot.errors.NotAuthorized` with a sentence to show."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._refusals = DeniedActions(context)

    def policy(self, kind: str, size: int, settings: Collection[str]) -> Policy:
        """Return the rule for such a change; raises NotAuthorized when the kind is off and no rule covers it."""
        policy = self._context.policies.governing(kind, size, settings)
        if policy is None:
            raise NotAuthorized(kind_off(kind).sentence)
        return policy

    def policy_of(self, change: Change) -> Policy:
        """Return the rule that governs ``change`` now; raises NotAuthorized when none does."""
        return self.policy(change.kind, change.size, change.names)

    def still_allowed(self, change: Change) -> Policy:
        """Return the rule that governs ``change`` now; raises NotAuthorized when the rule no longer allows the change.

        Everything that releases numbers checks this. A restore was approved with its temporary change, so no current
        rule stops it.
        """
        if change.restores:
            return self._context.governing(change)
        policy = self.policy_of(change)
        unseen = change.summary is not None and change.summary.unknown > 0
        if why := forbidden(policy, change.kind, change.size, unseen=unseen):
            raise NotAuthorized(why)
        return policy

    def reminder_of(self, change: Change) -> timedelta | None:
        """Return the pause between reminders of ``change``; None when there are none, or no rule governs it."""
        try:
            return self.policy_of(change).reminder
        except NotAuthorized:
            return None

    async def start(self, user: str, kind: str, *, fresh: bool = True) -> Verdict:
        """Allow ``user`` to begin a change of ``kind`` before its size is known."""
        policies = self._context.policies
        grant = policies.all_requesters(kind)
        async with self._refusals.noting("start", by=user):
            person, membership = await self._ask(user, grant, fresh=fresh)
            return allowed(policies.may_start(kind, person, membership))

    async def request(
        self, user: str, kind: str, size: int, settings: Collection[str], *, fresh: bool = True
    ) -> Verdict:
        """Allow ``user`` to request a change of ``size`` numbers of ``kind`` that touches ``settings``."""
        policy = self.policy(kind, size, settings)
        person, membership = await self._ask(user, policy.requesters, fresh=fresh)
        return allowed(may_request(policy, person, membership, kind, size))

    async def approval(
        self, policy: Policy, progress: Sequence[StageProgress], user: str, requester: str, *, fresh: bool = True
    ) -> Verdict:
        """Say whether ``user`` may, in their own right, approve the request of ``requester`` under ``policy``.

        ``progress`` is the state of the request. Raises NotAuthorized when Slack does not say who ``user`` is.
        """
        now = self._context.clock()
        opened = open_stage(progress)
        due = [opened.stage.fallback_approvers] if opened.fallback_due(now) else []
        person, membership = await self._ask(user, opened.stage.approvers, *due, fresh=fresh)
        verdict = may_approve_now(policy, progress, person, membership, requester, now=now)
        others = Grant.union(stage.everyone for stage in policy.stages).groups - membership.keys()
        if not verdict.allowed and others:
            # People in another list than the current stage's are told more than that they are not in this one.
            membership = {**membership, **await self._context.directory.membership(sorted(others), fresh=fresh)}
            verdict = may_approve_now(policy, progress, person, membership, requester, now=now)
        return verdict

    async def refusal(
        self, policy: Policy, progress: Sequence[StageProgress], user: str, requester: str, *, fresh: bool = True
    ) -> Verdict:
        """Say whether ``user`` may, in their own right, reject a request or ask for changes to its plan.

        Approvers of any stage may do so at any time; fallback approvers from the time when they may approve. Raises as
        :meth:`approval`.
        """
        grant = Grant.union((policy.approvers, open_stage(progress).open_to(self._context.clock())))
        person, membership = await self._ask(user, grant, fresh=fresh)
        verdict = may_approve(policy, person, membership, requester, (), grant=grant)
        if verdict.reason is Reason.NOT_LISTED and any(stage.fallback_after for stage in policy.stages):
            return await self.approval(policy, progress, user, requester, fresh=fresh)  # which says from when they may
        return verdict

    async def delegate(self, user: str, *, fresh: bool = True) -> Person:
        """Allow ``user`` to lend the right to approve, which they must have themselves, and return who they are."""
        policies = self._context.policies
        approvers = policies.all_approvers
        person, membership = await self._ask(user, approvers, fresh=fresh)
        allowed(may_delegate(policies.fallback, approvers, person, membership))
        return person

    async def why_no_delegate(self, user: str) -> str:
        """Return why ``user`` may not approve on behalf of somebody else; empty when they may."""
        try:
            person = await self._context.directory.person(user, fresh=True)
        except DeliveryError as error:
            if error.code in UNKNOWN:
                return "Slack does not list this person as a member of this workspace."
            again = in_a_while(error.wait if isinstance(error, DeliveryPostponed) else 0)
            return f"Slack did not confirm who this person is. Try again {again}."
        verdict = may_stand_in(self._context.policies.fallback, person)
        return "" if verdict.allowed else verdict.sentence

    async def requester_or_operator(self, user: str, change: Change, *, to: str) -> None:
        """Allow ``user`` ``to`` act on a change: the requester while they may request it, or an operator."""
        if change.requester == user:
            # People who may no longer request a change cannot release any of it.
            await self.request(user, change.kind, change.size, change.names)
            return
        try:
            await self.operate(user)
        except NotAuthorized as error:
            raise NotAuthorized(f"Only the requester or an operator can {to} {change.public_id}.") from error

    async def read(self, user: str) -> None:
        """Allow ``user`` to view changes and numbers; everything that shows them checks this."""
        async with self._refusals.noting("look", by=user):
            await self.may_read(user)

    async def may_read(self, user: str) -> Verdict:
        """Return the same as a verdict; the caller decides whether a refusal is written down.

        A delegate may view while the right to approve is lent, as they must see what they decide on.
        """
        policies = self._context.policies
        readers = policies.all_readers
        person, membership = await self._ask(user, readers, fresh=False)
        verdict = may_read(policies.fallback, readers, person, membership)
        if not verdict.allowed and may_stand_in(policies.fallback, person).allowed and await self._borrows(user):
            return may_stand_in(policies.fallback, person)
        return allowed(verdict)

    async def _borrows(self, user: str) -> bool:
        """Tell whether an approver lends ``user`` the right to approve."""
        async with self._context.database.reading() as tx:
            lent = await tx.delegations.to(user, self._context.clock())
        for delegation in lent:
            with suppress(NotAuthorized):
                await self.delegate(delegation.delegator, fresh=False)
                return True
        return False

    async def operate(self, user: str) -> Verdict:
        """Allow ``user`` to do what only operators may do."""
        policy = self._context.policies.fallback
        person, membership = await self._ask(user, policy.operators, fresh=True)
        return allowed(may_operate(policy, person, membership))

    async def _ask(self, user: str, *grants: Grant, fresh: bool) -> tuple[Person, Membership]:
        """Return who ``user`` is, and who is in the groups of ``grants``, as far as that matters.

        Slack limits reads of groups, so no group is read for somebody who is listed by name, or was found already in
        the same grant or an earlier one.
        """
        directory = self._context.directory
        try:
            person = await directory.person(user, fresh=fresh)
        except DeliveryError as error:
            raise NotAuthorized(unsaid(error)) from error
        membership: dict[str, frozenset[str] | UnknownGroup] = {}
        for grant in grants:
            for group in sorted(grant.groups - membership.keys()):
                if lists(grant, person, membership):
                    break
                membership |= await directory.membership([group], fresh=fresh)
            if lists(grant, person, membership):
                break
        return person, membership


def unsaid(error: DeliveryError) -> str:
    """Return what a person is told when Slack does not say who they are."""
    if error.code in UNKNOWN:
        return "Slack does not list you as a member of this workspace, so nothing was done."
    again = in_a_while(error.wait if isinstance(error, DeliveryPostponed) else 0)
    return f"Slack did not confirm who you are, so nothing was done. Try again {again}."


def only_requester(user: str, change: Change) -> None:
    """Raise NotAuthorized unless ``user`` requested ``change``: nobody requests what somebody else planned."""
    if change.requester != user:
        raise NotAuthorized(f"{change.public_id} is somebody else's plan; start your own with /numbers.")


def allowed(verdict: Verdict) -> Verdict:
    """Return ``verdict``; raises NotAuthorized with its sentence when it is a refusal."""
    if not verdict.allowed:
        raise NotAuthorized(verdict.sentence)
    return verdict
