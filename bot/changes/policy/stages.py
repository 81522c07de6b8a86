"""The stages of an approval: who gives it, in which order, and how far a request is.

Every rule has at least one stage; a rule that names none has one without a name. Stages follow the order of the rule:
the first with too few approvals is open, and only its people may approve. One person counts in one stage only, so two
stages need at least two people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.changes.policy.people import Grant


class Approval(Protocol):
    """The facts about somebody's decision on a change that show how far the request is."""

    @property
    def person(self) -> str:
        """Slack user id."""
        ...

    @property
    def stage(self) -> str:
        """Name of the stage in which it was given."""
        ...

    @property
    def at(self) -> datetime:
        """When it was given."""
        ...

    @property
    def counts(self) -> bool:
        """Whether it is an approval that counts."""
        ...

    @property
    def lapsed_at(self) -> datetime | None:
        """Since when an approval no longer counts; None for everything else."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalStage:
    """One step of an approval."""

    #: Empty where the rule has only this stage, and does not name it.
    name: str = ""
    approvers: Grant
    #: How many different people must approve in it; at least 1.
    approvals_required: int
    #: People who may also approve once it has been open for ``fallback_after``.
    fallback_approvers: Grant = field(default_factory=Grant)
    #: None where there are no fallback approvers.
    fallback_after: timedelta | None = None

    @property
    def everyone(self) -> Grant:
        """All people who may come to approve in it."""
        return Grant.union((self.approvers, self.fallback_approvers))


@dataclass(frozen=True, kw_only=True, slots=True)
class StageProgress:
    """The progress of a request in one stage."""

    stage: ApprovalStage
    #: From 1, in the order of the rule.
    place: int
    #: The approvals that count in it, oldest first.
    approvals: tuple[Approval, ...]
    #: Since when it is open, or was; None while an earlier stage is incomplete, and before approval is requested.
    opened_at: datetime | None

    @property
    def missing(self) -> int:
        """How many more approvals it needs."""
        return max(self.stage.approvals_required - len(self.approvals), 0)

    @property
    def complete(self) -> bool:
        """Whether it has all its approvals."""
        return not self.missing

    @property
    def fallback_at(self) -> datetime | None:
        """The time from which its fallback approvers may approve; None while unknown, or without fallback approvers."""
        if self.opened_at is None or self.stage.fallback_after is None:
            return None
        return self.opened_at + self.stage.fallback_after

    def fallback_due(self, now: datetime) -> bool:
        """Tell whether its fallback approvers may approve at ``now``."""
        return self.fallback_at is not None and now >= self.fallback_at

    def open_to(self, now: datetime) -> Grant:
        """Return who may approve in it at ``now``, while it is open."""
        return self.stage.everyone if self.fallback_due(now) else self.stage.approvers


def stage_progress(
    stages: Sequence[ApprovalStage], approvals: Iterable[Approval], requested_at: datetime | None
) -> tuple[StageProgress, ...]:
    """Return the progress of a request of ``requested_at`` in each of ``stages``, by the ``approvals`` so far.

    An approval in a stage that is not among them counts in none: the rule's stages may have changed since.
    """
    given = sorted(approvals, key=lambda each: each.at)
    opened = requested_at
    found = []
    for place, stage in enumerate(stages, 1):
        mine = [each for each in given if each.stage == stage.name]
        counting = tuple(each for each in mine if each.counts)
        reopened = _reopened(stage, mine)
        if opened is not None and reopened is not None:
            opened = max(opened, reopened)
        progress = StageProgress(stage=stage, place=place, approvals=counting, opened_at=opened)
        found.append(progress)
        last = counting[stage.approvals_required - 1].at if progress.complete else None
        opened = max(opened, last) if opened is not None and last is not None else None
    return tuple(found)


def open_stage(progress: Sequence[StageProgress]) -> StageProgress:
    """Return the open stage: the first that is not complete.

    If all are complete, return the last one: a rule that now requires fewer approvals lets the request continue.
    """
    return next((each for each in progress if not each.complete), progress[-1])


def unsatisfiable(stages: Sequence[ApprovalStage], besides: Collection[str] = ()) -> ApprovalStage | None:
    """Return the first stage that can never be complete if ``besides`` may not approve; None if all surely can be.

    No group is read: a stage that names a group never counts as lacking people.
    """
    place_of: dict[str, int] = {}  # who is counted on, and in which stage
    people = [sorted(stage.everyone.users - set(besides)) for stage in stages]

    def fill(place: int, asked: set[str]) -> bool:
        """Find a person for one more approval of a stage, moving others to another of their stages if needed."""
        for person in people[place]:
            if person not in asked:
                asked.add(person)
                if person not in place_of or fill(place_of[person], asked):
                    place_of[person] = place
                    return True
        return False

    for place, stage in enumerate(stages):
        if not stage.everyone.groups and not all(fill(place, set()) for _ in range(stage.approvals_required)):
            return stage
    return None


def _reopened(stage: ApprovalStage, approvals: Sequence[Approval]) -> datetime | None:
    """Return when the stage, complete for the last time, lost an approval; None when it never did."""
    steps = [(each.at, 1) for each in approvals if each.counts or each.lapsed_at is not None]
    steps += [(each.lapsed_at, -1) for each in approvals if each.lapsed_at is not None]
    count, reopened = 0, None
    for at, step in sorted(steps):
        if step < 0 and count == stage.approvals_required:
            reopened = at
        count += step
    return reopened
