"""Changes that Telnyx carries out: settings of numbers, in a few ways to want them, and emergency calls."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, ClassVar, Final

from bot.sandbox.telnyx import Job, JobOperation, Number
from tests.acceptance.stories.story import Story, Told

if TYPE_CHECKING:
    from tests.acceptance.stage import Stage

#: The port-out PIN that is set. It must be readable nowhere but in the calls to the carrier.
PIN: Final = "9173640285"
REFERENCE: Final = "Denver"
FORWARDING: Final = "voice.call_forwarding.forwarding_type"
ADDRESS: Final = "1293384261075731499"


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
    below_the_request = ("another plan",)


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


def _outcome(job: Job, operation: JobOperation) -> Told:
    problem = operation.problem
    if problem is None:
        return Told("verified" if operation.state == "successful" else operation.state, job=job.id)
    return Told("failed", problem.code, problem.detail, problem.pointer or "", job.id)
