"""The terms under which one change is requested, approved and carried out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.changes.policy.people import Grant
from bot.changes.windows import Window

#: What decisions call the policy that the variables of the environment describe.
ENVIRONMENT: Final = "environment"
#: How long approvers are left alone unless a rule says something else.
FIRST_REMINDER: Final = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """One rule as it governs one change: what it says itself and what it inherits."""

    requesters: Grant
    approvers: Grant
    operators: Grant
    #: How many different people have to approve; at least 1.
    approvals_required: int
    #: How long a request waits for its approvals.
    approval_ttl: timedelta
    #: Most numbers in one change.
    max_numbers: int
    #: Whether a requester's own approval counts.
    self_approval: bool = False
    #: What decisions call this rule; the variables of the environment are one rule.
    name: str = ENVIRONMENT
    #: How long after the request those who have not answered are reminded, each pause twice the one before;
    #: None when nobody is.
    reminder: timedelta | None = FIRST_REMINDER
    #: When the change may be sent; at any time when there are none.
    windows: tuple[Window, ...] = ()
    #: Whether a filter that cannot be previewed may be handed to the provider's job.
    unpreviewable: bool = False
    #: False when nobody may make the change, whatever the lists say.
    allowed: bool = True
    #: Why nobody may, in the operator's words; may be empty.
    why: str = ""
