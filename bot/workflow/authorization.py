"""Who may do what, asked of Slack and the policy at the moment of the click. Everything fails closed.

What does something is asked ``fresh``: somebody who was removed from a group, switched off or made a guest a moment
ago does nothing any more. What only shows something may go by what Slack said within the last minute. And what only
stops something has to work while Slack says nothing: it may go by what Slack said within the last minutes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from bot.changes.model.change import Change
from bot.changes.policy import (
    Grant,
    Lapse,
    Membership,
    Person,
    Policy,
    Reason,
    UnknownGroup,
    Verdict,
    broken,
    in_a_while,
    kind_off,
    may_approve,
    may_operate,
    may_read,
    may_request,
    may_stop_own,
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

    async def approve(self, user: str, change: Change, already: Collection[str]) -> Verdict:
        """Allow ``user`` to decide on ``change``, which ``already`` have approved, by the policy of this moment."""
        return await self.approve_under(self.policy_of(change), user, change.requester, already)

    async def approve_under(
        self, policy: Policy, user: str, requester: str, already: Collection[str], *, fresh: bool = True
    ) -> Verdict:
        """Allow ``user`` to decide on what ``requester`` asked for and ``policy`` governs."""
        person, membership = await self._ask(user, policy.approvers, fresh=fresh)
        return _allowed(may_approve(policy, person, membership, requester, already))

    async def lapses(self, policy: Policy, requester: str, approvers: Collection[str]) -> Sequence[Lapse]:
        """Return which approvals would not count if they were given now, those of ``approvers``.

        Raises :class:`bot.errors.DeliveryError` when Slack does not say just now, and then nobody knows.
        """
        directory, grant = self._context.directory, policy.approvers
        groups = () if all(grant.names(user) for user in approvers) else grant.groups
        membership = await directory.membership(groups, fresh=True)
        found = []
        for user in approvers:
            try:
                person = await directory.person(user, fresh=True)
            except DeliveryRefused as error:
                if error.code not in _UNKNOWN:
                    raise
                found.append(Lapse(person=user, name=user, why=why_lapsed(Reason.FOREIGN)))
                continue
            verdict = may_approve(policy, person, membership, requester, ())
            if verdict.reason is Reason.GROUP_UNREADABLE:
                waits = [users.wait for users in membership.values() if isinstance(users, UnknownGroup)]
                raise DeliveryPostponed(
                    "Slack did not say who is in the user groups of the approvers.", wait=max(waits)
                )
            if not verdict.allowed:
                found.append(Lapse(person=user, name=person.name, why=why_lapsed(verdict.reason)))
        return found

    async def approvable(self, policy: Policy, change: Change) -> None:
        """Raise NotAllowed when nobody could ever approve ``change``."""
        audience = who_may_approve(policy, change.requester)
        if audience.users:
            return
        membership = await self._context.directory.membership(audience.groups, fresh=True)
        lasting = {group: each for group, each in membership.items() if isinstance(each, UnknownGroup) and each.trouble}
        if len(lasting) < len(audience.groups):
            return
        if lasting:
            raise NotAuthorized(f"Nobody could approve this. {broken('approvers', lasting)}")
        raise NotAuthorized(
            "Nobody could approve this: the list of approvers is empty or names only you. "
            "Ask whoever runs Linesman to add approvers (LINESMAN_APPROVERS)."
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

    async def _ask(self, user: str, grant: Grant, *, fresh: bool) -> tuple[Person, Membership]:
        """Return who ``user`` is, and who is in the groups of ``grant``, as far as that matters.

        Slack allows few looks at groups: none is taken for somebody who is listed by name, or found already.
        """
        directory = self._context.directory
        try:
            person = await directory.person(user, fresh=fresh)
        except DeliveryError as error:
            raise NotAuthorized(_unsaid(error)) from error
        membership: dict[str, frozenset[str] | UnknownGroup] = {}
        for group in () if grant.names(user) else sorted(grant.groups):
            membership |= await directory.membership([group], fresh=fresh)
            users = membership[group]
            if not isinstance(users, UnknownGroup) and user in users:
                break
        return person, membership


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
