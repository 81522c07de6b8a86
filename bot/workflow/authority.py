"""Who may do what, asked of Slack and the policy at the moment of the click. Everything fails closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bot.changes.policy import Grant, Membership, Person, Verdict, may_approve, may_operate, may_request
from bot.changes.records import Change
from bot.errors import DeliveryError, NotAllowed
from bot.workflow.context import Context


class Authority:
    """Answers questions of authority; each raises :class:`bot.errors.NotAllowed` with a sentence for the person."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def request(self, user: str, kind: str, size: int) -> Verdict:
        """Allow ``user`` to ask for a change of ``size`` numbers of ``kind``."""
        policy = self._context.policy
        person, membership = await self._ask(user, policy.requesters)
        return _allowed(may_request(policy, person, membership, kind, size))

    async def approve(self, user: str, change: Change, already: Collection[str]) -> Verdict:
        """Allow ``user`` to decide on ``change``, which ``already`` have approved."""
        policy = self._context.policy
        person, membership = await self._ask(user, policy.approvers)
        return _allowed(may_approve(policy, person, membership, change.requester, already))

    async def operate(self, user: str) -> Verdict:
        """Allow ``user`` to do what only operators may."""
        policy = self._context.policy
        person, membership = await self._ask(user, policy.operators)
        return _allowed(may_operate(policy, person, membership))

    async def _ask(self, user: str, grant: Grant) -> tuple[Person, Membership]:
        try:
            person = await self._context.directory.person(user)
        except DeliveryError as error:
            raise NotAllowed("Slack did not say who you are, so nothing was done. Try again in a minute.") from error
        return person, await self._membership(grant.groups)

    async def _membership(self, groups: Iterable[str]) -> Membership:
        wanted = tuple(groups)
        return await self._context.directory.membership(wanted) if wanted else {}


def _allowed(verdict: Verdict) -> Verdict:
    if not verdict.allowed:
        raise NotAllowed(verdict.sentence)
    return verdict
