"""Approvals that no longer count, because of the person who gave them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.changes.policy.verdicts import Reason

#: Why an approval lapses, as a phrase about the person who gave it.
_WHY: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.DEACTIVATED: "no longer has an active Slack account",
        Reason.GUEST: "is now a guest of the workspace",
        Reason.FOREIGN: "no longer belongs to the workspace",
        Reason.INVITED: "no longer belongs to the workspace",
        Reason.GROUP_GONE: "is an approver only through a user group that can no longer be read",
    }
)
_OTHERWISE: Final = "is no longer an approver"
#: The phrase for an approver whose delegation was ended early.
TAKEN_BACK: Final = "acted under a delegation that was ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lapse:
    """One approval that no longer counts."""

    #: Slack user id, and what Slack calls the person.
    person: str
    name: str
    #: A phrase about the person: "is now a guest of the workspace".
    why: str


def why_lapsed(reason: Reason, stage: str = "") -> str:
    """Return the phrase for an approver whose approval in ``stage`` would be refused now for ``reason``."""
    otherwise = f"{_OTHERWISE} in the stage “{stage}”" if stage else _OTHERWISE
    return _WHY.get(reason, otherwise)


def stage_gone(stage: str) -> str:
    """Return the phrase for an approver whose ``stage`` no longer exists in the rule."""
    return (
        f"approved in the stage “{stage}”, which the rule no longer has"
        if stage
        else "approved before the rule had stages"
    )


def lapsed_text(lapses: Collection[Lapse]) -> str:
    """Return a sentence for each of ``lapses``."""
    return " ".join(f"The approval of {each.name} no longer counts: {each.name} {each.why}." for each in lapses)
