"""Who may do what, asked of Slack and the policy at the moment of the click. Everything fails closed.

What does something is asked ``fresh``: somebody who was removed from a group, switched off or made a guest a moment
ago does nothing any more. What only shows something may go by what Slack said within the last minute. And what only
stops something has to work while Slack says nothing: it may go by what Slack said within the last minutes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
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
    may_operate,
    may_read,
    may_request,
    may_stop_own,
    open_stage,
    stage_gone,
    stage_progress,
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

    async def approve(self, user: str, change: Change, decisions: Iterable[Decision]) -> Verdict:
        """Allow ``user`` to approve ``change`` in the stage that is open after ``decisions``, by the policy of now."""
        policy = self.policy_of(change)
        progress = stage_progress(policy.stages, decisions, change.requested_at)
        return await self.approve_under(policy, progress, user, change.requester, fresh=True)

    async def approve_under(
        self, policy: Policy, progress: Sequence[StageProgress], user: str, requester: str, *, fresh: bool
    ) -> Verdict:
        """Allow ``user`` to approve what ``requester`` asked for and ``policy`` governs, where ``progress`` has it."""
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
        return _allowed(verdict)

    async def decline(self, user: str, change: Change, decisions: Collection[Decision]) -> Verdict:
        """Allow ``user`` to reject ``change``, or to ask for changes: whoever may approve in any stage may at any time.

        Fallback approvers may from when they may approve.
        """
        policy, now = self.policy_of(change), self._context.clock()
        opened = open_stage(stage_progress(policy.stages, decisions, change.requested_at))
        grant = Grant.union((policy.approvers, opened.open_to(now)))
        person, membership = await self._ask(user, grant, fresh=True)
        verdict = may_approve(policy, person, membership, change.requester, (), grant=grant)
        if verdict.reason is Reason.NOT_LISTED and any(stage.fallback_after for stage in policy.stages):
            return await self.approve(user, change, decisions)  # which says from when they may
        return _allowed(verdict)

    async def lapses(self, policy: Policy, requester: str, approvals: Collection[Decision]) -> Sequence[Lapse]:
        """Return which of ``approvals`` would not count if they were given now, each in its stage.

        Raises :class:`bot.errors.DeliveryError` when Slack does not say just now, and then nobody knows.
        """
        directory = self._context.directory
        counting = [(each, _who_counts(policy, each)) for each in approvals]
        unnamed = (grant for each, grant in counting if not grant.names(each.person))
        membership = await directory.membership(sorted(Grant.union(unnamed).groups), fresh=True)
        found = []
        for each, grant in counting:
            user = each.person
            try:
                person = await directory.person(user, fresh=True)
            except DeliveryRefused as error:
                if error.code not in _UNKNOWN:
                    raise
                found.append(Lapse(person=user, name=user, why=why_lapsed(Reason.FOREIGN)))
                continue
            if each.stage not in {stage.name for stage in policy.stages}:
                found.append(Lapse(person=user, name=person.name, why=stage_gone(each.stage)))
                continue
            verdict = may_approve(policy, person, membership, requester, (), grant=grant)
            if verdict.reason is Reason.GROUP_UNREADABLE:
                waits = [users.wait for users in membership.values() if isinstance(users, UnknownGroup)]
                raise DeliveryPostponed(
                    "Slack did not say who is in the user groups of the approvers.", wait=max(waits)
                )
            if not verdict.allowed:
                found.append(Lapse(person=user, name=person.name, why=why_lapsed(verdict.reason, each.stage)))
        return found

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
        """Allow the same, and leave it to the caller whether a refusal is written down."""
        policies = self._context.policies
        readers = policies.all_readers
        person, membership = await self._ask(user, readers, fresh=False)
        return _allowed(may_read(policies.fallback, readers, person, membership))

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
