"""The right by which somebody decides on a change: their own, or one that an approver lends them.

A lent right counts as it would for the lender: the policy is asked as if the lender had clicked. In addition, nobody
decides on what they requested, not even through somebody else.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from bot.changes.model.change import Change
from bot.changes.model.decisions import Decision
from bot.changes.model.delegation import Delegation, used_up
from bot.changes.policy import Policy, Reason, Verdict, stage_progress
from bot.errors import DeliveryError, NotAuthorized
from bot.store.transaction import Transaction
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context

#: Why somebody's own right is not enough while a lent one may be: they have none, or none that counts now. Any other
#: obstacle of theirs also stands in the way of a borrowed right.
_WITHOUT: Final = frozenset(
    {
        Reason.NOT_LISTED,
        Reason.NOBODY_LISTED,
        Reason.GROUP_UNREADABLE,
        Reason.GROUP_GONE,
        Reason.LATER_STAGE,
        Reason.COMPLETE_STAGE,
        Reason.FALLBACK_LATER,
    }
)
_ONCE: Final = "That right counts once, so somebody else must give the next approval."


class Question(Protocol):
    """Tells what somebody's own right is worth for one change, now."""

    async def __call__(self, *, user: str) -> Verdict:
        """Return the verdict; raises NotAuthorized when Slack does not say who ``user`` is."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalRight:
    """The right that lets somebody decide."""

    verdict: Verdict
    #: The delegation that gives them the right; None for their own.
    delegation: Delegation | None = None

    @property
    def on_behalf_of(self) -> str:
        """The lender of the right; empty when it is their own."""
        return self.delegation.delegator if self.delegation else ""


class ApprovalRights:
    """Finds rights; each question raises :class:`bot.errors.NotAuthorized` with a sentence for the person."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._context = context
        self._authorization = authorization

    async def to_approve(self, user: str, change: Change, decisions: Collection[Decision]) -> ApprovalRight:
        """Return the right of ``user`` to approve ``change`` after ``decisions``, by the current policy."""
        policy = self._authorization.policy_of(change)
        right = await self.under(policy, user, change.requester, decisions, change.waits_since)
        self._authorization.still_allowed(change)
        return right

    async def to_decline(self, user: str, change: Change, decisions: Collection[Decision]) -> ApprovalRight:
        """Return the right of ``user`` to reject ``change``, or to ask for changes to it.

        People who have approved, or whose right was used, may still change their mind.
        """
        policy = self._authorization.policy_of(change)
        progress = stage_progress(policy.stages, decisions, change.waits_since)
        ask = partial(self._authorization.refusal, policy, progress, requester=change.requester)
        return await self._right(user, change.requester, frozenset(), ask)

    async def under(
        self,
        policy: Policy,
        user: str,
        requester: str,
        decisions: Collection[Decision],
        waits_since: datetime | None,
        *,
        fresh: bool = True,
    ) -> ApprovalRight:
        """Return the right of ``user`` to approve what ``requester`` asked for and ``policy`` governs."""
        progress = stage_progress(policy.stages, decisions, waits_since)
        ask = partial(self._authorization.approval, policy, progress, requester=requester, fresh=fresh)
        counting = [each for each in decisions if each.counts]
        if user in used_up(counting) - {each.person for each in counting}:
            raise NotAuthorized(f"The person to whom you lent your right to approve has already approved. {_ONCE}")
        return await self._right(user, requester, used_up(counting), ask)

    async def _right(self, user: str, requester: str, used: frozenset[str], ask: Question) -> ApprovalRight:
        """Return the right of ``user``; ``ask`` judges an own right, ``used`` names people whose right is used up."""
        own = await ask(user=user)
        if own.allowed:
            return ApprovalRight(verdict=own)
        async with self._context.database.reading() as tx:
            lent = await tx.delegations.to(user, self._context.clock())
        if own.reason not in _WITHOUT or not lent:
            raise NotAuthorized(own.sentence)
        if user == requester:
            raise NotAuthorized("You requested this change, so nobody can lend you the right to decide on it.")
        if user in used:
            raise NotAuthorized("You have already approved this change; somebody else must give the next approval.")
        problems = []
        for delegation in lent:
            right, problem = await self._lent(delegation, requester, used, ask)
            if right is not None:
                return right
            problems.append(problem)
        raise NotAuthorized(" ".join(problems))

    async def _lent(
        self, delegation: Delegation, requester: str, used: frozenset[str], ask: Question
    ) -> tuple[ApprovalRight | None, str]:
        """Return the lent right, or why it does not count for this change."""
        delegator = delegation.delegator
        lender = await name_of(self._context, delegator)
        if delegator == requester:
            return None, f"{lender} requested this change, so the right that {lender} lends you does not count for it."
        if delegator in used:
            return (
                None,
                f"{lender}, who lends you the right, or somebody for {lender} has already approved this. {_ONCE}",
            )
        try:
            verdict = await ask(user=delegator)
        except NotAuthorized:  # Slack does not say who the lender is
            verdict = None
        if verdict is None or verdict.reason is Reason.GROUP_UNREADABLE:
            unsure = f"Slack did not confirm that {lender}, who lends you the right, may approve this."
            return None, f"{unsure} Try again in a minute."
        if not verdict.allowed:
            return None, f"{lender}, who lends you the right to approve, may not approve this change now."
        return ApprovalRight(verdict=verdict, delegation=delegation), ""


async def name_of(context: Context, user: str) -> str:
    """Return what Slack calls ``user``; the id while it does not say."""
    try:
        return (await context.directory.person(user, fresh=False)).name
    except DeliveryError:
        return user


async def still_lent(tx: Transaction, right: ApprovalRight, now: datetime) -> None:
    """Raise NotAuthorized when the right was lent but no longer is; it stays lent until the transaction ends."""
    if right.delegation is not None and not (await tx.delegations.hold(right.delegation.id)).active(now):
        raise NotAuthorized("The right to approve that was lent to you has ended, so nothing was done.")


def counts_once(decision: Decision, approvals: Collection[Decision]) -> None:
    """Raise NotAuthorized when an approval by somebody else already used the right of ``decision``, or its person's."""
    others = [each for each in approvals if each.counts and each.person != decision.person]
    if decision.approvers & used_up(others):
        raise NotAuthorized(f"The right to approve that you are using has just been used for this change. {_ONCE}")
