"""Promises about what is said of the end of a temporary change: every number has one word, and the counts add up."""

from __future__ import annotations

import pytest

from bot.changes.model.batches import Tally
from bot.changes.model.lifecycle import OperationState, Outcome
from bot.changes.model.summary import Summary
from bot.changes.outcome.outcomes import UNCHANGED
from bot.changes.outcome.restores import Restored, overall, restore_cells, restored
from tests.unit.changes.outcome.test_follow_ups import operation

SUMMARY = Summary(numbers=8, unchanged=1, batches=1, wanted={}, since=1)


def test_the_counts_of_a_restore_add_up_to_the_numbers_that_were_changed() -> None:
    """Given back, left, failed, not seen and never sent: each number is counted once."""
    tally = Tally(verified=3, failed=1, differs=1, unverified=1, not_attempted=1, waiting=1)
    back = restored(10, SUMMARY, tally)

    assert back == Restored(restored=4, left=1, failed=3, unverified=1, missing=1)
    assert sum(back.counts.values()) == 10
    assert back.wanting == 5


def test_without_a_plan_nothing_was_restored() -> None:
    """Whatever kept it from being planned, all numbers still have their new values."""
    assert restored(3, None, Tally()) == Restored(missing=3)


@pytest.mark.parametrize(
    ("there", "back", "ended"),
    [
        (Outcome.SUCCEEDED, Restored(restored=3), Outcome.SUCCEEDED),
        (Outcome.SUCCEEDED, Restored(left=3), Outcome.SUCCEEDED),
        (Outcome.SUCCEEDED, Restored(restored=2, failed=1), Outcome.PARTLY_FAILED),
        (Outcome.UNVERIFIED, Restored(missing=1), Outcome.PARTLY_FAILED),
        (Outcome.SUCCEEDED, Restored(unverified=1), Outcome.UNVERIFIED),
        (Outcome.PARTLY_FAILED, Restored(unverified=1), Outcome.PARTLY_FAILED),
        (Outcome.FAILED, Restored(restored=1, failed=1), Outcome.FAILED),
    ],
)
def test_a_change_has_one_outcome_for_both_ways(there: Outcome, back: Restored, ended: Outcome) -> None:
    """It has succeeded if both ways have; what somebody wanted otherwise meanwhile is no failure."""
    assert overall(there, back) is ended


def test_every_number_says_what_became_of_it() -> None:
    """An outcome for one that was restored, and a word with its reason for every other that was changed."""
    there = operation(0, {"tags": ("a",)}, {"tags": ("b",)}, OperationState.VERIFIED)
    back = operation(0, {}, {}, OperationState.VERIFIED)
    already = operation(0, {}, {}, OperationState.NOT_ATTEMPTED, UNCHANGED)
    missed = operation(0, {}, {}, OperationState.FAILED)

    assert restore_cells(missed, None, (), planned=True) == ("", "")
    assert restore_cells(there, back, (), planned=True)[0] == "verified"
    assert restore_cells(there, already, (), planned=True)[0] == "unchanged"
    assert restore_cells(there, None, (), planned=True)[0] == "left"
    assert restore_cells(there, None, (there.e164,), planned=True)[0] == "not_restored"
    assert restore_cells(there, None, (), planned=False)[0] == "not_restored"
