"""Who may stop things, even while Slack does not answer: stopping sends nothing, and must work on a bad day too."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from bot.changes.policy import UnknownGroup, may_operate, may_stop_own
from bot.errors import DeliveryError, NotAuthorized
from bot.workflow.authorization import allowed, unsaid
from bot.workflow.context import Context

#: Most operators looked up beforehand; users.info allows 100 calls a minute (slack/API.md, "Rate limits").
REMEMBERED: Final = 50
_MINUTE: Final = 60


class EmergencyBrake:
    """Answers who may stop what; each question raises :class:`bot.errors.NotAuthorized` with a sentence.

    Nothing that lets a change continue may ask here.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def operator(self, user: str) -> str:
        """Allow ``user`` to stop things as only operators may: to freeze, and to cancel other people's changes.

        Stopping sends nothing, and the brake must work on a bad day too. So while Slack does not say who ``user`` is,
        or who is in a group, its answers of some minutes ago count. Returns a sentence about that for the answer and
        the audit log, empty when Slack answered. Nothing that lets a change continue may use it.
        """
        policy, directory = self._context.policies.fallback, self._context.directory
        age = 0.0
        try:
            person = await directory.person(user, fresh=True)
        except DeliveryError as error:
            if (remembered := directory.remembered_person(user)) is None:
                raise NotAuthorized(unsaid(error)) from error
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
        allowed(may_operate(policy, person, membership))
        return _by_memory(age) if age else ""

    async def remember_operators(self) -> None:
        """Look up everybody who may pull the brake, so that they are known when Slack does not answer."""
        directory, operators = self._context.directory, self._context.policies.fallback.operators
        membership = await directory.membership(sorted(operators.groups), fresh=True)
        members = (users for users in membership.values() if not isinstance(users, UnknownGroup))
        for user in sorted(operators.users.union(*members))[:REMEMBERED]:
            with suppress(DeliveryError):
                await directory.person(user, fresh=True)

    async def own(self, user: str) -> None:
        """Allow ``user`` to stop what they requested, even if no list names them any more; only strangers may not.

        They may also while Slack does not answer: stopping sends nothing, and the brake must work on a bad day too.
        """
        try:
            person = await self._context.directory.person(user, fresh=True)
        except DeliveryError:
            return
        allowed(may_stop_own(self._context.policies.fallback, person))


def _by_memory(age: float) -> str:
    """Return the basis of a decision that was made without asking Slack."""
    ago = "a moment ago" if age < _MINUTE else f"{age // _MINUTE:.0f} min ago"
    return f"Slack cannot confirm who you are right now, so this relies on what it said {ago}."
