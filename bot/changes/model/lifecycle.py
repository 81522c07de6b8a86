"""The lives of changes, batches and operations, as tables; steps that a table does not list are illegal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeVar

from bot.errors import IllegalTransition


class ChangeState(Enum):
    """The state of a change."""

    PLANNING = "planning"  #: being read from the provider
    PLANNED = "planned"  #: shown to the requester, who has not requested approval yet
    AWAITING_APPROVAL = "awaiting_approval"  #: an approver must decide
    CHANGES_REQUESTED = "changes_requested"  #: an approver wants another plan, and the requester must make one
    APPROVED = "approved"  #: decided, not begun
    RUNNING = "running"  #: jobs are being submitted and watched
    VERIFYING = "verifying"  #: all jobs are over, or those of a wave; the numbers are being read back
    PAUSED = "paused"  #: between two waves; it waits, or somebody must release the next one
    IN_EFFECT = "in_effect"  #: temporary and before its end: its numbers have the new values, and stay locked
    FINISHED = "finished"  #: over; see the outcome
    DISCARDED = "discarded"  #: given up by the requester, or never plannable
    REJECTED = "rejected"  #: an approver said no
    EXPIRED = "expired"  #: nobody decided in time, or nobody made the requested new plan
    CANCELLED = "cancelled"  #: stopped before anything was sent
    STALE = "stale"  #: numbers changed after the plan was made, and before any of it was sent

    @property
    def label(self) -> str:
        """The state for people, alone: "Verifying"."""
        return STATE_WORDS[self][0]

    @property
    def phrase(self) -> str:
        """The state for people, in a sentence: "being verified", after "is"."""
        return STATE_WORDS[self][1]

    @property
    def over(self) -> bool:
        """Whether nothing more can happen to the change."""
        return not CHANGE_STEPS[self]


class Outcome(Enum):
    """How a finished change ended."""

    SUCCEEDED = "succeeded"  #: every number that was sent has the new values, read back
    PARTLY_FAILED = "partly_failed"  #: some numbers have them, some do not
    FAILED = "failed"  #: no number has them
    UNVERIFIED = "unverified"  #: nothing contradicts that all have them, but not every one was seen


class BatchState(Enum):
    """The state of a batch."""

    QUEUED = "queued"  #: nothing has been sent
    SUBMITTING = "submitting"  #: committed just before the POST: after a crash nobody knows whether it went out
    UNKNOWN = "unknown"  #: the POST went out and no answer came back
    SUBMITTED = "submitted"  #: the provider has made a job of it
    SETTLED = "settled"  #: every number of it has an outcome


class OperationState(Enum):
    """The state of one number."""

    WAITING = "waiting"  #: not sent yet
    SUBMITTED = "submitted"  #: part of a job
    SUCCEEDED = "succeeded"  #: the provider says that it has the new values
    UNKNOWN = "unknown"  #: sent, outcome unknown: the read-back will tell
    FAILED = "failed"  #: the provider says why not
    NOT_ATTEMPTED = "not_attempted"  #: never sent, for a reason of ours
    VERIFIED = "verified"  #: read back with exactly the sent values, and everything else as it was
    DIFFERS = "differs"  #: read back with other values
    UNVERIFIED = "unverified"  #: could not be read back, or the values read do not tell

    @property
    def over(self) -> bool:
        """Whether this is an outcome."""
        return bool(self in CHANGED or self in MISSED)


_O = OperationState
#: States of a number after its read-back, and before it with its job over.
READ: Final = frozenset({_O.VERIFIED, _O.DIFFERS, _O.UNVERIFIED})
AWAITED: Final = frozenset({_O.SUCCEEDED, _O.UNKNOWN})
#: States of a number that the provider changed, or may have changed.
CHANGED: Final = READ | AWAITED
#: States of a number that was certainly not changed.
MISSED: Final = frozenset({_O.FAILED, _O.NOT_ATTEMPTED})

_C = ChangeState
#: State -> its label, alone and after "is".
STATE_WORDS: Final[Mapping[ChangeState, tuple[str, str]]] = {
    _C.PLANNING: ("Planning", "being planned"),
    _C.PLANNED: ("Planned", "planned"),
    _C.AWAITING_APPROVAL: ("Awaiting approval", "awaiting approval"),
    _C.CHANGES_REQUESTED: ("Changes requested", "waiting for the changes that were requested"),
    _C.APPROVED: ("Approved", "approved"),
    _C.RUNNING: ("Running", "running"),
    _C.VERIFYING: ("Verifying", "being verified"),
    _C.PAUSED: ("Paused", "paused"),
    _C.IN_EFFECT: ("In effect", "in effect"),
    _C.FINISHED: ("Finished", "finished"),
    _C.DISCARDED: ("Discarded", "discarded"),
    _C.REJECTED: ("Rejected", "rejected"),
    _C.EXPIRED: ("Expired", "expired"),
    _C.CANCELLED: ("Cancelled", "cancelled"),
    _C.STALE: ("Stale", "stale"),
}
#: State -> the states that may follow.
CHANGE_STEPS: Final[Mapping[ChangeState, frozenset[ChangeState]]] = {
    _C.PLANNING: frozenset({_C.PLANNED, _C.DISCARDED}),
    _C.PLANNED: frozenset({_C.AWAITING_APPROVAL, _C.DISCARDED}),
    _C.AWAITING_APPROVAL: frozenset({_C.APPROVED, _C.CHANGES_REQUESTED, _C.REJECTED, _C.EXPIRED, _C.CANCELLED}),
    _C.CHANGES_REQUESTED: frozenset({_C.AWAITING_APPROVAL, _C.EXPIRED, _C.CANCELLED}),
    _C.APPROVED: frozenset({_C.RUNNING, _C.CANCELLED, _C.STALE}),
    _C.RUNNING: frozenset({_C.VERIFYING, _C.CANCELLED, _C.STALE}),
    _C.VERIFYING: frozenset({_C.FINISHED, _C.RUNNING, _C.PAUSED, _C.IN_EFFECT}),
    _C.PAUSED: frozenset({_C.RUNNING, _C.VERIFYING}),
    _C.IN_EFFECT: frozenset({_C.FINISHED}),
    _C.FINISHED: frozenset(),
    _C.DISCARDED: frozenset(),
    _C.REJECTED: frozenset(),
    _C.EXPIRED: frozenset(),
    _C.CANCELLED: frozenset(),
    _C.STALE: frozenset(),
}

_B = BatchState
#: State -> the states that may follow. Back to QUEUED only when the provider surely did not take the batch.
BATCH_STEPS: Final[Mapping[BatchState, frozenset[BatchState]]] = {
    _B.QUEUED: frozenset({_B.SUBMITTING, _B.SETTLED}),
    _B.SUBMITTING: frozenset({_B.SUBMITTED, _B.UNKNOWN, _B.QUEUED, _B.SETTLED}),
    _B.UNKNOWN: frozenset({_B.SUBMITTED, _B.QUEUED, _B.SETTLED}),
    _B.SUBMITTED: frozenset({_B.SETTLED}),
    _B.SETTLED: frozenset(),
}

#: State -> the states that may follow. Only its own job takes an outcome back (REPORTED); the read-back only adds to a
#: success or to an unknown outcome. A number of an unanswered submission becomes unknown without having been in any
#: job that we know.
OPERATION_STEPS: Final[Mapping[OperationState, frozenset[OperationState]]] = {
    _O.WAITING: frozenset({_O.SUBMITTED, _O.UNKNOWN, _O.FAILED, _O.NOT_ATTEMPTED}),
    _O.SUBMITTED: frozenset({_O.SUCCEEDED, _O.UNKNOWN, _O.FAILED, _O.NOT_ATTEMPTED}),
    _O.SUCCEEDED: READ,
    _O.UNKNOWN: READ,
    _O.FAILED: frozenset(),
    _O.NOT_ATTEMPTED: frozenset(),
    _O.VERIFIED: frozenset(),
    _O.DIFFERS: frozenset(),
    _O.UNVERIFIED: frozenset(),
}

#: Outcomes that stand in a job's lists, and that the job itself may contradict later: then nobody knows any more.
REPORTED: Final = frozenset({_O.SUCCEEDED, _O.FAILED})

_State = TypeVar("_State", ChangeState, BatchState, OperationState)


def step(table: Mapping[_State, frozenset[_State]], present: _State, following: _State) -> _State:
    """Return ``following`` when ``table`` lets it follow ``present``; raise IllegalTransition otherwise."""
    if following not in table[present]:
        raise IllegalTransition(f"The state {following.value} cannot follow {present.value}.")
    return following


def before(table: Mapping[_State, frozenset[_State]], following: _State) -> frozenset[_State]:
    """Return the states from which ``table`` allows ``following``: the condition of a conditional write."""
    return frozenset(state for state, steps in table.items() if following in steps)
