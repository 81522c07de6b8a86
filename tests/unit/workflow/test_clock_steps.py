"""Which moves of the wall clock count as a step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.workflow.loops.clock_steps import ClockSteps
from bot.workflow.rate_limiter import RateLimiter

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("passed", "shown", "step"), [(60, 60, 0), (60, 63, 0), (1, 3601, 3600), (1, -3599, -3600)])
def test_a_step_is_what_the_steady_clock_does_not_know(passed: float, shown: float, step: float) -> None:
    """Drift is none; after a step is told, the clock counts from where it is."""
    wall, steady = [NOON], [0.0]
    steps = ClockSteps(lambda: wall[0], lambda: steady[0])
    wall[0], steady[0] = NOON + timedelta(seconds=shown), passed

    assert round(steps.measure().total_seconds()) == step
    assert steps.measure() == timedelta(0)


def test_a_budget_gives_turns_as_soon_as_before_when_the_clock_is_set_back() -> None:
    """Whoever waited two seconds waits two seconds, not an hour and two."""
    budget = RateLimiter(rate=0.5, burst=1)
    assert budget.wait("a", NOON) == timedelta(0)
    assert budget.wait("b", NOON) == timedelta(seconds=2)

    earlier = NOON - timedelta(hours=1)
    assert budget.wait("b", earlier) == timedelta(seconds=2)
    assert budget.wait("b", earlier + timedelta(seconds=2)) == timedelta(0)
