"""One background job: its life from pending to done, and how the API shows it.

A job has steps: a start, one per number, an end. Each has a moment, spread over the job's seconds; the book
of all jobs carries them out when they are due.

A job whose operations all failed ends as ``failed``, one with some failures as ``completed``; the v2
documentation does not say, so a client must not build on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from uuid import uuid4

from bot.sandbox.provider.errors import JsonObject
from bot.sandbox.telnyx.answers import iso
from bot.sandbox.telnyx.behaviour import Behaviour
from bot.sandbox.telnyx.errors import Problem
from bot.sandbox.telnyx.misbehaviour import Misbehaviour, MisbehaviourRule
from bot.sandbox.telnyx.records import Number

#: A job is pending for this part of its time, then in progress.
PENDING_PART = 0.1


@dataclass(slots=True, eq=False)
class JobOperation:
    """One number of a job, and what became of it."""

    number: Number
    id: str
    phone_number: str
    #: ``pending``, ``successful`` or ``failed``.
    state: str = "pending"
    problem: Problem | None = None
    #: Dotted paths of the fields that kept their values although it is reported as successful.
    dropped: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """One background job."""

    type: str
    #: The request body as it came.
    body: JsonObject
    #: Whether the numbers came from a filter; they are then echoed as ids.
    filtered: bool
    keys: list[str]
    #: The checked fields that the job sets.
    settings: JsonObject
    operations: list[JobOperation]
    created_at: datetime
    #: Seconds from pending to done; ``None`` for never.
    seconds: float | None
    of_somebody_else: bool = False
    id: str = field(default_factory=lambda: str(uuid4()))
    status: str = "pending"
    updated_at: datetime = field(init=False)
    rules: list[MisbehaviourRule] = field(default_factory=list, init=False)
    _step: int = field(default=0, init=False)
    _text: str | None = field(default=None, init=False)
    _targets: frozenset[str] | None = field(default=None, init=False)

    @classmethod
    def of_others(cls, job_type: str, created_at: datetime, seconds: float | None) -> Job:
        """Return a job that somebody else created, over a number that no caller here knows."""
        return cls(
            type=job_type,
            body={},
            filtered=False,
            keys=["+12025550199"],
            settings={},
            operations=[],
            created_at=created_at,
            seconds=seconds,
            of_somebody_else=True,
        )

    def __post_init__(self) -> None:
        self.updated_at = self.created_at

    @property
    def finished(self) -> bool:
        """Whether the job has reached its end."""
        return self.status in ("completed", "failed", "expired")

    @property
    def hidden(self) -> bool:
        """Whether the service denies that the job ever was."""
        return self.finished and self.does(Misbehaviour.NOT_FOUND_LATER)

    @property
    def reference(self) -> object:
        """The customer reference given when the job was created, if any."""
        return self.settings.get("customer_reference")

    def targets_any(self, keys: Iterable[str]) -> bool:
        """Tell whether the job is over any of these numbers (ids or E.164)."""
        if self._targets is None:
            known = [(operation.id, operation.phone_number) for operation in self.operations]
            self._targets = frozenset(chain(self.keys, *known))
        return not self._targets.isdisjoint(keys)

    def does(self, how: Misbehaviour) -> bool:
        """Tell whether a test asked the job to misbehave like this."""
        return any(rule.how is how for rule in self.rules)

    def befall(self, rule: MisbehaviourRule) -> None:
        """Make the job misbehave."""
        self.rules.append(rule)
        self._text = None

    def recover(self, how: Misbehaviour) -> None:
        """End the misbehaviours of one sort."""
        self.rules = [rule for rule in self.rules if rule.how is not how]
        self._text = None

    def next_due(self) -> datetime | None:
        """Return the moment of the next step, or ``None`` when there is none."""
        if self.finished or self.seconds is None or self.does(Misbehaviour.STUCK_PENDING):
            return None
        if self.does(Misbehaviour.NEVER_ENDS) and self._step > len(self.operations):
            return None
        total = len(self.operations)
        position = self._step if self._step <= self._reach() else total
        left = 1 - position / total if total else 0.0
        return self.created_at + timedelta(seconds=self.seconds * (1 - (1 - PENDING_PART) * left))

    def _reach(self) -> int:
        """Return how many operations are carried out before the end."""
        total = len(self.operations)
        if self.does(Misbehaviour.FAILED_EMPTY):
            return 0
        if self.does(Misbehaviour.EXPIRED):
            return total // 2
        return total - len(self.missing())

    def missing(self) -> list[JobOperation]:
        """Return the operations that the job forgets."""
        if not self.does(Misbehaviour.COMPLETED_MISSING):
            return []
        return self.operations[-max(1, len(self.operations) // 10) :]

    def step(self, behaviour: Behaviour) -> None:
        """Carry out the next step."""
        self.updated_at = self.next_due() or self.updated_at
        if self._step == 0:
            self.status = "in_progress"
        elif self._step <= self._reach():
            self._carry_out(self.operations[self._step - 1], behaviour)
        else:
            self._end()
        self._step += 1
        self._text = None

    def _carry_out(self, operation: JobOperation, behaviour: Behaviour) -> None:
        names = (operation.id, operation.phone_number)
        dropped = [rule.field for rule in self.rules if rule.field is not None and rule.drops_on(*names)]
        whole = self.does(Misbehaviour.VOICE_REPLACED)
        operation.dropped = dropped
        operation.problem = behaviour.carry_out(operation.number, self.type, self.settings, dropped, whole_voice=whole)
        operation.state = "failed" if operation.problem else "successful"

    def _end(self) -> None:
        if self.does(Misbehaviour.NEVER_ENDS):
            return
        if self.does(Misbehaviour.EXPIRED):
            self.status = "expired"
        elif self.does(Misbehaviour.FAILED_EMPTY):
            self.status = "failed"
        else:
            succeeded = any(operation.state != "failed" for operation in self.operations)
            self.status = "completed" if succeeded or not self.operations else "failed"

    def end_now(self, moment: datetime) -> None:
        """Complete the job out of turn."""
        self.status, self.updated_at, self._text = "completed", moment, None

    def as_text(self) -> str:
        """Return the job as Telnyx shows it, in JSON; kept until the job moves on."""
        if self._text is None:
            self._text = json.dumps(self.as_json())
        return self._text

    def as_json(self) -> JsonObject:
        """Return the job as Telnyx shows it, ``parameters`` (with the PIN in clear) included."""
        states: dict[str, list[JsonObject]] = {"successful": [], "pending": [], "failed": []}
        forgotten = set(self.missing()) if self.finished else set()
        silent = self.does(Misbehaviour.FAILED_EMPTY) or self.does(Misbehaviour.COMPLETED_EMPTY)
        if not (self.finished and silent):
            for operation in self.operations:
                if operation not in forgotten:
                    states[operation.state].append(self._row(operation))
        if self.does(Misbehaviour.NUMBER_IN_TWO_LISTS) and states["successful"]:
            problem = Problem(code="10007", title="Unexpected error", detail="An unexpected error occured.")
            states["failed"].append({**states["successful"][0], "errors": [problem.as_json(meta=False)]})
        told: JsonObject = {} if self.does(Misbehaviour.PARAMETERS_UNTOLD) else {"parameters": self._parameters()}
        return {
            "id": self.id,
            "record_type": "phone_numbers_job",
            "status": "suspended" if self.does(Misbehaviour.UNKNOWN_STATUS) else self.status,
            "type": self.type,
            "etc": iso(self.created_at + timedelta(seconds=self.seconds or 0)),
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
            "phone_numbers": [] if self.does(Misbehaviour.NUMBERS_UNTOLD) else [self._echo(key) for key in self.keys],
            "successful_operations": states["successful"],
            "pending_operations": states["pending"],
            "failed_operations": states["failed"],
            **told,
        }

    def _id(self, text: str) -> str | int:
        as_integer = self.does(Misbehaviour.IDS_AS_INTEGERS) and not text.startswith("+")
        return int(text) if as_integer else text

    def _echo(self, key: str) -> JsonObject:
        return {"phone_number": key} if key.startswith("+") else {"id": self._id(key)}

    def _row(self, operation: JobOperation) -> JsonObject:
        row: JsonObject = {"id": self._id(operation.id), "phone_number": operation.phone_number}
        if operation.problem is not None:
            entry = operation.problem.as_json(meta=False)
            if self.does(Misbehaviour.SOURCE_AS_STRING):
                entry["source"] = operation.problem.pointer or "/base"
            row["errors"] = [entry]
        return row

    def _parameters(self) -> JsonObject:
        """Return the saved fields (SDK 4.186 and later); ``voice`` is saved without ``translated_number``."""
        if self.does(Misbehaviour.NUMBERS_UNTOLD) or self.does(Misbehaviour.PARAMETERS_EMPTY):
            return {}
        saved: JsonObject = {"phone_numbers": [self._id(key) for key in self.keys], **self.settings}
        voice = saved.get("voice")
        if isinstance(voice, dict):
            saved["voice"] = {name: value for name, value in voice.items() if name != "translated_number"}
        return saved


def operations_on(numbers: Iterable[Number]) -> list[JobOperation]:
    """Return a waiting operation for each number."""
    return [JobOperation(number, number.id, number.phone_number) for number in numbers]
