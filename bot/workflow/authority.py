"""Who may do what, asked of Slack and the policy at the moment of the click. Everything fails closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from bot.changes.policy import (
    Grant,
    Membership,
    Person,
    Policy,
    Verdict,
    kind_off,
    may_approve,
    may_look,
    may_operate,
    may_request,
)
from bot.changes.records import Change
from bot.errors import DeliveryError, NotAllowed
from bot.workflow.context import Context
from bot.workflow.refusals import Refusals


class Authority:
    """Answers questions of authority; each raises :class:`bot.errors.NotAllowed` with a sentence for the person."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._refusals = Refusals(context)

    def policy(self, kind: str, size: int, settings: Collection[str]) -> Policy:
        """Return the rule that governs such a change; raises NotAllowed when the kind is off and none speaks of it."""
        policy = self._context.policies.governing(kind, size, settings)
        if policy is None:
            raise NotAllowed(kind_off(kind).sentence)
        return policy

    def policy_of(self, change: Change) -> Policy:
        """Return the rule that governs ``change`` now; raises NotAllowed when none does, or forbids its filter."""
        summary = change.summary
        policy = self.policy(change.kind, summary.size if summary else 0, summary.names if summary else ())
        if summary and summary.unknown and not policy.unpreviewable:
            raise NotAllowed(blind(policy))
        return policy

    def still_allowed(self, change: Change) -> Policy:
        """Return the rule that governs ``change`` now; raises NotAllowed when it forbids such a change by now."""
        policy = self.policy_of(change)
        if not policy.allowed:
            why = f": {policy.why}" if policy.why else "."
            raise NotAllowed(f"The rule {policy.name} does not allow such a change{why}")
        return policy

    def reminder_of(self, change: Change) -> timedelta | None:
        """Return after what pause people are reminded of ``change``; None when nobody is, or no rule governs it."""
        try:
            return self.policy_of(change).reminder
        except NotAllowed:
            return None

    async def start(self, user: str, kind: str) -> Verdict:
        """Allow ``user`` to begin a change of ``kind``, while nobody knows how large it will be."""
        policies = self._context.policies
        async with self._refusals.noting("start", by=user):
            person = await self._person(user)
            membership = await self._membership(policies.requester_groups(kind))
            return _allowed(policies.may_start(kind, person, membership))

    async def request(self, user: str, kind: str, size: int, settings: Collection[str]) -> Verdict:
        """Allow ``user`` to ask for a change of ``size`` numbers of ``kind`` that touches ``settings``."""
        policy = self.policy(kind, size, settings)
        person, membership = await self._ask(user, policy.requesters)
        return _allowed(may_request(policy, person, membership, kind, size))

    async def approve(self, user: str, change: Change, already: Collection[str]) -> Verdict:
        """Allow ``user`` to decide on ``change``, which ``already`` have approved, by the policy of this moment."""
        return await self.approve_under(self.policy_of(change), user, change.requester, already)

    async def approve_under(self, policy: Policy, user: str, requester: str, already: Collection[str]) -> Verdict:
        """Allow ``user`` to decide on what ``requester`` asked for and ``policy`` governs."""
        person, membership = await self._ask(user, policy.approvers)
        return _allowed(may_approve(policy, person, membership, requester, already))

    async def see(self, user: str) -> Verdict:
        """Allow ``user`` to look up what numbers are set to at the provider."""
        return _allowed(may_look(self._context.policies.fallback, await self._person(user)))

    async def operate(self, user: str) -> Verdict:
        """Allow ``user`` to do what only operators may."""
        policy = self._context.policies.fallback
        person, membership = await self._ask(user, policy.operators)
        return _allowed(may_operate(policy, person, membership))

    async def _ask(self, user: str, grant: Grant) -> tuple[Person, Membership]:
        return await self._person(user), await self._membership(grant.groups)

    async def _person(self, user: str) -> Person:
        try:
            return await self._context.directory.person(user)
        except DeliveryError as error:
            raise NotAllowed("Slack did not say who you are, so nothing was done. Try again in a minute.") from error

    async def _membership(self, groups: Iterable[str]) -> Membership:
        wanted = tuple(groups)
        return await self._context.directory.membership(wanted) if wanted else {}


def blind(policy: Policy) -> str:
    """Return why a filter that cannot be previewed is refused under ``policy``."""
    return (
        f"The rule {policy.name} does not allow filters whose numbers nobody can see beforehand. "
        "Whoever runs Linesman can allow them with unpreviewable_filters in the policy file."
    )


def _allowed(verdict: Verdict) -> Verdict:
    if not verdict.allowed:
        raise NotAllowed(verdict.sentence)
    return verdict
