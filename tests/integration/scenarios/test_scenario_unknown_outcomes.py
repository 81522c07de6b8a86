"""What nobody says the fate of: it is read back and told as what it is, never as failed."""

from __future__ import annotations

from functools import partial

import pytest

from bot import wiring
from bot.sandbox.close import CloseStandIn, Fixtures
from tests.integration.scenarios.stage import FAILURES, Stage
from tests.integration.scenarios.steps import card_says

JOBS = "/phone_numbers/jobs/*"
REFERENCE = "customer_reference"


def numbers_of(stage: Stage, count: int) -> list[str]:
    """Give the account ``count`` numbers."""
    return [number.phone_number for number in stage.telnyx.add_numbers(count, start="+13035550000")]


async def test_a_lost_job_whose_numbers_were_changed_is_no_failure(stage: Stage) -> None:
    """Polls meet 404 in Telnyx's own words for good; the numbers are read, and each has what was sent."""
    numbers = numbers_of(stage, 3)
    stage.telnyx.faults.add(method="GET", path=JOBS, kind="status", status=404, times=None)

    change = await stage.run(numbers)

    assert stage.outcomes(change) == {"verified": 3}
    assert "✅ Succeeded" in stage.read(stage.card(change))
    assert stage.failures() == []


async def test_a_job_that_is_not_found_a_few_times_is_polled_on(stage: Stage) -> None:
    """A part of Telnyx that does not know the job yet says so in Telnyx's own words: its numbers are not judged yet."""
    numbers = numbers_of(stage, 3)
    stage.telnyx.job_seconds = 600
    unknown = stage.telnyx.faults.add(method="GET", path=JOBS, kind="status", status=404, times=3)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.telnyx.wait_for(lambda: unknown.times == 0)

    stage.telnyx.advance(600)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert stage.failures() == []


async def test_a_lost_job_that_changed_some_is_told_number_by_number(stage: Stage) -> None:
    """Those that have it are verified, the others differ, with what they have and why nobody knew."""
    numbers = numbers_of(stage, 4)
    stage.telnyx.misbehave(None, "silently_dropped", field=REFERENCE, numbers=numbers[:1])
    stage.telnyx.faults.add(method="GET", path=JOBS, kind="status", status=404, times=None)

    change = await stage.run(numbers)

    assert [row["outcome"] for row in stage.results(change)] == ["differs", "verified", "verified", "verified"]
    row = stage.results(change)[0]
    assert row["reason_code"] == "linesman.not_reported"
    assert row["reason"].startswith(
        "Customer reference is (empty) instead of Denver. The job, last seen as “not found”"
    )
    card = stage.read(stage.card(change))
    assert "3 verified · 1 differs · 0 failed" in card
    assert "1 number differs from what was approved." in stage.failures()[0]
    assert "reports success" not in stage.failures()[0]


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_gateways_page_says_nothing_about_a_job(
    idle: Stage, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """However often a page comes in the place of an answer, the job is asked about again, and ends as it is."""
    monkeypatch.setattr(wiring, "build_providers", partial(wiring.build_providers, patience=0.05))
    numbers = numbers_of(idle, 3)
    await idle.start()
    fault = idle.telnyx.faults.add(method="GET", path=JOBS, kind="gateway", status=status, times=30)

    change = await idle.run(numbers)

    assert fault.times == 0
    assert idle.outcomes(change) == {"verified": 3}
    assert idle.failures() == []


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_gateways_page_is_no_refusal_of_a_job(stage: Stage, status: int) -> None:
    """The job was made and a page came back: it is looked for and found, and neither refused nor made twice."""
    numbers = numbers_of(stage, 3)
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="gateway", status=status, effect_first=True)

    change = await stage.run(numbers)

    assert len(stage.created()) == 1
    assert stage.outcomes(change) == {"verified": 3}
    assert "no response to the job creation" in await stage.command(f"status CHG-{change}")
    stage.assert_nothing_doubled()


@pytest.mark.parametrize(("kind", "status"), [("gateway", 403), ("gateway", 404), ("hollow", 404)])
async def test_a_gateways_page_is_no_list_of_jobs(
    idle: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, status: int
) -> None:
    """While pages come in the place of the list, a lost job is neither absent nor anybody's to decide on."""
    monkeypatch.setattr(wiring, "build_providers", partial(wiring.build_providers, patience=0.05))
    numbers = numbers_of(idle, 3)
    await idle.start()
    idle.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after")
    pages = idle.telnyx.faults.add(method="GET", path="/phone_numbers/jobs", kind=kind, status=status, times=6)  # type: ignore[arg-type]

    change = await idle.run(numbers)

    assert pages.times == 0
    assert len(idle.created()) == 1
    assert idle.outcomes(change) == {"verified": 3}
    assert idle.failures() == []


@pytest.mark.parametrize("kind", ["gateway", "hollow"])
async def test_pages_and_empty_documents_are_no_numbers(
    idle: Stage, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Neither the look before the start nor the read-back takes them for a number that is gone or has nothing set."""
    monkeypatch.setattr(wiring, "build_providers", partial(wiring.build_providers, patience=0.05))
    numbers = numbers_of(idle, 3)
    await idle.start()
    change = await idle.ask(numbers)
    before = idle.telnyx.faults.add(method="GET", path="/phone_numbers/[0-9]*", kind=kind, status=404, times=4)  # type: ignore[arg-type]
    await idle.approve(change)
    await idle.slack.wait_for(lambda: before.times == 0, what="the look at the numbers")
    await idle.telnyx.wait_for(lambda: idle.telnyx.jobs)
    after = idle.telnyx.faults.add(method="GET", path="/phone_numbers/[0-9]*", kind=kind, status=404, times=4)  # type: ignore[arg-type]
    await idle.ended(change)

    assert after.times == 0
    assert idle.outcomes(change) == {"verified": 3}
    assert idle.failures() == []


@pytest.mark.parametrize("how", ["completed_empty", "never_ends", "number_in_two_lists", "not_found_later"])
async def test_numbers_that_have_it_are_verified_whatever_the_job_says(stage: Stage, how: str) -> None:
    """Three empty lists, a job without an end, a contradiction, a job that is gone: the read-back decides."""
    numbers = numbers_of(stage, 3)
    stage.telnyx.misbehave(None, how)

    change = await stage.run(numbers)

    assert stage.outcomes(change) == {"verified": 3}
    assert "✅ Succeeded" in stage.read(stage.card(change))
    assert stage.failures() == []


@pytest.mark.parametrize("how", ["expired", "failed_empty", "completed_missing"])
async def test_numbers_that_do_not_have_it_differ_and_say_why_nobody_knew(stage: Stage, how: str) -> None:
    """Nothing is called failed that the job does not call so."""
    numbers = numbers_of(stage, 6)
    stage.telnyx.misbehave(None, how)

    change = await stage.run(numbers)

    outcomes = stage.outcomes(change)
    assert set(outcomes) <= {"verified", "differs"}
    for row in stage.results(change):
        changed = stage.telnyx.number(row["number"]).customer_reference == "Denver"
        assert row["outcome"] == ("verified" if changed else "differs")
        assert row["reason_code"] == ("" if changed else "linesman.not_reported")
    assert "retry_failed" in stage.buttons(stage.card(change))


async def test_a_read_back_that_cannot_end_is_ended_by_an_operator(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While reads fail the card says what it waits for; an operator ends it, and the numbers are free."""
    monkeypatch.setattr(wiring, "build_providers", partial(wiring.build_providers, patience=0.05))
    numbers = numbers_of(idle, 3)
    await idle.start(LINESMAN_POLL_MIN="2", LINESMAN_POLL_MAX="20")
    change = await idle.ask(numbers)
    await idle.approve(change)
    await idle.telnyx.wait_for(lambda: idle.telnyx.jobs)
    idle.telnyx.faults.add(method="GET", path="/phone_numbers/[0-9]*", kind="status", status=503, times=None)
    await idle.slack.wait_for(
        lambda: "Waiting for the read-back" in idle.read(idle.card(change)), what="the card to say what it waits for"
    )
    assert "Telnyx gives no usable answer right now" in idle.read(idle.card(change))
    await idle.slack.wait_for(idle.failures, what="the question")
    question = idle.slack.messages(FAILURES)[0]
    assert "3 numbers of 3 not read back yet" in idle.read(question)

    refused = await idle.answered(idle.sam, idle.sam.click("end_read_back", message=question))
    said = await idle.answered(idle.otto, idle.otto.click("end_read_back", message=question))
    await idle.ended(change)

    assert "operator" in refused
    assert "The read-back of CHG-1 has ended: 3 numbers count as not verified." in said
    assert idle.outcomes(change) == {"unverified": 3}
    for row in idle.results(change):
        assert row["reason_code"] == "linesman.not_read_back"
        assert row["reason"].startswith("An operator ended the read-back; check the number before you rely on it.")
    card = idle.read(idle.card(change))
    assert "⚠️ Ended, not verified" in card
    assert "Waiting for the read-back" not in card
    assert "No numbers are locked" in await idle.command("locks")
    assert "Read-back ended by an operator, 3 numbers not verified · @Otto" in await idle.command(
        f"status CHG-{change}"
    )
    assert idle.buttons(idle.slack.messages(FAILURES)[0]) == []
    idle.assert_nothing_doubled()


async def test_a_read_back_that_an_operator_ended_stays_ended(idle: Stage) -> None:
    """A read that was under way meanwhile changes nothing of it: no outcome, and no second ending."""
    numbers = numbers_of(idle, 3)
    await idle.start()
    change = await idle.ask(numbers)
    await idle.approve(change)
    await idle.telnyx.wait_for(lambda: idle.telnyx.jobs)
    held = idle.telnyx.faults.add(method="GET", path="/phone_numbers/[0-9]*", kind="delay", seconds=1.5, times=3)
    await card_says(idle, change, "Verifying")
    await idle.telnyx.wait_for(lambda: held.times == 0)

    asked = await idle.command(f"settle CHG-{change}", by=idle.otto)
    question = idle.slack.ephemerals("U0OTTO")[-1]
    await idle.answered(idle.otto, idle.otto.click("end_read_back", message=question))
    await idle.ended(change)
    seen = idle.file(change)
    await idle.telnyx.wait_for(lambda: all(call.status is not None for call in idle.telnyx.calls))
    await idle.quiet()

    assert "3 numbers of 3 not read back yet" in asked
    assert idle.outcomes(change) == {"unverified": 3}
    assert idle.file(change) == seen
    idle.assert_nothing_doubled()


@pytest.mark.parametrize("status", [400, 404])
async def test_an_update_that_arrives_late_is_no_failure_although_its_repetition_is_refused(
    both: Stage, close: CloseStandIn, team: Fixtures, status: int
) -> None:
    """The first got no answer, the number read as before, the second was refused; the read-back sees the value."""
    number = team.shared[0]
    close.faults.add(method="PUT", kind="status", status=502)
    close.faults.add(method="PUT", kind="status", status=status, effect_first=True)  # as the first one arrives

    change = await both.run([number.number], {"label": "Night desk"}, command="close")

    assert both.outcomes(change) == {"verified": 1}
    assert "✅ Succeeded" in both.read(both.card(change))
    assert both.failures() == []


@pytest.mark.parametrize("status", [400, 404])
async def test_an_update_that_never_arrives_differs_when_its_repetition_is_refused(
    both: Stage, close: CloseStandIn, team: Fixtures, status: int
) -> None:
    """It is told as what it has, with why nobody knew, and with Close's reason."""
    number = team.shared[0]
    close.faults.add(method="PUT", kind="status", status=502)
    close.faults.add(method="PUT", kind="status", status=status)

    change = await both.run([number.number], {"label": "Night desk"}, command="close")

    assert both.outcomes(change) == {"differs": 1}
    assert both.results(change)[0]["reason_code"] == "linesman.unclear_response"
    assert "The answer to its update was lost." in both.results(change)[0]["reason"]
