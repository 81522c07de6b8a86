"""The numbers of a run that we carry out ourselves, and what their states mean."""

from __future__ import annotations

import pytest

from bot.changes.model.bulk_runs import Halt, NumberState, RunNumber


@pytest.mark.parametrize(
    ("state", "over", "attempted", "known"),
    [
        (NumberState.WAITING, False, False, True),
        (NumberState.SENT, False, True, True),
        (NumberState.SUCCEEDED, True, True, True),
        (NumberState.FAILED, True, True, True),
        (NumberState.UNKNOWN, True, True, False),
        (NumberState.NOT_ATTEMPTED, True, False, True),
    ],
)
def test_a_state_says_whether_it_is_over_was_sent_and_is_known(
    state: NumberState, *, over: bool, attempted: bool, known: bool
) -> None:
    """What may have been sent counts as attempted, and only what nobody can tell is not known."""
    number = RunNumber(position=1, id="1", e164="+13035550100", before={}, wanted={}, state=state)

    assert (state.over, number.attempted, number.known) == (over, attempted, known)


def test_a_freeze_is_no_halt_for_good() -> None:
    """A run that is only frozen goes on afterwards; one that was stopped for a reason does not."""
    assert not Halt().for_good
    assert Halt(code="linesman.cancelled", reason="It was cancelled.").for_good
