"""Delegation: an approver lends their right to approve to somebody else, until a time.

The right stays the lender's. Whoever decides with it decides as the lender could at that moment, so it is never worth
more than that one's own word, and it counts once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.changes.model.decisions import Decision
from bot.changes.model.start import End


@dataclass(frozen=True, kw_only=True, slots=True)
class Delegation:
    """One approver's right to approve, lent to one person."""

    id: int
    #: Slack user ids: whose right it is, and to whom it is lent.
    delegator: str
    delegate: str
    #: When it ends by itself.
    until: End
    created_at: datetime
    #: When it was ended or ended by itself, and who ended it; None and empty before, empty when it ended by itself.
    ended_at: datetime | None = None
    ended_by: str = ""
    #: Grows whenever there is something new to tell the delegate, and the state that they were told of last.
    version: int = 1
    told: int = 0
    #: Slack's own time, as a ``ts``, before the delegate can have been told of this version; empty when it told none.
    floor: str = ""

    def active(self, now: datetime) -> bool:
        """Tell whether the right is lent at ``now``."""
        return self.ended_at is None and now < self.until.at


def used_up(approvals: Collection[Decision]) -> frozenset[str]:
    """Return whose right to approve counts already, of ``approvals`` that count: who gave them, and for whom.

    Nobody counts twice, whoever lent them a right, and no right counts twice, whoever used it.
    """
    return frozenset[str]().union(*(each.approvers for each in approvals))
