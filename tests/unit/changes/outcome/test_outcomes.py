"""From job reports to exactly one outcome for every number."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.batches import BatchNumber, Tally
from bot.changes.model.lifecycle import OperationState, Outcome
from bot.changes.outcome.outcomes import CONTRADICTORY, NOT_REPORTED, number_outcomes, outcome
from bot.providers.base import OperationReport


def operations(count: int) -> list[BatchNumber]:
    """Return ``count`` submitted operations."""
    return [
        BatchNumber(position, str(10**18 + position), f"+1303555{position:04}", OperationState.SUBMITTED)
        for position in range(count)
    ]


def said(operation: BatchNumber, by: str = "both", **more: str) -> OperationReport:
    """Return a report about ``operation`` that names it by id, by number, or by both."""
    return OperationReport(
        id=operation.number_id if by != "number" else "", e164=operation.e164 if by != "id" else "", **more
    )


@given(st.data(), st.booleans())
def test_every_number_gets_at_most_one_outcome_and_at_the_end_exactly_one(data: st.DataObject, final: bool) -> None:  # noqa: FBT001 - hypothesis passes it
    """Whatever lists a number is in, it has one outcome once the job is over; before that maybe none yet."""
    numbers = operations(12)
    by = st.sampled_from(["id", "number", "both"])
    lists = [
        [said(number, data.draw(by)) for number in data.draw(st.lists(st.sampled_from(numbers), max_size=12))]
        for _ in range(3)
    ]

    verdicts = number_outcomes(
        numbers, succeeded=lists[0], failed=lists[1], pending=lists[2], final=final, job_word="completed"
    )

    positions = [verdict.position for verdict in verdicts]
    assert len(positions) == len(set(positions))
    assert all(verdict.state.over for verdict in verdicts)
    if final:
        assert sorted(positions) == list(range(12))
    assert all(verdict.reason for verdict in verdicts if verdict.state is OperationState.FAILED)


def test_the_documented_job_is_read_number_by_number() -> None:
    """The documented example has all three lists filled while pending: one of each stays apart."""
    succeeded, also, pending, failed = (
        operation._replace(number_id=number_id, e164=e164)
        for operation, (number_id, e164) in zip(
            operations(4),
            [
                ("2637816387126861836", "+19705555098"),
                ("33081887126861836", "+19715555098"),
                ("2637816387126861837", "+19705555099"),
                ("3388768018273", "+19705551234"),
            ],
            strict=True,
        )
    )

    verdicts = number_outcomes(
        [succeeded, also, pending, failed],
        succeeded=[said(succeeded), said(also)],
        failed=[said(failed, code="10015", reason="The field is invalid.", pointer="/emergency_address_id")],
        pending=[said(pending)],
        final=False,
        job_word="pending",
    )

    assert [(v.position, v.state, v.code, v.pointer) for v in verdicts] == [
        (0, OperationState.SUCCEEDED, "", ""),
        (1, OperationState.SUCCEEDED, "", ""),
        (3, OperationState.FAILED, "10015", "/emergency_address_id"),
    ]


def test_the_fate_of_a_number_in_no_list_is_unknown() -> None:
    """A job that is over and silent about a number has not failed on it: nobody knows, and the reason has its word."""
    (verdict,) = number_outcomes(operations(1), succeeded=[], failed=[], pending=[], final=True, job_word="expired")

    assert verdict.state is OperationState.UNKNOWN
    assert verdict.code == NOT_REPORTED
    assert "“expired”" in verdict.reason


def test_the_fate_of_a_number_in_two_lists_is_unknown() -> None:
    """Succeeded and failed at once is a contradiction that only a look at the number decides."""
    (number,) = operations(1)

    (verdict,) = number_outcomes(
        [number],
        succeeded=[said(number)],
        failed=[said(number, reason="Busy.")],
        pending=[],
        final=True,
        job_word="completed",
    )

    assert (verdict.state, verdict.code) == (OperationState.UNKNOWN, CONTRADICTORY)
    assert "Busy." in verdict.reason


@pytest.mark.parametrize("state", [state for state in OperationState if state.over])
def test_an_outcome_is_not_given_twice(state: OperationState) -> None:
    """A number that has its outcome already is not settled again by a report that says the same, or nothing."""
    done = operations(1)[0]._replace(state=state)
    same = [said(done)]
    succeeded, failed = ([], same) if state is OperationState.FAILED else (same, [])

    for lists in ((succeeded, failed), ([], [])):
        told = number_outcomes(
            [done], succeeded=lists[0], failed=lists[1], pending=[], final=True, job_word="completed"
        )
        assert told == []


@pytest.mark.parametrize(
    ("before", "lists"),
    [
        (OperationState.FAILED, ("succeeded",)),
        (OperationState.SUCCEEDED, ("failed",)),
        (OperationState.FAILED, ("succeeded", "failed")),
    ],
)
def test_what_a_job_takes_back_is_unknown(before: OperationState, lists: tuple[str, ...]) -> None:
    """It failed while the job ran, and the end calls it a success, or the other way round: a look at it decides."""
    number = operations(1)[0]._replace(state=before)
    told = {name: [said(number)] if name in lists else [] for name in ("succeeded", "failed")}

    (verdict,) = number_outcomes([number], **told, pending=[], final=True, job_word="completed")

    assert (verdict.state, verdict.code) == (OperationState.UNKNOWN, CONTRADICTORY)


@pytest.mark.parametrize("state", [OperationState.VERIFIED, OperationState.DIFFERS, OperationState.NOT_ATTEMPTED])
def test_no_job_takes_back_what_is_not_its_own_word(state: OperationState) -> None:
    """What was read back, and what was never sent, stays."""
    number = operations(1)[0]._replace(state=state)

    assert (
        number_outcomes(
            [number], succeeded=[said(number)], failed=[said(number)], pending=[], final=True, job_word="completed"
        )
        == []
    )


@pytest.mark.parametrize(
    ("tally", "unchanged", "ended"),
    [
        (Tally(verified=3), 0, Outcome.SUCCEEDED),
        (Tally(verified=3, not_attempted=2), 2, Outcome.SUCCEEDED),
        (Tally(verified=3, not_attempted=3), 2, Outcome.PARTLY_FAILED),
        (Tally(verified=3, failed=1), 0, Outcome.PARTLY_FAILED),
        (Tally(verified=3, differs=1), 0, Outcome.PARTLY_FAILED),
        (Tally(differs=3), 0, Outcome.FAILED),
        (Tally(verified=3, unverified=1), 0, Outcome.UNVERIFIED),
        (Tally(unverified=3, not_attempted=1), 1, Outcome.UNVERIFIED),
        (Tally(succeeded=3), 0, Outcome.UNVERIFIED),
        (Tally(verified=3, unknown=1), 0, Outcome.UNVERIFIED),
        (Tally(unverified=3, differs=1), 0, Outcome.PARTLY_FAILED),
        (Tally(failed=3), 0, Outcome.FAILED),
        (Tally(failed=1, not_attempted=3), 3, Outcome.FAILED),
        (Tally(not_attempted=3), 0, Outcome.FAILED),
    ],
)
def test_the_outcome_follows_from_the_counts(tally: Tally, unchanged: int, ended: Outcome) -> None:
    """All good, some good, or none; what was stopped before it was sent is missing, what was right already is not.

    A number that differs is one that failed, and a change is said to have succeeded only when every number was seen.
    """
    assert outcome(tally, unchanged) is ended


@given(st.builds(Tally, **{f.name: st.integers(0, 3) for f in fields(Tally)}))
def test_only_what_was_seen_is_called_a_success(tally: Tally) -> None:
    """Whatever the counts, a change has succeeded only when every number that was sent was read back as sent."""
    if outcome(tally, 0) is Outcome.SUCCEEDED:
        assert tally.verified == tally.total - tally.pending
        assert tally.verified


@pytest.mark.parametrize("state", [each.name for each in fields(Tally)])
def test_a_number_counts_once_whatever_its_state(state: str) -> None:
    """Every number is in the total, and either pending, changed, failed or not attempted."""
    tally = Tally(**{state: 3})

    assert tally.total == 3
    assert sorted((tally.pending, tally.changed, tally.failed, tally.not_attempted)) == [0, 0, 0, 3]


def test_a_number_that_the_job_never_sent_is_not_attempted() -> None:
    """A job that stopped lists it as failed and says that it was never attempted; the reason stays."""
    first, second = operations(2)
    spared = replace(said(second), attempted=False, code="linesman.run_stopped", reason="The key ended.")

    verdicts = number_outcomes(
        [first, second],
        succeeded=[],
        failed=[said(first, code="401", reason="No."), spared],
        pending=[],
        final=True,
        job_word="completed",
    )

    assert [(verdict.state, verdict.code, verdict.reason) for verdict in verdicts] == [
        (OperationState.FAILED, "401", "No."),
        (OperationState.NOT_ATTEMPTED, "linesman.run_stopped", "The key ended."),
    ]


def test_a_number_that_the_job_itself_does_not_know_about_is_unknown() -> None:
    """Our own runs list it among the failed and say that its answer was lost: it may have been changed."""
    (number,) = operations(1)
    lost = replace(said(number, code="linesman.unclear_response", reason="Its answer was lost."), known=False)

    (verdict,) = number_outcomes([number], succeeded=[], failed=[lost], pending=[], final=True, job_word="completed")

    assert (verdict.state, verdict.code) == (OperationState.UNKNOWN, "linesman.unclear_response")
