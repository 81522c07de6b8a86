"""The tables of states."""

from __future__ import annotations

import pytest

from bot.changes.model.lifecycle import (
    AWAITED,
    BATCH_STEPS,
    CHANGE_STEPS,
    CHANGED,
    MISSED,
    OPERATION_STEPS,
    READ,
    BatchState,
    ChangeState,
    OperationState,
    before,
    step,
)
from bot.errors import IllegalTransition

TABLES = [
    pytest.param(CHANGE_STEPS, ChangeState.PLANNING, id="change"),
    pytest.param(BATCH_STEPS, BatchState.QUEUED, id="batch"),
    pytest.param(OPERATION_STEPS, OperationState.WAITING, id="operation"),
]


@pytest.mark.parametrize(("table", "first"), TABLES)
def test_every_state_is_in_the_table_and_can_be_reached(table: dict, first: ChangeState) -> None:
    """No state is forgotten, and none can never happen (besides ``stale``, which waits for the freshness check)."""
    reached = {first}
    while more := {after for state in reached for after in table[state]} - reached:
        reached |= more

    assert set(table) == set(type(first))
    assert reached == set(table)


@pytest.mark.parametrize(("table", "first"), TABLES)
def test_only_listed_steps_are_legal(table: dict, first: ChangeState) -> None:
    """Every step that the table does not list raises and says where the thing is."""
    for present in type(first):
        for following in type(first):
            if following in table[present]:
                assert step(table, present, following) is following
                assert present in before(table, following)
            else:
                assert present not in before(table, following)
                with pytest.raises(IllegalTransition, match=present.value):
                    step(table, present, following)


def test_an_ending_is_an_ending() -> None:
    """Nothing follows the endings of a change, and everything else can still end."""
    endings = {state for state in ChangeState if state.over}

    assert endings == {
        ChangeState.FINISHED,
        ChangeState.DISCARDED,
        ChangeState.REJECTED,
        ChangeState.EXPIRED,
        ChangeState.CANCELLED,
        ChangeState.STALE,
    }


def test_an_outcome_is_never_taken_back() -> None:
    """A number that was changed, failed or was not attempted stays so; reading it back only says more about it."""
    assert {state for state in OperationState if state.over} == CHANGED | MISSED
    assert {state for state in OperationState if not OPERATION_STEPS[state]} == (CHANGED | MISSED) - AWAITED
    for state in AWAITED:
        assert OPERATION_STEPS[state] == READ


def reachable_without(barred: ChangeState) -> set[ChangeState]:
    """Return what a change can come to be in without ever having been in ``barred``."""
    reached = {ChangeState.PLANNING}
    while more := {after for state in reached for after in CHANGE_STEPS[state]} - reached - {barred}:
        reached |= more
    return reached


def test_nothing_reaches_running_without_approval() -> None:
    """The only way into ``running`` leads through ``approved``, and into that through ``awaiting_approval``."""
    assert ChangeState.RUNNING not in reachable_without(ChangeState.APPROVED)
    assert before(CHANGE_STEPS, ChangeState.RUNNING) == {
        ChangeState.APPROVED,
        ChangeState.VERIFYING,
        ChangeState.PAUSED,
    }
    assert before(CHANGE_STEPS, ChangeState.APPROVED) == {ChangeState.AWAITING_APPROVAL}
