"""Delegation: an approver lends the right to approve to somebody else, until a time.

The right stays the lender's. The delegate decides as the lender could at that moment, so a lent right is never worth
more than the lender's own, and it counts once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.changes.model.decisions import Decision
from bot.changes.model.start import End

#: What an early end does to changes that were approved under a delegation, for people.
WHAT_ENDS: Final = (
    "Changes waiting to start that are left with too few approvals are cancelled; waves not yet sent are dropped."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delegation:
    """One approver's right to approve, lent to one person."""

    id: int
    #: Slack user ids of the lender and the delegate.
    delegator: str
    delegate: str
    #: When it ends by itself.
    until: End
    created_at: datetime
    #: When it ended, and who ended it; None and empty before, empty when it ended by itself.
    ended_at: datetime | None = None
    ended_by: str = ""
    #: Counts the versions that the delegate must be told of, and the last one that they were told of.
    version: int = 1
    told: int = 0
    #: Slack's time, as a ``ts``, before the delegate can have been told of this version; empty when it told none.
    floor: str = ""

    def active(self, now: datetime) -> bool:
        """Tell whether the right is lent at ``now``."""
        return self.ended_at is None and now < self.until.at


def used_up(approvals: Collection[Decision]) -> frozenset[str]:
    """Return the people whose right is used up by ``approvals`` that count: givers and lenders.

    Nobody counts twice, whoever lent them a right, and no right counts twice, whoever used it.
    """
    return frozenset[str]().union(*(each.approvers for each in approvals))
