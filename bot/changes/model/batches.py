"""What a plan is carried out in, and what becomes of it: batches, operations and their counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bot.changes.model.filter_fields import Condition
from bot.changes.model.lifecycle import BatchState, OperationState
from bot.changes.model.values import Values


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Numbers that get the same values in one call."""

    id: int
    change: int
    #: Position in the plan, from 1.
    position: int
    state: BatchState
    size: int
    #: What is sent, whole groups included.
    values: Values
    #: The filter that is handed to the provider in the place of numbers; empty for every batch of known numbers.
    handed: tuple[Condition, ...] = ()
    #: The wave that it is part of, from 1.
    wave: int = 1
    #: The provider's job, once there is one.
    job: str
    #: When the last POST was about to go out.
    attempted_at: datetime | None
    attempts: int
    submitted_at: datetime | None
    settled_at: datetime | None
    #: When the job was to be done, by the provider's estimate at the time of ``progressed_at``.
    done_by: datetime | None
    #: Provider's word for the job's state, at the last poll.
    job_state: str
    #: How often the job has been asked about.
    polls: int
    #: Reads of the job since it was over, or gone, with numbers still undecided.
    final_polls: int
    #: Searches after an unknown outcome that did not find the job.
    absences: int
    #: When the first attempt went out that nobody answered; None once the batch has its job.
    unanswered_since: datetime | None = None
    #: The same two moments by the provider's clock, at the latest; None where its answers had not told its time.
    attempted_there: datetime | None = None
    unanswered_there: datetime | None = None
    #: How often it was sent again since, because no job was found.
    resent: int = 0
    #: Since when an operator has to say what became of an unanswered attempt; None when nobody is asked.
    escalated_at: datetime | None = None
    #: What is known about it, for people.
    doubt: str = ""
    #: Jobs at the provider that may be the batch's.
    candidates: tuple[str, ...] = ()
    #: When the job last reported something new.
    progressed_at: datetime | None = None
    #: Since when the job counts as standing still; None when it does not.
    overdue_at: datetime | None = None
    #: When the provider last refused the batch for want of a free slot; None when it did not.
    slot_refused_at: datetime | None = None
    #: When its numbers were last read again before sending it, or could not be; None when that was never tried.
    checked_at: datetime | None = None
    #: Why they could not be read then, for people; empty when they were read, and were as the plan found them.
    check_problem: str = ""

    @property
    def floor(self) -> datetime | None:
        """When, by the provider's clock, the oldest attempt went out whose job is looked for; None if nobody knows."""
        return self.attempted_there if self.unanswered_since is None else self.unanswered_there

    @property
    def reference(self) -> str:
        """Its name for ever, by which a provider that carries it out itself files it."""
        return f"{self.change}/{self.position}"

    @staticmethod
    def change_of(reference: str) -> int | None:
        """Return the change whose batch has that name; None when it is no such name."""
        change = reference.partition("/")[0]
        return int(change) if change.isdecimal() else None

    @property
    def undecided(self) -> bool:
        """Whether only an operator can say what became of its submission."""
        return self.state is BatchState.UNKNOWN and self.escalated_at is not None

    @property
    def stuck(self) -> bool:
        """Whether its job has been standing still for long."""
        return self.state is BatchState.SUBMITTED and self.overdue_at is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One number of a change, and what became of it."""

    change: int
    #: Position in the plan, from 0.
    position: int
    #: Position of its batch in the plan; None when it is not sent.
    batch: int | None
    number_id: str
    e164: str
    before: Values
    after: Values
    state: OperationState
    #: Why it failed or was not attempted: the provider's code or one of ours, a sentence, and a JSON pointer.
    code: str
    reason: str
    pointer: str
    ended_at: datetime | None
    #: What else the plan knew of it, and nothing was to change.
    beside: Values = field(default_factory=dict)
    #: What the number had when it was read back last: of what was sent, what else changed, and how far it is. None when
    #: it has not been read.
    found: Values | None = None
    #: When that was.
    found_at: datetime | None = None


class BatchNumber(NamedTuple):
    """One number of a batch, and where it stands: what its job's report is held against."""

    #: Position in the plan, from 0.
    position: int
    number_id: str
    e164: str
    state: OperationState


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How many numbers of a change are where."""

    waiting: int = 0
    submitted: int = 0
    succeeded: int = 0
    unknown: int = 0
    failed: int = 0
    not_attempted: int = 0
    verified: int = 0
    differs: int = 0
    unverified: int = 0

    @property
    def total(self) -> int:
        """All numbers of the change."""
        return self.pending + self.changed + self.failed + self.not_attempted

    @property
    def changed(self) -> int:
        """Numbers that the provider changed, or may have, read back or not."""
        return self.unread + self.verified + self.differs + self.unverified

    @property
    def unread(self) -> int:
        """Numbers whose jobs are over and that have still to be read back."""
        return self.succeeded + self.unknown

    @property
    def pending(self) -> int:
        """Numbers without an outcome yet."""
        return self.waiting + self.submitted


@dataclass(frozen=True, kw_only=True, slots=True)
class StopReach:
    """How far a stop or a freeze reaches: where the numbers of a change are that have not come to their end."""

    #: In our hands still, in batches that wait or in runs of ours: they can be kept back.
    unsent: int = 0
    #: In single requests of ours that are under way, or may have arrived: they end by themselves.
    under_way: int = 0
    #: In jobs that run at the provider, which nothing of ours stops.
    at_provider: int = 0
    #: In batches of which nobody knows yet whether they became jobs.
    unknown: int = 0

    @property
    def stoppable(self) -> bool:
        """Whether anything is left that a stop can keep back, or may turn out to be."""
        return bool(self.unsent or self.under_way or self.unknown)


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureGroup:
    """Numbers that failed, differ or could not be verified for one and the same reason."""

    code: str
    reason: str
    pointer: str
    count: int
    #: The first few numbers, in E.164.
    examples: tuple[str, ...]
