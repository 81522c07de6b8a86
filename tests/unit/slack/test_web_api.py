"""What Slack's answers come to."""

from __future__ import annotations

import pytest

from bot.slack.web_api import LEAST_WAIT, LONGEST_WAIT, UNTOLD_WAIT, retry_after


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("0", LEAST_WAIT, id="at-once"),
        pytest.param("99999999", LONGEST_WAIT, id="absurd"),
        pytest.param("soon", UNTOLD_WAIT, id="nonsense"),
        pytest.param("-5", UNTOLD_WAIT, id="negative"),
        pytest.param("", UNTOLD_WAIT, id="nothing"),
    ],
)
def test_the_wait_that_slack_asks_for_is_bounded_on_both_sides(told: str, wait: float) -> None:
    """Neither 0 makes a loop of what asks again, nor a huge number a stop of what waits."""
    assert retry_after({"Retry-After": told}) == wait
