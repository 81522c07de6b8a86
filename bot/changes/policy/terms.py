"""The terms under which one change is requested, approved and carried out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from bot.changes.policy.people import Grant
from bot.changes.policy.stages import ApprovalStage
from bot.changes.policy.windows import Window

#: What decisions call the policy described by the environment variables.
ENVIRONMENT: Final = "environment"
#: How long approvers are left alone unless a rule says otherwise.
FIRST_REMINDER: Final = timedelta(minutes=15)


class OnStale(Enum):
    """What follows when numbers turn out to be stale after part of the change was sent."""

    STOP = "stop"  #: nothing more of it is sent
    CONTINUE = "continue"  #: it continues without the stale numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """One rule as it governs one change: its own terms and the inherited ones."""

    requesters: Grant
    #: The stages of the approval in their order; at least one, without a name if it is the only one.
    stages: tuple[ApprovalStage, ...]
    operators: Grant
    #: Id of the channel in which approval is requested.
    approval_channel: str
    #: How long a request waits for its approvals.
    approval_ttl: timedelta
    #: Most numbers in one change.
    max_numbers: int
    #: Id of the channel that hears of failures, where one was set; use :attr:`failure_channel`.
    own_failure_channel: str | None = None
    #: People whom a request for approval mentions, whoever may approve it; None: those who may. Fallback approvers are
    #: mentioned when their time has come, regardless of this.
    mention: Grant | None = None
    #: Whether a requester's own approval counts.
    self_approval: bool = False
    #: What decisions call this rule; the environment variables are one rule.
    name: str = ENVIRONMENT
    #: How long after the request approvers who have not answered are reminded, each pause twice the previous; None when
    #: nobody is reminded.
    reminder: timedelta | None = FIRST_REMINDER
    #: When the change may be sent; at any time without windows.
    windows: tuple[Window, ...] = ()
    #: Whether a filter may be handed to the provider's job where the provider refuses to list its numbers.
    unpreviewable: bool = False
    #: What follows when numbers are stale after the first numbers were sent.
    on_stale: OnStale = OnStale.STOP
    #: False when nobody may make the change, whatever the lists say.
    allowed: bool = True
    #: Why nobody may, in the operator's words; may be empty.
    why: str = ""

    @property
    def approvers(self) -> Grant:
        """People who may approve in any stage, without fallback approvers."""
        return Grant.union(stage.approvers for stage in self.stages)

    @property
    def approvals_required(self) -> int:
        """How many different people must approve, in all stages together."""
        return sum(stage.approvals_required for stage in self.stages)

    @property
    def failure_channel(self) -> str:
        """Id of the channel that hears of failures: the approval channel unless another was set."""
        return self.own_failure_channel or self.approval_channel


def forbidden(policy: Policy, kind: str, size: int, *, unseen: bool) -> str:
    """Return why ``policy`` allows no change of ``size`` numbers of ``kind``, as sentences; empty when it does.

    Everything that releases numbers asks this of the current rule, so that a stricter rule also applies to waiting
    changes. So any term that forbids something belongs here. ``unseen`` means that a job finds the numbers by a filter
    that nobody could preview.
    """
    if not policy.allowed:
        return f"The rule {policy.name} does not allow this change{because(policy)}"
    if unseen and not policy.unpreviewable:
        return blind(policy)
    return too_large(policy, kind, size)


def because(policy: Policy) -> str:
    """Return the end of a sentence that says that ``policy`` forbids something: its reason, with a full stop.

    Operators may end their reason with a full stop or not, and another sentence may follow it.
    """
    why = policy.why.strip().rstrip(".")
    return f": {why}." if why else "."


def too_large(policy: Policy, kind: str, size: int) -> str:
    """Return that a change of ``size`` numbers of ``kind`` is larger than ``policy`` allows; empty when it is not."""
    if size <= policy.max_numbers:
        return ""
    return f"This change has {size:,} numbers and one {kind} change may have at most {policy.max_numbers:,}: split it."


def blind(policy: Policy) -> str:
    """Return why ``policy`` does not let a job find the numbers of a filter that nobody can preview."""
    return (
        f"The rule {policy.name} does not allow filters that cannot be previewed. "
        "Whoever runs Linesman can allow them with unpreviewable_filters in the policy file."
    )
