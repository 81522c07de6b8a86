"""Who may do what, asked of Slack and the policy at the moment of the click. Everything fails closed.

What does something is asked ``fresh``: somebody who was removed from a group, switched off or made a guest a moment
ago does nothing any more. What only shows something may go by what Slack said within the last minute. And what only
stops something has to work while Slack says nothing: it may go by what Slack said within the last minutes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Final

from bot.changes.model.change import Change, Decision
from bot.changes.policy import (
    ApprovalStage,
    Grant,
    Lapse,
    Membership,
    Person,
    Policy,
    Reason,
    StageProgress,
    UnknownGroup,
    Verdict,
    broken,
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
    may_stop_own,
    open_stage,
    stage_gone,
    unsatisfiable,
    who_may_approve,
    why_lapsed,
)
from bot.errors import DeliveryError, DeliveryPostponed, DeliveryRefused, NotAuthorized
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions

#: Errors of users.info by which Slack says that there is no such person here, today or tomorrow.
_UNKNOWN: Final = frozenset({"user_not_found", "user_not_visible"})
#: Most operators whom Slack is asked about beforehand; users.info allows 100 calls a minute
#: (slack/API.md, "Rate limits").
REMEMBERED: Final = 50
_MINUTE: Final = 60


class Authorization:
    """Answers questions of authority; each raises :class:`bot.errors.NotAuthorized` with a sentence for the person."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._refusals = DeniedActions(context)

    def policy(self, kind: str, size: int, settings: Collection[str]) -> Policy:
        """Return the rule that governs such a change; raises NotAllowed when the kind is off and none speaks of it."""
        policy = self._context.policies.governing(kind, size, settings)
        if policy is None:
            raise NotAuthorized(kind_off(kind).sentence)
        return policy

    def policy_of(self, change: Change) -> Policy:
        """Return the rule that governs ``change`` now; raises NotAllowed when none does, or forbids its filter."""
        policy = self.policy(change.kind, change.size, change.names)
        if change.summary and change.summary.unknown and not policy.unpreviewable:
            raise NotAuthorized(blind(policy))
        return policy

    def still_allowed(self, change: Change) -> Policy:
        """Return the rule that governs ``change`` now; raises NotAllowed when it forbids such a change by now."""
        policy = self.policy_of(change)
        if not policy.allowed:
            why = f": {policy.why}" if policy.why else "."
            raise NotAuthorized(f"The rule {policy.name} does not allow this change{why}")
        return policy

    def reminder_of(self, change: Change) -> timedelta | None:
        """Return after what pause people are reminded of ``change``; None when nobody is, or no rule governs it."""
        try:
            return self.policy_of(change).reminder
        except NotAuthorized:
            return None

    async def start(self, user: str, kind: str, *, fresh: bool = True) -> Verdict:
        """Allow ``user`` to begin a change of ``kind``, while nobody knows how large it will be."""
        policies = self._context.policies
        grant = policies.all_requesters(kind)
        async with self._refusals.noting("start", by=user):
            person, membership = await self._ask(user, grant, fresh=fresh)
            return _allowed(policies.may_start(kind, person, membership))

    async def request(
        self, user: str, kind: str, size: int, settings: Collection[str], *, fresh: bool = True
    ) -> Verdict:
        """Allow ``user`` to ask for a change of ``size`` numbers of ``kind`` that touches ``settings``."""
        policy = self.policy(kind, size, settings)
        person, membership = await self._ask(user, policy.requesters, fresh=fresh)
        return _allowed(may_request(policy, person, membership, kind, size))

    async def approval(
        self, policy: Policy, progress: Sequence[StageProgress], user: str, requester: str, *, fresh: bool = True
    ) -> Verdict:
        """Say whether ``user`` may, in their own right, approve what ``requester`` asked for and ``policy`` governs.

        ``progress`` is where the request stands. Raises NotAllowed when Slack does not say who ``user`` is.
        """
        now = self._context.clock()
        opened = open_stage(progress)
        due = [opened.stage.fallback_approvers] if opened.fallback_due(now) else []
        person, membership = await self._ask(user, opened.stage.approvers, *due, fresh=fresh)
        verdict = may_approve_now(policy, progress, person, membership, requester, now=now)
        others = Grant.union(stage.everyone for stage in policy.stages).groups - membership.keys()
        if not verdict.allowed and others:
            # Whoever is in another list than that of this moment hears more than that they are not in this one.
            membership = {**membership, **await self._context.directory.membership(sorted(others), fresh=fresh)}
            verdict = may_approve_now(policy, progress, person, membership, requester, now=now)
        return verdict

    async def refusal(
        self, policy: Policy, progress: Sequence[StageProgress], user: str, requester: str, *, fresh: bool = True
    ) -> Verdict:
        """Say whether ``user`` may, in their own right, reject a request, or ask for changes to its plan.

        Whoever may approve in any stage may at any time; fallback approvers may from when they may approve. Raises as
        :meth:`approval`.
        """
        grant = Grant.union((policy.approvers, open_stage(progress).open_to(self._context.clock())))
        person, membership = await self._ask(user, grant, fresh=fresh)
        verdict = may_approve(policy, person, membership, requester, (), grant=grant)
        if verdict.reason is Reason.NOT_LISTED and any(stage.fallback_after for stage in policy.stages):
            return await self.approval(policy, progress, user, requester, fresh=fresh)  # which says from when they may
        return verdict

    async def delegate(self, user: str, *, fresh: bool = True) -> Person:
        """Allow ``user`` to lend the right to approve, which they have to have themselves, and return who they are."""
        policies = self._context.policies
        approvers = policies.all_approvers
        person, membership = await self._ask(user, approvers, fresh=fresh)
        _allowed(may_delegate(policies.fallback, approvers, person, membership))
        return person

    async def why_no_delegate(self, user: str) -> str:
        """Return why ``user`` may not approve for somebody else; empty when they may."""
        try:
            person = await self._context.directory.person(user, fresh=True)
        except DeliveryError as error:
            if error.code in _UNKNOWN:
                return "Slack does not list this person as a member of this workspace."
            again = in_a_while(error.wait if isinstance(error, DeliveryPostponed) else 0)
            return f"Slack did not confirm who this person is. Try again {again}."
        verdict = may_stand_in(self._context.policies.fallback, person)
        return "" if verdict.allowed else verdict.sentence

    async def lapses(self, policy: Policy, requester: str, approvals: Collection[Decision]) -> Sequence[Lapse]:
        """Return which of ``approvals`` would not count if they were given now, each in its stage.

        One that was given for somebody else hangs on their right, and on the delegate being who may have it. That the
        delegation is over is no reason: it was given while the right was lent, as somebody's own approval stays good
        while they are asleep. Ending a delegation before its time takes back what was given under it, at once.

        Raises :class:`bot.errors.DeliveryError` when Slack does not say just now, and then nobody knows.
        """
        counting = [(each, _who_counts(policy, each)) for each in approvals]
        unnamed = (grant for each, grant in counting if not grant.names(each.on_behalf_of or each.person))
        membership = await self._context.directory.membership(sorted(Grant.union(unnamed).groups), fresh=True)
        found = [await self._lapse(policy, requester, each, membership) for each in approvals]
        return [lapse for lapse in found if lapse is not None]

    async def _lapse(self, policy: Policy, requester: str, approval: Decision, membership: Membership) -> Lapse | None:
        """Return why one approval would not count now; None when it would."""
        person = await self._listed(approval.person)
        if person is None:
            return Lapse(person=approval.person, name=approval.person, why=why_lapsed(Reason.FOREIGN))
        lapse = partial(Lapse, person=approval.person, name=person.name)
        if approval.stage not in {stage.name for stage in policy.stages}:
            return lapse(why=stage_gone(approval.stage))
        if not approval.on_behalf_of:
            why = _why_not(policy, person, membership, requester, approval)
            return lapse(why=why) if why else None
        standing = may_stand_in(policy, person)
        if not standing.allowed:
            return lapse(why=why_lapsed(standing.reason))
        holder = await self._listed(approval.on_behalf_of)
        if not (why := _why_not(policy, holder, membership, requester, approval)):
            return None
        return lapse(why=f"acted for {holder.name if holder else approval.on_behalf_of}, who {why}")

    async def _listed(self, user: str) -> Person | None:
        """Return who ``user`` is; None for somebody whom Slack does not list. Raises as the directory does."""
        try:
            return await self._context.directory.person(user, fresh=True)
        except DeliveryRefused as error:
            if error.code not in _UNKNOWN:
                raise
            return None

    async def approvable(self, policy: Policy, change: Change) -> None:
        """Raise NotAllowed when nobody could ever approve ``change``, in one of its stages."""
        for stage in policy.stages:
            await self._approvable(policy, change, stage)
        nobody = () if policy.self_approval else (change.requester,)
        short = unsatisfiable(policy.stages, nobody) if len(policy.stages) > 1 else None
        if short is not None:
            raise NotAuthorized(
                f"Nobody could approve this in the stage “{short.name}”: one person's approval counts in one stage "
                "only, and its approvers are needed in others, or are only you. Ask whoever runs Linesman to add "
                "approvers to it."
            )

    async def _approvable(self, policy: Policy, change: Change, stage: ApprovalStage) -> None:
        """Raise NotAllowed when nobody could ever approve ``change`` in ``stage``."""
        audience = who_may_approve(policy, change.requester, stage.everyone)
        if audience.users:
            return
        membership = await self._context.directory.membership(audience.groups, fresh=True)
        lasting = {group: each for group, each in membership.items() if isinstance(each, UnknownGroup) and each.trouble}
        if len(lasting) < len(audience.groups):
            return
        where = f" in the stage “{stage.name}”" if stage.name else ""
        if lasting:
            raise NotAuthorized(f"Nobody could approve this{where}. {broken('approvers', lasting)}")
        add = "to it" if stage.name else "(LINESMAN_APPROVERS)"
        raise NotAuthorized(
            f"Nobody could approve this{where}: the list of approvers is empty or names only you. "
            f"Ask whoever runs Linesman to add approvers {add}."
        )

    async def requester_or_operator(self, user: str, change: Change, *, to: str) -> None:
        """Allow ``user`` ``to`` do something with a change: the requester while they may ask for it, or an operator."""
        if change.requester == user:
            # Who may not ask any more lets nothing go.
            await self.request(user, change.kind, change.size, change.names)
            return
        try:
            await self.operate(user)
        except NotAuthorized as error:
            raise NotAuthorized(f"Only the requester or an operator can {to} {change.public_id}.") from error

    async def read(self, user: str) -> None:
        """Allow ``user`` to view changes and numbers; every door behind which something is shown asks this."""
        async with self._refusals.noting("look", by=user):
            await self.may_read(user)

    async def may_read(self, user: str) -> Verdict:
        """Allow the same, and leave it to the caller whether a refusal is written down.

        Whoever an approver lends their right to has to see what they decide on, while it is lent.
        """
        policies = self._context.policies
        readers = policies.all_readers
        person, membership = await self._ask(user, readers, fresh=False)
        verdict = may_read(policies.fallback, readers, person, membership)
        if not verdict.allowed and may_stand_in(policies.fallback, person).allowed and await self._borrows(user):
            return may_stand_in(policies.fallback, person)
        return _allowed(verdict)

    async def _borrows(self, user: str) -> bool:
        """Tell whether somebody who may approve lends ``user`` that right."""
        async with self._context.database.reading() as tx:
            lent = await tx.delegations.to(user, self._context.clock())
        for delegation in lent:
            with suppress(NotAuthorized):
                await self.delegate(delegation.delegator, fresh=False)
                return True
        return False

    async def operate(self, user: str) -> Verdict:
        """Allow ``user`` to do what only operators may."""
        policy = self._context.policies.fallback
        person, membership = await self._ask(user, policy.operators, fresh=True)
        return _allowed(may_operate(policy, person, membership))

    async def brake(self, user: str) -> str:
        """Allow ``user`` to stop things as only operators may: to freeze, and to cancel what others asked for.

        Stopping sends nothing, and the brake has to work on a bad day too: while Slack does not say who ``user`` is, or
        who is in a group, it goes by what Slack said some minutes ago. Returns a sentence about that, empty when Slack
        answered; it belongs into the answer and into the audit log. Nothing that lets something go on may use it.
        """
        policy, directory = self._context.policies.fallback, self._context.directory
        age = 0.0
        try:
            person = await directory.person(user, fresh=True)
        except DeliveryError as error:
            if (remembered := directory.remembered_person(user)) is None:
                raise NotAuthorized(_unsaid(error)) from error
            person, age = remembered
        membership: dict[str, frozenset[str] | UnknownGroup] = {}
        for group in () if policy.operators.names(user) else sorted(policy.operators.groups):
            membership |= await directory.membership([group], fresh=True)
            users, seen = membership[group], 0.0
            if isinstance(users, UnknownGroup) and (known := directory.remembered_group(group)) is not None:
                membership[group], seen = users, _ = known
            if not isinstance(users, UnknownGroup) and user in users:
                age = max(age, seen)
                break
        _allowed(may_operate(policy, person, membership))
        return _by_memory(age) if age else ""

    async def remember_operators(self) -> None:
        """Look at everybody who may pull the brake, so that they are known when Slack says nothing."""
        directory, operators = self._context.directory, self._context.policies.fallback.operators
        membership = await directory.membership(sorted(operators.groups), fresh=True)
        members = (users for users in membership.values() if not isinstance(users, UnknownGroup))
        for user in sorted(operators.users.union(*members))[:REMEMBERED]:
            with suppress(DeliveryError):
                await directory.person(user, fresh=True)

    async def stop_own(self, user: str) -> None:
        """Allow ``user`` to stop what they asked for themselves, in no list any more or not: only strangers may not.

        While Slack says nothing they may as well: stopping sends nothing, and the brake has to work on a bad day too.
        """
        try:
            person = await self._context.directory.person(user, fresh=True)
        except DeliveryError:
            return
        _allowed(may_stop_own(self._context.policies.fallback, person))

    async def _ask(self, user: str, *grants: Grant, fresh: bool) -> tuple[Person, Membership]:
        """Return who ``user`` is, and who is in the groups of ``grants``, as far as that matters.

        Slack allows few looks at groups: none is taken for somebody who is listed by name, or found already, in the
        same grant or in one before it.
        """
        directory = self._context.directory
        try:
            person = await directory.person(user, fresh=fresh)
        except DeliveryError as error:
            raise NotAuthorized(_unsaid(error)) from error
        membership: dict[str, frozenset[str] | UnknownGroup] = {}
        for grant in grants:
            for group in sorted(grant.groups - membership.keys()):
                if lists(grant, person, membership):
                    break
                membership |= await directory.membership([group], fresh=fresh)
            if lists(grant, person, membership):
                break
        return person, membership


def _who_counts(policy: Policy, approval: Decision) -> Grant:
    """Return who may have given ``approval``, in its stage; nobody when there is no such stage any more."""
    stage = next((each for each in policy.stages if each.name == approval.stage), None)
    if stage is None:
        return Grant()
    return stage.everyone if approval.fallback else stage.approvers


def _why_not(policy: Policy, person: Person | None, membership: Membership, requester: str, approval: Decision) -> str:
    """Return why ``approval`` with the right of ``person`` does not count any more; empty when it does.

    Raises DeliveryPostponed when nobody knows, because Slack did not say who is in a group.
    """
    if person is None:
        return why_lapsed(Reason.FOREIGN)
    verdict = may_approve(policy, person, membership, requester, (), grant=_who_counts(policy, approval))
    if verdict.reason is Reason.GROUP_UNREADABLE:
        waits = [users.wait for users in membership.values() if isinstance(users, UnknownGroup)]
        raise DeliveryPostponed("Slack did not say who is in the user groups of the approvers.", wait=max(waits))
    return "" if verdict.allowed else why_lapsed(verdict.reason, approval.stage)


def _unsaid(error: DeliveryError) -> str:
    """Return what somebody is told of whom Slack does not say who they are."""
    if error.code in _UNKNOWN:
        return "Slack does not list you as a member of this workspace, so nothing was done."
    again = in_a_while(error.wait if isinstance(error, DeliveryPostponed) else 0)
    return f"Slack did not confirm who you are, so nothing was done. Try again {again}."


def _by_memory(age: float) -> str:
    """Return on what a decision rests for which Slack could not be asked."""
    ago = "a moment ago" if age < _MINUTE else f"{age // _MINUTE:.0f} min ago"
    return f"Slack cannot confirm who you are right now, so this relies on what it said {ago}."


def blind(policy: Policy) -> str:
    """Return why ``policy`` does not let a job find the numbers of a filter that nobody can see beforehand."""
    return (
        f"The rule {policy.name} does not allow filters that cannot be previewed. "
        "Whoever runs Linesman can allow them with unpreviewable_filters in the policy file."
    )


def _allowed(verdict: Verdict) -> Verdict:
    if not verdict.allowed:
        raise NotAuthorized(verdict.sentence)
    return verdict
