"""The terms under which one change is requested, approved and carried out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from bot.changes.policy.people import Grant
from bot.changes.policy.stages import ApprovalStage
from bot.changes.policy.windows import Window

#: What decisions call the policy that the variables of the environment describe.
ENVIRONMENT: Final = "environment"
#: How long approvers are left alone unless a rule says something else.
FIRST_REMINDER: Final = timedelta(minutes=15)


class OnStale(Enum):
    """What follows, once some of a change has been sent, when numbers of it turn out to be stale."""

    STOP = "stop"  #: nothing more of it is sent
    CONTINUE = "continue"  #: it goes on without those that are stale


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """One rule as it governs one change: what it says itself and what it inherits."""

    requesters: Grant
    #: Who has to approve, one stage after the other; at least one, and without a name where it is the only one.
    stages: tuple[ApprovalStage, ...]
    operators: Grant
    #: Id of the channel in which approval is requested.
    approval_channel: str
    #: How long a request waits for its approvals.
    approval_ttl: timedelta
    #: Most numbers in one change.
    max_numbers: int
    #: Id of the channel that hears of failures, where one was named; ask :attr:`failure_channel`.
    own_failure_channel: str | None = None
    #: Whom a request for approval mentions, whoever may approve it; None: who may. Fallback approvers are called when
    #: their time has come, whatever it says.
    mention: Grant | None = None
    #: Whether a requester's own approval counts.
    self_approval: bool = False
    #: What decisions call this rule; the variables of the environment are one rule.
    name: str = ENVIRONMENT
    #: How long after the request those who have not answered are reminded, each pause twice the one before;
    #: None when nobody is.
    reminder: timedelta | None = FIRST_REMINDER
    #: When the change may be sent; at any time when there are none.
    windows: tuple[Window, ...] = ()
    #: Whether a filter may be handed to the provider's job where the provider refuses to list its numbers.
    unpreviewable: bool = False
    #: What follows when numbers are stale after the first of them were sent.
    on_stale: OnStale = OnStale.STOP
    #: False when nobody may make the change, whatever the lists say.
    allowed: bool = True
    #: Why nobody may, in the operator's words; may be empty.
    why: str = ""

    @property
    def approvers(self) -> Grant:
        """Who may approve in any stage, but for those who may only after a time."""
        return Grant.union(stage.approvers for stage in self.stages)

    @property
    def approvals_required(self) -> int:
        """How many different people have to approve, in all stages together."""
        return sum(stage.approvals_required for stage in self.stages)

    @property
    def failure_channel(self) -> str:
        """Id of the channel that hears of failures: the approval channel where no other was named."""
        return self.own_failure_channel or self.approval_channel


def forbidden(policy: Policy, kind: str, size: int, *, unseen: bool) -> str:
    """Return why ``policy`` allows no change of ``size`` numbers of ``kind``, as sentences; empty when it allows it.

    Wherever something is let go this is asked of the rule of the moment, so that one that has become stricter counts
    for what waits, too: a term that lets nobody do something belongs here.
    ``unseen`` tells that a job finds the numbers by a filter that nobody could preview.
    """
    if not policy.allowed:
        return f"The rule {policy.name} does not allow this change{f': {policy.why}' if policy.why else '.'}"
    if unseen and not policy.unpreviewable:
        return blind(policy)
    return too_large(policy, kind, size)


def too_large(policy: Policy, kind: str, size: int) -> str:
    """Return that a change of ``size`` numbers of ``kind`` is larger than ``policy`` allows; empty when it is not."""
    if size <= policy.max_numbers:
        return ""
    return f"This change has {size:,} numbers and one {kind} change may have at most {policy.max_numbers:,}: split it."


def blind(policy: Policy) -> str:
    """Return why ``policy`` does not let a job find the numbers of a filter that nobody can see beforehand."""
    return (
        f"The rule {policy.name} does not allow filters that cannot be previewed. "
        "Whoever runs Linesman can allow them with unpreviewable_filters in the policy file."
    )
