"""What approvers say on requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class DecisionVerb(Enum):
    """What an approver said."""

    APPROVE = "approve"
    REJECT = "reject"
    ASK_FOR_CHANGES = "ask_for_changes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One approver's word on one change."""

    change: int
    person: str
    verb: DecisionVerb
    #: The digest that was on the button.
    digest: str
    #: Why it was rejected, what should be different, or what was said with the approval; empty for an approval without
    #: a word.
    reason: str
    #: The policy rule that allowed it.
    rule: str
    at: datetime
    #: Why an approval does not count any more, as what is said of the person; empty while it does.
    lapse: str = ""
    #: Since when it does not; None while it does.
    lapsed_at: datetime | None = None
    #: Name of the stage in which an approval counts; empty where the rule has but one, and for everything else.
    stage: str = ""
    #: Whether the person may approve only because the stage had waited for others.
    fallback: bool = False
    #: Whose right it was, lent to the person; empty for a right of their own.
    on_behalf_of: str = ""

    @property
    def approvers(self) -> frozenset[str]:
        """Who and whose right is used up by an approval: neither counts for a second one."""
        return frozenset({self.person, self.on_behalf_of} - {""})

    @property
    def counts(self) -> bool:
        """Whether this is an approval that counts."""
        return self.verb is DecisionVerb.APPROVE and not self.lapse
