"""Whose turn it was when people were last asked, and approvals that no longer belong to any stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.changes.audit.events import Event
from bot.changes.model.change import Change
from bot.changes.model.decisions import Decision
from bot.changes.policy import Policy

#: Events by which people are asked to approve.
_ASKING: Final = frozenset({"approval_requested", "stage_opened", "stage_reopened"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Whose turn it was when people were last asked."""

    #: Name of the stage; empty where the rule had only one.
    stage: str
    at: datetime


def asked_last(change: Change, events: Sequence[Event]) -> Asked:
    """Return the stage whose people were last asked, by the ``events`` of a request."""
    last = next((each for each in reversed(events) if each.what in _ASKING), None)
    if last is None:
        return Asked(stage="", at=change.requested_at or change.created_at)
    return Asked(stage=str(last.details.get("stage", "")), at=last.at)


def given_elsewhere(policy: Policy, decisions: Sequence[Decision]) -> Sequence[Decision]:
    """Return the approvals that count but were given in a stage that ``policy`` does not have."""
    stages = {stage.name for stage in policy.stages}
    return [each for each in decisions if each.counts and each.stage not in stages]
