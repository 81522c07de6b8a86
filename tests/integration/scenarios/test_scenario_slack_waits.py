"""While Slack asks to wait, or cannot be reached: nothing is called too early, and people read what is waited for."""

from __future__ import annotations

import re

import pytest

from tests.integration.scenarios.stage import APPROVALS, FAILURES, OPS, Stage, key_of
from tests.integration.scenarios.steps import card_says

JOBS = "/phone_numbers/jobs/update_phone_numbers"
HOUR = 3600


def numbers(stage: Stage) -> list[str]:
    """Return three numbers, one of which will fail."""
    found = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.fail(found[0])
    return found


async def over(stage: Stage, change: int) -> None:
    """Open what Slack had closed, let the hour pass, and check that all is told once and nothing called too early."""
    stage.slack.open_methods()
    stage.clock.advance(HOUR)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    assert "Partly failed" in stage.read(stage.card(change))
    assert len(stage.failures()) == 1
    stage.assert_nothing_doubled()


async def test_closed_edits_wait_and_are_told_elsewhere(stage: Stage) -> None:
    """With chat.update closed for an hour no card is edited; status, Home and /readyz say until when."""
    change = await stage.ask(numbers(stage))
    await stage.quiet()
    stage.slack.close_method("chat.update", seconds=HOUR)
    await stage.approve(change)
    await stage.slack.wait_for(lambda: stage.file(change), what="the results")

    assert "Slack's rate limit delays card updates until" in await stage.command(f"status CHG-{change}")
    await stage.ana.open_home()
    await stage.slack.wait_for(
        lambda: (home := stage.slack.home("U0ANA")) and "Slack's rate limit delays card updates" in stage.read(home),
        what="word on the Home tab",
    )
    status, text = await stage.get("/readyz")
    assert status == 200
    assert re.search(r"Slack asks to wait with chat.update until 20\d\d-\d\d-\d\d \d\d:\d\d UTC", text)

    await over(stage, change)
    assert "Slack asks to wait" not in (await stage.get("/readyz"))[1]


@pytest.mark.parametrize(
    ("method", "words"),
    [("chat.postMessage", "messages in #ops"), ("files.getUploadURLExternal", "files")],
)
async def test_a_closed_thread_is_told_on_the_card(stage: Stage, method: str, words: str) -> None:
    """The card, which can be edited, says what is waited for and until when, and later it does not any more."""
    change = await stage.ask(numbers(stage))
    await stage.quiet()
    stage.slack.close_method(method, seconds=HOUR, channel=OPS if method.startswith("chat") else None)
    if method.startswith("files"):
        stage.slack.close_method("files.getUploadURLExternal", seconds=HOUR)
    await stage.approve(change)
    await stage.slack.wait_for(
        lambda: f"Slack's rate limit delays {words} until" in stage.read(stage.card(change)), what="word on the card"
    )
    await card_says(stage, change, "Partly failed")

    await over(stage, change)
    assert "Slack's rate limit" not in stage.read(stage.card(change))


async def test_a_closed_channel_closes_no_other(stage: Stage) -> None:
    """Slack counts messages by channel: while one is closed for an hour, the others hear what they have to."""
    stage.slack.close_method("chat.postMessage", seconds=HOUR, channel=OPS)
    await stage.propose(numbers(stage))
    await stage.ana.submit()
    await stage.slack.wait_for(lambda: stage.slack.messages(APPROVALS), what="the request for approval")
    await stage.approve(1)
    await stage.slack.wait_for(lambda: stage.slack.messages(FAILURES), what="the notice of the failure")

    assert stage.slack.messages(OPS) == []
    await over(stage, 1)


async def test_a_429_holds_for_every_message(stage: Stage) -> None:
    """Once one change has been told to wait with its edits, no other one asks."""
    changes = [await stage.ask([stage.telnyx.add_number(f"+1303555000{n}").phone_number]) for n in range(3)]
    await stage.quiet()
    stage.slack.close_method("chat.update", seconds=HOUR)
    refused: list[int] = []
    for change in changes:
        await stage.approve(change)
        await stage.slack.wait_for(lambda change=change: stage.file(change), what="the results")  # type: ignore[misc]  # it is bound at once
        refused.append(len([call for call in stage.slack.calls if call.method == "chat.update" and call.error]))

    assert refused[0] == refused[-1] > 0
    assert stage.slack.complaints == []


async def test_a_click_while_slack_cannot_be_reached_is_answered_once_it_can(stage: Stage) -> None:
    """Nothing is decided while nobody can say who clicked, and they hear so as soon as Slack is there again."""
    change = await stage.ask(numbers(stage))
    await stage.quiet()
    away = stage.slack.faults.add(method="*", kind="drop_before", times=9999)
    delivery = await stage.max.click("approve", message=stage.request_card(change))
    await stage.slack.wait_for(lambda: away.fired >= 3, what="attempts to answer")
    assert delivery.error is None
    assert stage.slack.ephemerals("U0MAX") == []

    away.times = 0
    await stage.slack.wait_for(lambda: stage.slack.ephemerals("U0MAX"), timeout=20, what="an answer to Max")

    assert "nothing was done" in stage.read(stage.slack.ephemerals("U0MAX")[-1])
    await stage.quiet()
    assert len(stage.slack.ephemerals("U0MAX")) == 1
    assert stage.telnyx.jobs == []
    await stage.approve(change)
    await stage.ended(change)


async def test_an_approval_whose_answer_cannot_be_given_is_answered_later(stage: Stage) -> None:
    """The approval counts, and the manager hears it once Slack takes the answer."""
    change = await stage.ask(numbers(stage))
    ways = [
        stage.slack.faults.add(method=method, kind="drop_before", times=9999)
        for method in ("response_url", "chat.postEphemeral")
    ]
    await stage.max.click("approve", message=stage.request_card(change))
    await stage.ended(change)
    assert stage.slack.ephemerals("U0MAX") == []

    for way in ways:
        way.times = 0
    await stage.slack.wait_for(lambda: stage.slack.ephemerals("U0MAX"), timeout=40, what="an answer to Max")
    assert "That was the last approval needed" in stage.read(stage.slack.ephemerals("U0MAX")[-1])


@pytest.mark.parametrize("made", [False, True])
async def test_a_stop_that_met_an_unanswered_job_says_what_became_of_it(idle: Stage, *, made: bool) -> None:
    """The thread says that it is not known yet how many numbers are not sent, and then how many they were."""
    stage = idle
    await stage.start(LINESMAN_RECONCILE_SECONDS="5")
    given = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after" if made else "drop_before")
    hidden = stage.telnyx.faults.add(method="GET", path="/phone_numbers/jobs", kind="status", status=503, times=None)
    change = await stage.ask(given)
    await stage.approve(change)
    await card_says(stage, change, "with no response yet")

    await stage.command(f"cancel CHG-{change}")
    await stage.slack.wait_for(
        lambda: any("Whether 3 numbers were sent is not known yet" in line for line in stage.thread(change)),
        what="word of the stop",
    )
    hidden.times = 0
    stage.clock.advance(60)
    await stage.ended(change)

    lines = stage.thread(change)
    assert not any("0 numbers will not be sent" in line for line in lines)
    known = "0 numbers were not sent" if made else "3 numbers were not sent"
    assert sum(f"After the stop: {known}" in line for line in lines) == 1
    assert stage.outcomes(change) == ({"verified": 3} if made else {"not_attempted": 3})
    assert [key for key in map(key_of, stage.slack.messages(OPS)) if key] == [f"CHG-{change}:card"]
    if not made:
        said = (
            "The change was stopped before this number was sent. Cancelled by its requester. An earlier attempt got no"
        )
        assert all(row["reason"].startswith(said) for row in stage.results(change))
