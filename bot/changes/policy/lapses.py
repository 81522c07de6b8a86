"""Approvals that do not count any more, because of who gave them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.changes.policy.verdicts import Reason

#: Why an approval lapses, as what is said of the person who gave it.
_WHY: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.DEACTIVATED: "has no active Slack account any more",
        Reason.GUEST: "is a guest of the workspace now",
        Reason.FOREIGN: "does not belong to the workspace any more",
        Reason.INVITED: "does not belong to the workspace any more",
        Reason.GROUP_GONE: "is an approver by a user group only that cannot be read any more",
    }
)
_OTHERWISE: Final = "is not one of the approvers any more"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lapse:
    """One approval that does not count any more."""

    #: Slack user id, and what Slack calls the person.
    person: str
    name: str
    #: What is said of the person: "is a guest of the workspace now".
    why: str


def why_lapsed(reason: Reason) -> str:
    """Return what is said of an approver whose approval would be refused now for ``reason``."""
    return _WHY.get(reason, _OTHERWISE)


def lapsed_text(lapses: Collection[Lapse]) -> str:
    """Return a sentence for each of ``lapses``."""
    return " ".join(f"The approval of {each.name} does not count any more: {each.name} {each.why}." for each in lapses)
