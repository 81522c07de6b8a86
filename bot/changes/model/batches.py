"""How a plan is carried out, and with which result: batches, operations and their counts."""

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
    #: The values sent, including whole groups.
    values: Values
    #: The filter handed to the provider in place of numbers; empty for every batch of known numbers.
    handed: tuple[Condition, ...] = ()
    #: The wave that it belongs to, from 1.
    wave: int = 1
    #: The provider's job, once there is one.
    job: str
    #: When the last POST was about to go out.
    attempted_at: datetime | None
    attempts: int
    submitted_at: datetime | None
    settled_at: datetime | None
    #: When the job was expected to be done, by the provider's estimate at the time of ``progressed_at``.
    done_by: datetime | None
    #: The provider's word for the job's state at the last poll.
    job_state: str
    #: How often the job has been polled.
    polls: int
    #: Polls of the job after it was over, or gone, with numbers still undecided.
    final_polls: int
    #: Searches after an unknown outcome that did not find the job.
    absences: int
    #: When the first unanswered attempt went out; None once the batch has its job.
    unanswered_since: datetime | None = None
    #: The latest that these two moments can be by the provider's clock; None where its answers had not told its time.
    attempted_there: datetime | None = None
    unanswered_there: datetime | None = None
    #: How often it was sent again, because no job was found.
    resent: int = 0
    #: Since when an operator has been asked about an unanswered attempt; None when nobody is asked.
    escalated_at: datetime | None = None
    #: What is known about that, for people.
    doubt: str = ""
    #: Jobs at the provider that may belong to the batch.
    candidates: tuple[str, ...] = ()
    #: When the job last reported something new.
    progressed_at: datetime | None = None
    #: Since when the job counts as stalled; None when it does not.
    overdue_at: datetime | None = None
    #: When the provider last refused the batch for lack of a free slot; None when it did not.
    slot_refused_at: datetime | None = None
    #: When its numbers were last read again before sending, or could not be; None when that was never tried.
    checked_at: datetime | None = None
    #: Why they could not be read then, for people; empty when they were read and were as planned.
    check_problem: str = ""

    @property
    def floor(self) -> datetime | None:
        """When, by the provider's clock, the oldest attempt went out whose job is searched for; None if unknown."""
        return self.attempted_there if self.unanswered_since is None else self.unanswered_there

    @property
    def reference(self) -> str:
        """Its permanent name, under which a provider that carries it out itself files it."""
        return f"{self.change}/{self.position}"

    @staticmethod
    def change_of(reference: str) -> int | None:
        """Return the change whose batch has that name; None if it is not such a name."""
        change = reference.partition("/")[0]
        return int(change) if change.isdecimal() else None

    @property
    def undecided(self) -> bool:
        """Whether only an operator can say what became of its submission."""
        return self.state is BatchState.UNKNOWN and self.escalated_at is not None

    @property
    def stuck(self) -> bool:
        """Whether its job counts as stalled."""
        return self.state is BatchState.SUBMITTED and self.overdue_at is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One number of a change, and its outcome."""

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
    #: Why it failed or was not attempted: a code of the provider or of ours, a sentence, and a JSON pointer.
    code: str
    reason: str
    pointer: str
    ended_at: datetime | None
    #: Other values that the plan knew of it, which nothing was to change.
    beside: Values = field(default_factory=dict)
    #: The values found by the last read-back: of sent fields, of fields that changed besides, and of statuses. None
    #: when it has not been read.
    found: Values | None = None
    #: When it was read.
    found_at: datetime | None = None


class BatchNumber(NamedTuple):
    """One number of a batch and its state, to be compared with its job's report."""

    #: Position in the plan, from 0.
    position: int
    number_id: str
    e164: str
    state: OperationState


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How many numbers of a change are in each state."""

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
        """Numbers that the provider changed, or may have changed, read back or not."""
        return self.unread + self.verified + self.differs + self.unverified

    @property
    def unread(self) -> int:
        """Numbers whose jobs are over and that are still to be read back."""
        return self.succeeded + self.unknown

    @property
    def pending(self) -> int:
        """Numbers without an outcome yet."""
        return self.waiting + self.submitted

    @property
    def counts(self) -> dict[str, int]:
        """Outcome -> numbers, for events, messages and metrics; numbers not read back count as unverified."""
        return {
            "verified": self.verified,
            "differs": self.differs,
            "unverified": self.unread + self.unverified,
            "failed": self.failed,
            "not_attempted": self.not_attempted,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class StopReach:
    """How far a stop or a freeze reaches: where the unfinished numbers of a change are."""

    #: Still in our hands, in waiting batches or in runs of ours: they can be kept back.
    unsent: int = 0
    #: In single requests of ours that are under way, or may have arrived: they end by themselves.
    under_way: int = 0
    #: In jobs that run at the provider, which we cannot stop.
    at_provider: int = 0
    #: In batches that may or may not have become jobs.
    unknown: int = 0

    @property
    def stoppable(self) -> bool:
        """Whether there are, or may be, numbers that a stop can keep back."""
        return bool(self.unsent or self.under_way or self.unknown)


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureGroup:
    """Numbers that failed, differ or could not be verified for the same reason."""

    code: str
    reason: str
    pointer: str
    count: int
    #: The first few numbers, in E.164.
    examples: tuple[str, ...]
