"""What a batch says of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.changes.model.batches import Batch, StopReach
from bot.changes.model.lifecycle import BatchState

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
BATCH = Batch(
    id=7,
    change=1,
    position=2,
    state=BatchState.UNKNOWN,
    size=3,
    values={},
    job="",
    attempted_at=LATER,
    attempts=2,
    submitted_at=None,
    settled_at=None,
    done_by=None,
    job_state="",
    polls=0,
    final_polls=0,
    absences=0,
    attempted_there=LATER,
)


def test_the_job_is_looked_for_from_the_first_attempt_on_that_nobody_answered() -> None:
    """The job of an attempt before the last may turn up late: searched for from the last on, it would be missed."""
    assert BATCH.floor == LATER
    assert replace(BATCH, unanswered_since=NOW, unanswered_there=NOW).floor == NOW
    assert replace(BATCH, unanswered_since=NOW, unanswered_there=None).floor is None


def test_a_batch_has_one_name_at_its_provider() -> None:
    """It is named for its change and its position, whatever becomes of it."""
    assert BATCH.reference == replace(BATCH, state=BatchState.SUBMITTED, attempts=3).reference == "1/2"


@pytest.mark.parametrize("state", BatchState)
@pytest.mark.parametrize("since", [None, NOW])
def test_it_waits_for_an_operator_or_stands_still_only_in_the_state_for_it(
    state: BatchState, since: datetime | None
) -> None:
    """What was once asked about, or once stood still, is neither any more when it has gone on."""
    batch = replace(BATCH, state=state, escalated_at=since, overdue_at=since)

    assert batch.undecided is (state is BatchState.UNKNOWN and since is not None)
    assert batch.stuck is (state is BatchState.SUBMITTED and since is not None)


@pytest.mark.parametrize(
    ("reach", "stoppable"),
    [
        (StopReach(), False),
        (StopReach(at_provider=3), False),
        (StopReach(unsent=1, at_provider=3), True),
        (StopReach(under_way=1), True),
        (StopReach(unknown=1), True),
    ],
)
def test_a_stop_keeps_back_what_is_not_in_a_job_yet(reach: StopReach, *, stoppable: bool) -> None:
    """Nothing of ours stops a job that runs; everything else is, or may turn out to be, in our hands."""
    assert reach.stoppable is stoppable
