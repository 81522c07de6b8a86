"""Cancelling: what is not sent yet is not sent, what is at the carrier is watched to its end."""

from __future__ import annotations

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import ask_for_three_jobs, card_says


async def test_a_request_can_be_taken_back(stage: Stage) -> None:
    """Before the decision the requester cancels without a trace at the carrier; the buttons go, late clicks hear it."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    old = stage.request_card(change).snapshot()

    assert "CHG-1 is cancelled. Nothing was sent" in await stage.command("cancel CHG-1")
    await stage.quiet()

    assert stage.buttons(stage.request_card(change)) == []
    assert "Cancelled" in stage.read(stage.card(change))
    answer = await stage.answered(stage.max, stage.max.click("approve", message=old))
    assert "CHG-1 is already cancelled" in answer
    assert stage.created() == []


async def test_only_the_requester_or_an_operator_may_cancel(stage: Stage) -> None:
    """Approvers and strangers may not; an operator may."""
    stage.telnyx.add_number("+13035550000")
    await stage.ask("+13035550000")

    for person in (stage.max, stage.sam):
        assert "Only the requester or an operator can cancel CHG-1" in await stage.command("cancel CHG-1", by=person)
    assert "CHG-1 is cancelled" in await stage.command("cancel CHG-1", by=stage.otto)


async def test_a_running_change_stops_before_its_next_job(stage: Stage) -> None:
    """Jobs that wait for a slot are not sent and their numbers say why; the job that runs is watched to its end."""
    change = await ask_for_three_jobs(stage)
    await stage.approve(change)
    await card_says(stage, change, "1 running, 2 waiting")

    # A job that asks for a slot in this very moment is stopped as well, once it has been refused.
    assert "CHG-1 is stopped" in await stage.command("cancel CHG-1")
    stage.telnyx.advance(60)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1, "not_attempted": 2}
    assert len(stage.telnyx.jobs) == 1
    assert {row["reason_code"] for row in stage.results(change)} == {"", "linesman.stopped"}
    assert "Partly" in stage.read(stage.card(change))


async def test_what_is_over_or_sent_whole_cannot_be_cancelled(stage: Stage) -> None:
    """When nothing is left to stop, the person is told why."""
    stage.telnyx.add_number("+13035550000")
    stage.telnyx.job_seconds = 60
    change = await stage.ask("+13035550000")
    await stage.approve(change)
    await card_says(stage, change, "1 running")

    assert "already at the provider, which cannot stop them" in await stage.command("cancel CHG-1")
    stage.telnyx.advance(60)
    await stage.ended(change)

    assert "CHG-1 is already finished" in await stage.command("cancel CHG-1")
    assert "There is no CHG-7" in await stage.command("cancel CHG-7")
    assert "Name the change" in await stage.command("cancel")
