"""Who may request, approve and operate, and under which rule.

    policy = policies.governing(kind, size, settings)
    verdict = may_request(policy, person, membership, kind, size) if policy else kind_off(kind)

Every question fails closed: an empty grant, a group that could not be read, a guest, a bot or a person from
another workspace allow nothing. Group membership arrives as data; reading it is somebody else's work.
"""

from __future__ import annotations

from bot.changes.policy.lapses import TAKEN_BACK, Lapse, lapsed_text, stage_gone, why_lapsed
from bot.changes.policy.people import Audience, Grant, Membership, Person, UnknownGroup
from bot.changes.policy.rules import Policies, Rule
from bot.changes.policy.stages import Approval, ApprovalStage, StageProgress, open_stage, stage_progress, unsatisfiable
from bot.changes.policy.terms import ENVIRONMENT, FIRST_REMINDER, OnStale, Policy, blind, forbidden, too_large
from bot.changes.policy.turns import may_approve_now
from bot.changes.policy.verdicts import (
    Reason,
    Verdict,
    broken,
    in_a_while,
    kind_off,
    lists,
    may_approve,
    may_delegate,
    may_operate,
    may_read,
    may_request,
    may_stand_in,
    may_stop_own,
    who_may_approve,
    whom_to_mention,
)

__all__ = [
    "ENVIRONMENT",
    "FIRST_REMINDER",
    "TAKEN_BACK",
    "Approval",
    "ApprovalStage",
    "Audience",
    "Grant",
    "Lapse",
    "Membership",
    "OnStale",
    "Person",
    "Policies",
    "Policy",
    "Reason",
    "Rule",
    "StageProgress",
    "UnknownGroup",
    "Verdict",
    "blind",
    "broken",
    "forbidden",
    "in_a_while",
    "kind_off",
    "lapsed_text",
    "lists",
    "may_approve",
    "may_approve_now",
    "may_delegate",
    "may_operate",
    "may_read",
    "may_request",
    "may_stand_in",
    "may_stop_own",
    "open_stage",
    "stage_gone",
    "stage_progress",
    "too_large",
    "unsatisfiable",
    "who_may_approve",
    "whom_to_mention",
    "why_lapsed",
]
