"""When answers take longer than Slack waits for an ack, they come later, and nothing typed is lost."""

from __future__ import annotations

import pytest

from bot.slack import click_runner
from tests.integration.scenarios.stage import Stage


@pytest.fixture
async def late(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Start a bot whose acks never wait for the work behind them."""
    monkeypatch.setattr(click_runner, "ACK_WITHIN", 0.0)
    await idle.start()
    return idle


async def test_a_plan_comes_into_the_modal_however_late_it_is(late: Stage) -> None:
    """The modal stays open, shows the plan when it is there, and the request goes its way."""
    numbers = [number.phone_number for number in late.telnyx.add_numbers(2, start="+13035550000")]
    change = 1
    await late.propose(numbers)
    assert "Numbers: 2" in late.modal()
    await late.ana.submit()
    await late.slack.wait_for(lambda: late._posted(change, ":approval_card"), what="the request for approval")
    await late.approve(change)
    await late.ended(change)
    assert late.outcomes(change) == {"verified": 2}


async def test_problems_come_with_everything_that_was_typed(late: Stage) -> None:
    """Too late for the fields, the problems stand above the form, which is as it was sent."""
    await late.open()
    await late.fill("+13035550000, nonsense", {"customer_reference": "Denver"}, "Moving")
    await late.ana.submit()
    view = await late.ana.wait_for_view(lambda view: "Not sent yet." in late.read(view))
    shown = late.read(view)
    assert "1 entry cannot be read: “nonsense”" in shown
    assert "+13035550000, nonsense" in shown
    assert "Denver" in shown
    assert "Moving" in shown
