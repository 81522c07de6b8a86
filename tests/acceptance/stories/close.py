"""A change at Close, which Linesman carries out number by number."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar, Final

from bot.sandbox.close import furnish
from tests.acceptance import ledger
from tests.acceptance.stories.story import Named, Story, Told

if TYPE_CHECKING:
    from tests.acceptance.stage import Stage

LABEL: Final = "Night desk"


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
