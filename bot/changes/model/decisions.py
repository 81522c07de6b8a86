"""Decisions of approvers on requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class DecisionVerb(Enum):
    """What an approver decided."""

    APPROVE = "approve"
    REJECT = "reject"
    ASK_FOR_CHANGES = "ask_for_changes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One approver's decision on one change."""

    change: int
    person: str
    verb: DecisionVerb
    #: The digest that was on the button.
    digest: str
    #: Why it was rejected, what should be different, or the comment of an approval; empty for an approval without a
    #: comment.
    reason: str
    #: The policy rule that allowed it.
    rule: str
    at: datetime
    #: Why an approval no longer counts, as a phrase about the person; empty while it counts.
    lapse: str = ""
    #: Since when it no longer counts; None while it does.
    lapsed_at: datetime | None = None
    #: Name of the stage in which an approval counts; empty where the rule has only one, and for other decisions.
    stage: str = ""
    #: Whether the person may approve only because the stage had waited too long for others.
    fallback: bool = False
    #: The lender of the right; empty for a right of their own.
    on_behalf_of: str = ""

    @property
    def approvers(self) -> frozenset[str]:
        """The people whose right an approval uses up: neither counts for a second one."""
        return frozenset({self.person, self.on_behalf_of} - {""})

    @property
    def counts(self) -> bool:
        """Whether this is an approval that counts."""
        return self.verb is DecisionVerb.APPROVE and not self.lapse
