"""What Ana can want: a story for each kind of change, with what the provider must have been asked for in the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Protocol

from bot.sandbox.close import furnish
from bot.sandbox.telnyx import Job, JobOperation, Number
from tests.acceptance import ledger

if TYPE_CHECKING:
    from tests.acceptance.stage import Stage

#: The port-out PIN that is set. It must be readable nowhere but in the calls to the carrier.
PIN: Final = "9173640285"
REFERENCE: Final = "Denver"
FORWARDING: Final = "voice.call_forwarding.forwarding_type"
ADDRESS: Final = "1293384261075731499"
LABEL: Final = "Night desk"


class Line(Protocol):
    """A number, as far as Ana knows it."""

    @property
    def phone_number(self) -> str:
        """The number in E.164."""

    @property
    def id(self) -> str:
        """The provider's id of it."""


@dataclass(frozen=True)
class Named:
    """A number and its id."""

    phone_number: str
    id: str


class Told(NamedTuple):
    """What the row of a number has to say in the results."""

    outcome: str
    code: str = ""
    reason: str = ""
    pointer: str = ""
    job: str = ""


class Story(ABC):
    """A kind of change, from the numbers that it starts with to what has to be true of them at its end."""

    #: The word behind ``/numbers``.
    command: ClassVar[str]
    provider: ClassVar[str] = "Telnyx"
    #: By setting: typed or chosen.
    wanted: ClassVar[Mapping[str, str]]
    #: The filter by which Ana finds the numbers, each condition chosen; empty when she types the numbers.
    filters: ClassVar[Mapping[str, str]] = {}
    #: When a temporary change is to end, as Ana types it; she ends it long before that. Empty for one that lasts.
    until: ClassVar[str] = ""
    #: What Ana types about waves, by block; empty for a change that goes out as a whole.
    rollout: ClassVar[Mapping[str, str]] = {}
    #: The reference that Ana asks for at first, until Max asks for changes; empty when he approves her first plan.
    at_first: ClassVar[str] = ""
    #: A value that is no secret, so that it has to be found in the database.
    plain: ClassVar[str]

    @abstractmethod
    def stock(self, stage: Stage, *, batches: int, each: int) -> None:
        """Give the account its numbers; Ana asks for them in this order."""

    @abstractmethod
    def truth(self, stage: Stage) -> dict[str, Told]:
        """Return what has to be told of each number that was worked on, by id, as the provider has it."""

    @abstractmethod
    def worked_on(self, stage: Stage) -> Counter[str]:
        """Return how often each number was changed or tried, by id."""

    @abstractmethod
    def assert_values(self, stage: Stage) -> None:
        """Check what the provider's numbers have now: those that failed their old values, the others the new ones."""

    def unclear(self, stage: Stage) -> list[str]:  # noqa: ARG002 - who needs no stage says so by this
        """Return the ids of failed numbers whose refusal may not have been heard, so that only their values tell."""
        return []

    def assert_jobs(self, stage: Stage) -> None:
        """Check that the provider has no more jobs than were planned."""
        assert len(stage.telnyx.jobs) == stage.batches


class TelnyxStory(Story):
    """A change that Telnyx carries out in jobs of its own."""

    def truth(self, stage: Stage) -> dict[str, Told]:
        """Return what the jobs say."""
        return {operation.id: _outcome(job, operation) for job in stage.telnyx.jobs for operation in job.operations}

    def worked_on(self, stage: Stage) -> Counter[str]:
        """Return how many jobs each number is in."""
        return Counter(operation.id for job in stage.telnyx.jobs for operation in job.operations)

    def assert_values(self, stage: Stage) -> None:
        """Check each number."""
        failed = {number.id for number in stage.failing}
        for number in stage.asked:
            self._assert_value(stage.telnyx.number(number.id), changed=number.id not in failed)

    @abstractmethod
    def _assert_value(self, now: Number, *, changed: bool) -> None:
        """Check one number."""


class Settings(TelnyxStory):
    """``telnyx.settings``: a PIN, a reference and how calls are forwarded."""

    command = "update"
    wanted: ClassVar = {"external_pin": PIN, "customer_reference": REFERENCE, FORWARDING: "on-failure"}
    plain = REFERENCE

    def stock(self, stage: Stage, *, batches: int, each: int) -> None:
        """Give the account numbers of which the second and the last of those to change are failed by the carrier.

        A nested object is sent whole, so numbers that forward to different places go into different jobs.
        """
        for batch in range(batches):
            forwarding: dict[str, object] = {
                "call_forwarding_enabled": True,
                "forwards_to": f"+1720555{batch:04}",
                "forwarding_type": "always",
            }
            start = f"+1303555{batch * each:04}"
            stage.asked += stage.telnyx.add_numbers(each, start=start, voice={"call_forwarding": forwarding})
        stage.failing = [stage.asked[1], stage.asked[-1]]
        for number in stage.failing:
            stage.telnyx.fail(number.phone_number, detail="The field is invalid.", pointer="/external_pin")
        done: dict[str, object] = {"forwards_to": "+17205559999", "forwarding_type": "on-failure"}
        stage.settled = [
            stage.telnyx.add_number(
                "+13035559999",
                external_pin=PIN,
                customer_reference=REFERENCE,
                voice={"call_forwarding": {"call_forwarding_enabled": True, **done}},
            )
        ]
        stage.asked += stage.settled

    def _assert_value(self, now: Number, *, changed: bool) -> None:
        values = (now.external_pin, now.customer_reference, now.value(FORWARDING))
        assert values == ((PIN, REFERENCE, "on-failure") if changed else (None, None, "always"))
        assert str(now.value("voice.call_forwarding.forwards_to")).startswith("+1720555")


class Bundles(Settings):
    """The same for numbers that are found by their bundles, so that a file of the carrier's has to be fetched."""

    filters: ClassVar = {"has_bundle": "true"}

    def stock(self, stage: Stage, *, batches: int, each: int) -> None:
        """Give the account the same numbers, all with a bundle, and one without."""
        super().stock(stage, batches=batches, each=each)
        for number in stage.telnyx.numbers.values():
            number.has_bundle = True
        stage.telnyx.add_number("+13035559998")


class Temporary(Settings):
    """The same there and back: it is in effect until Ana ends it, and then the numbers have what they had."""

    wanted: ClassVar = {"customer_reference": REFERENCE, FORWARDING: "on-failure"}
    until = "in 4 hours"

    def stock(self, stage: Stage, *, batches: int, each: int) -> None:
        """Give the account the same numbers, with a reference that they can get back."""
        super().stock(stage, batches=batches, each=each)
        for number in stage.asked:
            if number not in stage.settled:
                stage.telnyx.number(number.id).customer_reference = "Dallas"

    def truth(self, stage: Stage) -> dict[str, Told]:
        """Return what the jobs say that went there."""
        there = stage.telnyx.jobs[: stage.batches]
        return {operation.id: _outcome(job, operation) for job in there for operation in job.operations}

    def worked_on(self, stage: Stage) -> Counter[str]:
        """Return how many of these jobs each number is in."""
        there = stage.telnyx.jobs[: stage.batches]
        return Counter(operation.id for job in there for operation in job.operations)

    def assert_jobs(self, stage: Stage) -> None:
        """Check that every number that was changed is in one of as many jobs back, and no other number is."""
        back = stage.telnyx.jobs[stage.batches :]
        unchanged = {number.id for number in (*stage.failing, *stage.settled)}
        assert len(back) == stage.batches
        assert Counter(operation.id for job in back for operation in job.operations) == Counter(
            number.id for number in stage.asked if number.id not in unchanged
        )

    def assert_values(self, stage: Stage) -> None:
        """Check that every number has what it had before."""
        for number in stage.asked:
            now = stage.telnyx.number(number.id)
            had = (REFERENCE, "on-failure") if number in stage.settled else ("Dallas", "always")
            assert (now.customer_reference, now.value(FORWARDING)) == had


class Revised(Settings):
    """The same at the second attempt: Max asks for changes, and approves the plan that Ana makes then."""

    at_first = "Boulder"


class Waves(Settings):
    """The same in two waves of a job each: in the first one number fails, which is as much as may."""

    rollout: ClassVar = {"canary": "2, rest", "threshold": "1"}


class Emergency(TelnyxStory):
    """``telnyx.emergency``: emergency calls on, with an address."""

    command = "emergency"
    wanted: ClassVar = {"emergency_enabled": "true", "emergency_address_id": ADDRESS}
    plain = ADDRESS

    def stock(self, stage: Stage, *, batches: int, each: int) -> None:
        """Give the account an address, and numbers of which the second is failed by the carrier."""
        if batches != 1:
            raise ValueError("everybody gets the same address, so there is one job")
        stage.telnyx.add_address("1600 Broadway", id=ADDRESS)
        stage.asked += stage.telnyx.add_numbers(each, start="+13035550000")
        stage.failing = [stage.asked[1]]
        stage.telnyx.fail(stage.asked[1].phone_number, detail="The field is invalid.", pointer="/emergency_address_id")
        done = stage.telnyx.add_number("+13035559999")
        done.emergency_enabled, done.emergency_address_id, done.emergency_status = True, ADDRESS, "active"
        stage.settled = [done]
        stage.asked += stage.settled

    def _assert_value(self, now: Number, *, changed: bool) -> None:
        values = (now.emergency_enabled, now.emergency_address_id, now.emergency_status)
        assert values == ((True, ADDRESS, "active") if changed else (False, None, "disabled"))


class Close(Story):
    """``close.settings``: a label, number by number, in a run of ours."""

    command = "close"
    provider = "Close"
    wanted: ClassVar = {"label": LABEL}
    plain = LABEL

    def stock(self, stage: Stage, *, batches: int, each: int) -> None:
        """Give the organization numbers of which the second is refused by Close."""
        if batches != 1 or stage.close is None:
            raise ValueError("Close has to be switched on, and everybody gets the same label, so there is one run")
        furnish(stage.close, shared=each + 1, own=0)
        shared = [number for number in stage.close.numbers.values() if number.is_group_number]
        shared[-1].label = LABEL
        stage.asked += [Named(number.number, number.id) for number in shared]
        stage.failing, stage.settled = [stage.asked[1]], [stage.asked[-1]]
        stage.close.fail(stage.asked[1].phone_number)

    def truth(self, stage: Stage) -> dict[str, Told]:
        """Return what has to be told: those that Close has changed are right, those that it refuses are not."""
        [(run,)] = ledger.rows(stage.database, "SELECT id FROM runs")
        reason = "Close refused the request. It says: “This value is not allowed.”."
        refused = {number.id for number in stage.failing}
        return {
            number.id: Told("failed", "400", reason, "", str(run))
            if number.id in refused
            else Told("verified", job=str(run))
            for number in stage.asked
            if number not in stage.settled
        }

    def unclear(self, stage: Stage) -> list[str]:
        """Return those that were asked for once more: what became of the first request nobody can tell."""
        assert stage.close is not None
        if stage.process.lives > 1:
            return [number.id for number in stage.failing]
        asked = [call.path for call in stage.close.calls if call.method == "PUT"]
        return [number.id for number in stage.failing if sum(number.id in path for path in asked) > 1]

    def worked_on(self, stage: Stage) -> Counter[str]:
        """Return how often each number was updated; an update that is refused may be tried again."""
        assert stage.close is not None
        ids = {number.number: number.id for number in stage.close.numbers.values()}
        updated = Counter(ids[update.number] for update in stage.close.updates)
        return updated + Counter(number.id for number in stage.failing)

    def assert_values(self, stage: Stage) -> None:
        """Check each number's label."""
        assert stage.close is not None
        failed = {number.id for number in stage.failing}
        for number in stage.asked:
            assert (stage.close.number(number.phone_number).label == LABEL) is (number.id not in failed)

    def assert_jobs(self, stage: Stage) -> None:
        """Check that there was one run, and that Telnyx was asked for nothing."""
        assert len(ledger.rows(stage.database, "SELECT id FROM runs")) == stage.batches
        assert stage.telnyx.jobs == []


def _outcome(job: Job, operation: JobOperation) -> Told:
    problem = operation.problem
    if problem is None:
        return Told("verified" if operation.state == "successful" else operation.state, job=job.id)
    return Told("failed", problem.code, problem.detail, problem.pointer or "", job.id)


SETTINGS: Final = Settings()
TEMPORARY: Final = Temporary()
REVISED: Final = Revised()
WAVES: Final = Waves()
BUNDLES: Final = Bundles()
EMERGENCY: Final = Emergency()
CLOSE: Final = Close()
