"""Bad days at the carrier: no answer, a late one, a wrong one; jobs that end strangely."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from bot import wiring
from tests.integration.scenarios.stage import FAILURES, OPS, Clock, Stage
from tests.integration.scenarios.steps import card_says, edit

JOBS = "/phone_numbers/jobs/*"

EFFECTIVE: list[dict[str, Any]] = [
    {"kind": "delay", "seconds": 0.8},
    {"kind": "drop_after"},
    {"kind": "status", "status": 500, "effect_first": True},
]
INEFFECTIVE: list[dict[str, Any]] = [
    {"kind": "drop_before"},
    {"kind": "status", "status": 503},
]


def named(fault: dict[str, Any]) -> str:
    """Return a fault's name in the list of tests."""
    return "-".join(str(value) for value in fault.values())


@pytest.mark.parametrize("fault", EFFECTIVE, ids=named)
async def test_a_job_whose_creation_was_not_answered_is_adopted(idle: Stage, fault: dict[str, Any]) -> None:
    """When the job was made and the answer got lost, the job is found and watched; there is no second one."""
    numbers = [number.phone_number for number in idle.telnyx.add_numbers(3, start="+13035550000")]
    await idle.start(LINESMAN_PROVIDER_TIMEOUT="0.4")
    idle.telnyx.faults.add(method="POST", path=JOBS, **fault)

    change = await idle.run(numbers)

    assert len(idle.telnyx.jobs) == 1
    assert len(idle.created()) == 1
    assert idle.outcomes(change) == {"verified": 3}
    assert "Batch 1: matched to job" in await idle.command(f"status CHG-{change}")
    idle.assert_nothing_doubled()


@pytest.mark.parametrize("fault", INEFFECTIVE, ids=named)
async def test_a_job_that_was_surely_not_made_is_sent_again(idle: Stage, fault: dict[str, Any]) -> None:
    """When no job is found after the settling time, the batch is sent again, exactly once more."""
    stage = idle
    stage.clock = Clock(rate=1)
    await stage.start()
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.faults.add(method="POST", path=JOBS, **fault)

    change = await stage.run(numbers)

    first, second = stage.created()
    assert (second.at - first.at).total_seconds() >= 0.2
    assert len(stage.telnyx.jobs) == 1
    assert stage.outcomes(change) == {"verified": 3}
    assert "Batch 1: the provider has no job for it" in await stage.command(f"status CHG-{change}")
    stage.assert_nothing_doubled()


async def test_while_a_job_is_looked_for_the_card_says_so(idle: Stage) -> None:
    """A batch without an answer is shown as such, and searched for through failures of the search itself."""
    number = idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_RECONCILE_SECONDS="3600")
    idle.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after")
    lost = idle.telnyx.faults.add(method="GET", path="/phone_numbers/jobs", kind="malformed", times=None)
    change = await idle.ask(number.phone_number)
    await idle.approve(change)

    said = "1 with no response yet; checking with Telnyx"
    await card_says(idle, change, said)
    assert idle.outcomes_so_far(change) == "0 succeeded · 0 failed · 1 pending"
    lost.times = 0
    await idle.ended(change)

    assert len(idle.created()) == 1
    assert idle.outcomes(change) == {"verified": 1}


async def test_the_job_of_an_earlier_change_is_not_adopted(stage: Stage) -> None:
    """The same change a second time is a job of its own, even when its creation was not answered."""
    number = stage.telnyx.add_number("+13035550000")
    first = await stage.run([number.phone_number])
    number.customer_reference = None
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_before")

    second = await stage.run([number.phone_number])

    assert number.customer_reference == "Denver"
    assert len(stage.telnyx.jobs) == 2
    jobs = {row["job"] for change in (first, second) for row in stage.results(change)}
    assert len(jobs) == 2


async def test_slowing_down_is_done_and_no_failure(stage: Stage) -> None:
    """A 429 to the creation of a job means waiting as long as it says, and sending it once."""
    number = stage.telnyx.add_number("+13035550000")
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="rate_limited", retry_after=3)

    change = await stage.run([number.phone_number])

    first, second = stage.created()
    # Three seconds of the bot's, whose clock runs ten times as fast as that of the stand-in.
    assert (second.at - first.at).total_seconds() >= 0.3
    assert len(stage.telnyx.jobs) == 1
    assert stage.outcomes(change) == {"verified": 1}
    assert stage.failures() == []


@pytest.mark.parametrize("status", [429, 503])
async def test_a_hiccup_while_planning_is_not_noticed(stage: Stage, status: int) -> None:
    """Reading is tried again by itself."""
    stage.telnyx.add_number("+13035550000")
    stage.telnyx.faults.add(path="/phone_numbers*", kind="status", status=status, retry_after=0.1)

    assert "Request approval" in stage.read(await stage.propose("+13035550000"))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"kind": "status", "status": 503}, "Telnyx gives no usable answer right now, nothing was changed"),
        ({"kind": "malformed"}, "Telnyx gives no usable answer right now, nothing was changed"),
        ({"kind": "rate_limited", "retry_after": 600}, "Telnyx asks to wait 600 s"),
        ({"kind": "status", "status": 401}, "The operators are told in the failure channel."),
        ({"kind": "status", "status": 403}, "Telnyx does not allow this for the API key"),
    ],
    ids=["503", "nonsense", "429", "401", "403"],
)
async def test_why_there_is_no_plan_is_told_in_the_modal(
    idle: Stage, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], says: str
) -> None:
    """When the carrier cannot be read, the modal says why, nothing typed is lost, and later it works."""
    # Reads are tried for two minutes, which is no variable; a test has less patience.
    monkeypatch.setattr(wiring, "build_providers", partial(wiring.build_providers, patience=0.3))
    idle.telnyx.add_number("+13035550000")
    await idle.start()
    idle.telnyx.faults.add(times=None, **fault)

    shown = idle.read(await idle.propose("+13035550000", reason="Because"))
    assert says in shown
    assert "Request approval" not in shown
    view = await edit(idle)

    assert view.form.slot("numbers:0").value == "+13035550000"
    assert view.form.slot("reason").value == "Because"
    assert idle.created() == []


async def test_a_key_that_is_not_accepted_is_told_to_those_who_can_mend_it(stage: Stage) -> None:
    """The failure channel reads once in an hour which variable to set; requesters read that operators know."""
    stage.telnyx.add_number("+13035550000")
    stage.telnyx.faults.add(kind="status", status=401, times=None)
    for _ in range(2):
        shown = stage.read(await stage.propose("+13035550000", reason="Because"))
        assert "Telnyx does not accept Linesman's API key. The operators are told in the failure channel." in shown
        assert "TELNYX_API_KEY" not in shown
    await stage.slack.wait_for(stage.failures, what="the notice")
    stage.clock.advance(3600)
    await stage.propose("+13035550000", reason="Because")
    await stage.slack.wait_for(lambda: len(stage.failures()) == 2, what="the notice of the next hour")
    stage.clock.advance(-7200)  # a clock that is put back silences nobody
    await stage.propose("+13035550000", reason="Because")
    await stage.slack.wait_for(lambda: len(stage.failures()) == 3, what="the notice after the clock was put back")

    for said in stage.failures():
        assert "Telnyx does not accept the API key; set TELNYX_API_KEY to a valid one." in said
        assert "@Ana" not in said
    stage.telnyx.faults.clear()
    assert "Request approval" in stage.read(await stage.propose("+13035550000"))


async def looked_up(stage: Stage) -> str:
    """Return what ``/numbers find`` says."""
    return await stage.command("find +13035550000")


async def searched(stage: Stage) -> str:
    """Return what a menu of the form offers; whoever chooses it has chosen nothing."""
    await stage.open("update +13035550000")
    await stage.choose(["connection_id"])
    [entry] = await stage.ana.suggest("value:connection_id", "den")
    await stage.ana.choose("value:connection_id", entry["text"]["text"])
    await stage.ana.type("reason", "Because")
    assert list(await stage.refused()) == ["value:connection_id"]
    return str(entry["text"]["text"])


async def asked_for_values(stage: Stage) -> str:
    """Return what comes instead of a sheet of today's values."""
    await stage.ana.command("/numbers", "values update +13035550000", channel=OPS)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    await stage.send()
    place = stage.slack.direct_message(stage.ana.id)
    await stage.slack.wait_for(lambda: stage.slack.messages(place), what="an answer")
    return stage.read(stage.slack.messages(place)[-1])


async def sent(stage: Stage) -> str:
    """Return what the thread says when the key ended between the plan and the job."""
    stage.telnyx.faults.clear()
    change = await stage.ask("+13035550000")
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="status", status=401)
    await stage.approve(change)
    await stage.ended(change)
    return "\n".join(stage.thread(change))


@pytest.mark.parametrize("door", [looked_up, searched, asked_for_values, sent])
async def test_wherever_a_refused_key_is_met_operators_hear_of_it(
    stage: Stage, door: Callable[[Stage], Awaitable[str]]
) -> None:
    """Whoever met it reads what it is and that it is not theirs to mend; which variable to set operators read."""
    stage.telnyx.add_number("+13035550000")
    stage.telnyx.faults.add(kind="status", status=401, times=None)

    shown = await door(stage)

    assert re.search("Telnyx (does not accept|rejects) Linesman's", shown)  # a menu has room for 75 characters
    assert re.search("perators (are|have been) told", shown)
    assert "TELNYX_API_KEY" not in shown
    set_it = "Telnyx does not accept the API key; set TELNYX_API_KEY to a valid one."
    await stage.slack.wait_for(lambda: any(set_it in said for said in stage.failures()), what="the notice")


async def test_the_notice_of_a_refused_key_is_not_lost_when_slack_takes_none(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is posted again until Slack has taken it."""
    monkeypatch.setattr("bot.workflow.alerts.RETRY", 0.1)
    stage.slack.faults.add(method="chat.postMessage", kind="error", error="internal_error", times=2)
    stage.telnyx.faults.add(kind="status", status=401, times=None)

    await looked_up(stage)

    await stage.slack.wait_for(stage.failures, what="the notice")


@pytest.mark.parametrize(
    ("how", "outcomes", "says"),
    [
        ("failed_empty", {"differs": 10}, "The job, last seen as “failed”, does not give an outcome for this number"),
        (
            "completed_missing",
            {"verified": 9, "differs": 1},
            "The job, last seen as “completed”, does not give an outcome for this number",
        ),
        (
            "expired",
            {"verified": 5, "differs": 5},
            "The job, last seen as “expired”, does not give an outcome for this number",
        ),
        ("number_in_two_lists", {"verified": 10}, ""),
        ("unknown_status", {"verified": 10}, ""),
    ],
)
async def test_however_a_job_ends_every_number_is_accounted_for(
    stage: Stage, how: str, outcomes: dict[str, int], says: str
) -> None:
    """Each number has one outcome; one that has not what was sent has a reason and is told to the failure channel."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(10, start="+13035550000")]
    stage.telnyx.misbehave(None, how)

    change = await stage.run(numbers)

    assert stage.outcomes(change) == outcomes
    assert [row["number"] for row in stage.results(change)] == numbers
    for row in stage.results(change):
        assert (says in row["reason"]) if row["outcome"] == "differs" else row["reason"] == ""
    assert len(stage.slack.messages(FAILURES)) == (1 if outcomes.get("differs") else 0)


@pytest.mark.parametrize("how", ["source_as_string", "ids_as_integers"])
async def test_the_carriers_reason_is_read_in_whatever_form_it_comes(stage: Stage, how: str) -> None:
    """An error's source may be an object or a text, and ids may be integers; reason, code and pointer come through."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(4, start="+13035550000")]
    stage.telnyx.fail(numbers[2], code="10017", detail="No such connection.", pointer="/connection_id")
    stage.telnyx.misbehave(None, how)

    change = await stage.run(numbers)

    assert stage.outcomes(change) == {"verified": 3, "failed": 1}
    (row,) = [row for row in stage.results(change) if row["outcome"] == "failed"]
    assert (row["number"], row["reason_code"], row["pointer"]) == (numbers[2], "10017", "/connection_id")
    assert "No such connection." in row["reason"]


async def test_a_job_whose_word_nobody_knows_waits_for_an_operator_not_for_ever(stage: Stage) -> None:
    """With an unknown status and numbers still pending, operators hear of it, and may give up."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(4, start="+13035550000")]
    for how in ("unknown_status", "stuck_pending"):
        stage.telnyx.misbehave(None, how)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.telnyx.wait_for(
        lambda: any(call.method == "GET" and "/jobs/" in call.path for call in stage.telnyx.calls)
    )
    stage.clock.advance(900)
    await stage.slack.wait_for(stage.failures, what="the question")

    assert "it says “suspended”" in stage.failures()[0]
    question = stage.slack.messages(FAILURES)[0]
    await stage.answered(stage.otto, stage.otto.click("give_up", message=question))
    await stage.ended(change)
    assert {row["reason_code"] for row in stage.results(change)} == {"linesman.given_up"}
    assert "was last “suspended”" in stage.results(change)[0]["reason"]


async def test_a_job_that_is_gone_leaves_no_number_without_an_outcome(idle: Stage) -> None:
    """A job that the carrier denies later is asked for a while; then its numbers are read, and have been changed."""
    numbers = [number.phone_number for number in idle.telnyx.add_numbers(4, start="+13035550000")]
    idle.telnyx.misbehave(None, "not_found_later")
    idle.telnyx.job_seconds = 0.0
    await idle.start()

    change = await idle.run(numbers)

    assert idle.outcomes(change) == {"verified": 4}
    assert "✅ Succeeded" in idle.read(idle.card(change))
    assert idle.failures() == []


async def leaves_while_being_sent(stage: Stage, number: str, jobs: int = 1) -> None:
    """Take ``number`` out of the account after the check just before the start, while the job is being created."""
    await stage.telnyx.wait_for(
        lambda: sum(call.method == "POST" and "/jobs/" in call.path for call in stage.telnyx.calls) >= jobs
    )
    stage.telnyx.remove_number(number)


async def test_a_refused_batch_fails_with_the_carriers_reason(stage: Stage) -> None:
    """When a number left the account meanwhile, the carrier refuses the whole call; each of its numbers says so."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    change = await stage.ask(numbers)
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="delay", seconds=0.4, effect_first=False)

    await stage.approve(change)
    await leaves_while_being_sent(stage, numbers[1])
    await stage.ended(change)

    assert stage.outcomes(change) == {"failed": 3}
    for row in stage.results(change):
        assert "You must own every number in the bulk request" in row["reason"]
        assert "start a new change" in row["reason"]
        assert (row["reason_code"], row["pointer"], row["job"]) == ("10015", "/phone_numbers", "")
    assert len(stage.created()) == 1
    assert "Failed" in stage.read(stage.card(change))
    assert "3 of 3 numbers failed" in stage.failures()[0]


async def test_one_refused_batch_does_not_stop_the_others(stage: Stage) -> None:
    """Batches are independent: what one is refused for does not touch the numbers of another."""
    for index in range(2):
        forwarding: dict[str, object] = {
            "call_forwarding": {"forwards_to": f"+1720555000{index}", "forwarding_type": "always"}
        }
        stage.telnyx.add_number(f"+1303555000{index}", voice=forwarding)
    wanted = {"voice.call_forwarding.forwarding_type": "on-failure"}
    change = await stage.ask(["+13035550000", "+13035550001"], wanted)
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="delay", seconds=0.4, effect_first=False, times=2)

    await stage.approve(change)
    await leaves_while_being_sent(stage, "+13035550001", jobs=2)
    await stage.ended(change)

    assert {row["number"]: row["outcome"] for row in stage.results(change)} == {
        "+13035550000": "verified",
        "+13035550001": "failed",
    }
    assert "Partly failed" in stage.read(stage.card(change))


async def test_trouble_while_watching_only_delays(stage: Stage) -> None:
    """Polls that fail are made again; the outcome is the same and nothing is told twice."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.faults.add(method="GET", path=JOBS, kind="status", status=503, times=2)
    stage.telnyx.faults.add(method="GET", path=JOBS, kind="malformed", times=1)
    stage.telnyx.faults.add(method="GET", path=JOBS, kind="drop_before", times=1)

    change = await stage.run(numbers)

    assert stage.outcomes(change) == {"verified": 3}
    stage.assert_nothing_doubled()


async def test_a_jump_of_the_clock_begins_nothing_a_second_time(stage: Stage) -> None:
    """When claims look run out although their work is under way, as after a suspended machine, it is done once."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="delay", seconds=0.6, effect_first=False)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.telnyx.wait_for(stage.created)

    stage.clock.advance(600)
    await stage.ended(change)

    assert len(stage.created()) == 1
    assert "no response to the job creation" not in await stage.command(f"status CHG-{change}")
    assert stage.outcomes(change) == {"verified": 3}
    stage.assert_nothing_doubled()
