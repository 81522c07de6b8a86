"""Whose turn it is to approve: the answers to "may this person approve now?" where a rule has stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.changes.policy.people import Membership, Person
from bot.changes.policy.stages import StageProgress, open_stage
from bot.changes.policy.terms import Policy
from bot.changes.policy.verdicts import Reason, Verdict, lists, may_approve
from bot.changes.policy.wall_clock import show_instant

#: Refusals that only say that it is not the person's turn.
_NOT_AMONG_THEM: Final = frozenset({Reason.NOT_LISTED, Reason.NOBODY_LISTED})
#: Refusals replaced by "you already approved in another stage" when that is true.
_ASIDE: Final = _NOT_AMONG_THEM | {Reason.ALREADY_APPROVED, Reason.GROUP_UNREADABLE, Reason.GROUP_GONE}


def may_approve_now(
    policy: Policy,
    progress: Sequence[StageProgress],
    person: Person,
    membership: Membership,
    requester: str,
    *,
    now: datetime,
) -> Verdict:
    """Say whether an approval of ``person`` counts at ``now``, and in which stage.

    ``progress`` is the state of the request under ``policy``. People whose turn is another stage are told which.
    """
    stage = open_stage(progress)
    already = {each.person: one.stage.name for one in progress for each in one.approvals}
    verdict = may_approve(policy, person, membership, requester, already, grant=stage.open_to(now))
    if verdict.allowed:
        fallback = not lists(stage.stage.approvers, person, membership)
        return replace(verdict, stage=stage.stage.name, fallback=fallback)
    if verdict.reason in _ASIDE and already.get(person.id, stage.stage.name) != stage.stage.name:
        return _elsewhere(verdict, already[person.id], stage)
    if verdict.reason in _NOT_AMONG_THEM:
        return _other_turn(verdict, progress, person, membership, called=policy.mention is None)
    return verdict


def _elsewhere(verdict: Verdict, given_in: str, stage: StageProgress) -> Verdict:
    sentence = (
        f"You have already approved this change in the stage “{given_in}”. One person's approval counts in one stage "
        f"only, so somebody else must approve in the stage “{stage.stage.name}”."
    )
    return replace(verdict, reason=Reason.COUNTS_ELSEWHERE, sentence=sentence)


def _other_turn(
    verdict: Verdict, progress: Sequence[StageProgress], person: Person, membership: Membership, *, called: bool
) -> Verdict:
    """Return why it is not the turn of ``person``; ``verdict`` when they never have one.

    ``called`` tells whether approvers are mentioned when it is their turn: a rule can have others mentioned instead.
    Fallback approvers always are.
    """
    stage = open_stage(progress)
    if lists(stage.stage.fallback_approvers, person, membership) and stage.fallback_at is not None:
        at = show_instant(stage.fallback_at, person.zone)
        named = f" of the stage “{stage.stage.name}”" if stage.stage.name else ""
        sentence = f"You are a fallback approver{named}: you may approve from {at} on, if it is still waiting then."
        return replace(verdict, reason=Reason.FALLBACK_LATER, sentence=sentence)
    mine = [each for each in progress if each is not stage and lists(each.stage.everyone, person, membership)]
    if later := next((each for each in mine if each.place > stage.place), None):
        fallback = not lists(later.stage.approvers, person, membership)
        turn = "you may approve" if fallback else "it is open"
        then = f": you will be mentioned when {turn}." if called or fallback else "."
        sentence = (
            f"This change waits for the stage “{stage.stage.name}” first. Yours, “{later.stage.name}”, comes after "
            f"it{then}"
        )
        return replace(verdict, reason=Reason.LATER_STAGE, sentence=sentence)
    if mine:
        sentence = (
            f"The stage “{mine[-1].stage.name}” is complete. This change now waits for the stage "
            f"“{stage.stage.name}”, and you are not one of its approvers."
        )
        return replace(verdict, reason=Reason.COMPLETE_STAGE, sentence=sentence)
    return verdict
