"""Submissions of which nobody can say what became: the change stops, and an operator decides."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from bot.sandbox.slack import Message, SlackUser
from tests.integration.scenarios.stage import FAILURES, Stage
from tests.integration.scenarios.steps import ask_for_three_jobs, card_says

JOBS = "/phone_numbers/jobs/*"
LIST = "/phone_numbers/jobs"


def notice(stage: Stage) -> Message:
    """Return the newest question in the failure channel."""
    return [each for each in stage.slack.messages(FAILURES) if "needs an operator" in stage.read(each)][-1]


async def asked(stage: Stage) -> Message:
    """Wait for the question in the failure channel and return it."""
    await stage.slack.wait_for(
        lambda: any("needs an operator" in text for text in stage.failures()), what="a question to operators"
    )
    return notice(stage)


async def unreadable(stage: Stage, *, made: bool, numbers: int = 3) -> int:
    """Take a change to where its creation got no answer and the job list cannot be read; return its number."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(numbers, start="+13035550000")]
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after" if made else "drop_before")
    stage.telnyx.faults.add(method="GET", path=LIST, kind="status", status=403, times=None)
    change = await stage.ask(given)
    await stage.approve(change)
    await asked(stage)
    return change


async def copy_of_the_request(stage: Stage) -> str:
    """Make the same job once more, as somebody in the portal would, and return its id."""
    original = stage.telnyx.jobs[0]
    headers = {"Authorization": f"Bearer {stage.telnyx.api_key}"}
    url = f"{stage.telnyx.url}/phone_numbers/jobs/{original.type}"
    async with aiohttp.ClientSession() as http, http.post(url, json=original.body, headers=headers) as answer:
        return str((await answer.json())["data"]["id"])


async def press(stage: Stage, action: str, *, by: SlackUser | None = None, message: Message | None = None) -> str:
    """Press a button of the question and return what only that person is told."""
    by = by or stage.otto
    return await stage.answered(by, by.click(action, message=message or notice(stage)))


async def test_the_change_stops_and_says_what_is_known(stage: Stage) -> None:
    """The card and the failure channel say what is known and what to do; operators are mentioned, nothing is sent."""
    await unreadable(stage, made=True)

    question = stage.read(notice(stage))
    card = stage.read(stage.card(1))

    assert "CHG-1, requested by @Ana, needs an operator (@Otto): 1 batch of 1." in question
    assert "The provider's list of jobs cannot be read: Telnyx does not allow this for the API key" in question
    assert stage.buttons(notice(stage)) == ["adopt_other", "send_again", "give_up"]
    assert "Needs an operator: nobody knows whether 1 batch became a job" in card
    assert "/numbers resolve CHG-1" in card
    assert len(stage.created()) == 1


async def test_the_other_jobs_of_the_change_wait_for_the_answer(idle: Stage) -> None:
    """While one job is undecidable no further one of the change is created; afterwards the rest follows."""
    stage = idle
    await stage.start(LINESMAN_RECONCILE_SECONDS="20")  # all go out before anybody is asked about the first
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_before")
    stage.telnyx.faults.add(method="GET", path=LIST, kind="status", status=403, times=None)
    change = await ask_for_three_jobs(stage)
    await stage.approve(change)
    await asked(stage)
    stage.telnyx.advance(60)
    stage.telnyx.end_other_jobs()
    before = len(stage.created())
    stage.clock.advance(60)
    done = "1 of 3 done, 1 waiting"
    await card_says(stage, change, done)
    assert len(stage.created()) == before
    stage.telnyx.job_seconds = 0.02

    await press(stage, "give_up")
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 2, "differs": 1}
    stage.assert_nothing_doubled()


async def test_an_operator_adopts_the_job_by_its_id(stage: Stage) -> None:
    """The job that the operator found is compared with the batch and then watched like any other."""
    change = await unreadable(stage, made=True)
    job = stage.telnyx.jobs[0]

    await stage.otto.click("adopt_other", message=notice(stage))
    await stage.otto.wait_for_view(lambda view: view.callback_id == "adoption")
    await stage.otto.type("job", job.id)
    await stage.send(by=stage.otto)
    await stage.ended(change)

    assert f"Job {job.id} is now watched for batch 1 of CHG-1" in stage.modal(stage.otto)
    assert stage.outcomes(change) == {"verified": 3}
    assert len(stage.created()) == 1
    history = await stage.command(f"status CHG-{change}")
    assert "Batch 1: matched to job" in history
    assert "· @Otto" in history
    stage.assert_nothing_doubled()


@pytest.mark.parametrize(
    ("which", "says"),
    [
        ("other numbers", "does not match this batch: its type, numbers or values differ"),
        ("other values", "does not match this batch: its type, numbers or values differ"),
        ("another type", "does not match this batch: its type, numbers or values differ"),
        ("an earlier change's", "already belongs to batch 1 of CHG-1"),
        ("nobody's", "Telnyx has no job 0000"),
    ],
)
async def test_a_job_that_is_not_the_batchs_is_not_adopted(stage: Stage, which: str, says: str) -> None:
    """Type, numbers and values are compared at the carrier, and no job is adopted twice; the question stays."""
    first = await stage.run([number.phone_number for number in stage.telnyx.add_numbers(3, start="+17205550000")])
    earlier = stage.telnyx.jobs[0].id
    change = await unreadable(stage, made=False)
    numbers = [f"+1303555000{index}" for index in range(3)]
    body: dict[str, object] = {"phone_numbers": numbers, "customer_reference": "Denver"}
    path = "update_phone_numbers"
    match which:
        case "other numbers":
            body["phone_numbers"] = numbers[:2]
        case "other values":
            body["customer_reference"] = "Boulder"
        case "another type":
            path, body = "update_emergency_settings", {"phone_numbers": numbers, "emergency_enabled": False}
    headers = {"Authorization": f"Bearer {stage.telnyx.api_key}"}
    url = f"{stage.telnyx.url}/phone_numbers/jobs/{path}"
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
        made = str((await answer.json())["data"]["id"])
    job = {"an earlier change's": earlier, "nobody's": "0000"}.get(which, made)

    await stage.otto.click("adopt_other", message=notice(stage))
    await stage.otto.wait_for_view(lambda view: view.callback_id == "adoption")
    await stage.otto.type("job", job)
    await stage.send(by=stage.otto)
    assert says in stage.modal(stage.otto)

    assert "Needs an operator" in stage.read(stage.card(change))
    assert {row["job"] for row in stage.results(first)} == {earlier}


async def two_jobs(stage: Stage) -> tuple[int, str]:
    """Take a change to where either of two jobs may be its own; return its number and the other job's id."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.job_seconds = 60
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after")
    hidden = stage.telnyx.faults.add(method="GET", path=LIST, kind="status", status=503, times=None)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.slack.wait_for(lambda: stage.telnyx.jobs, what="the job")
    twin = await copy_of_the_request(stage)
    hidden.times = 0
    await asked(stage)
    return change, twin


async def test_of_two_jobs_that_may_be_it_the_operator_picks_one(stage: Stage) -> None:
    """When somebody made the very same job meanwhile, both are offered, and one is adopted."""
    change, twin = await two_jobs(stage)

    assert "The provider lists 2 jobs for exactly these numbers" in stage.read(notice(stage))
    assert stage.buttons(notice(stage)) == ["adopt:0", "adopt:1", "adopt_other", "send_again", "give_up"]
    said = await press(stage, "adopt:1")
    stage.telnyx.advance(60)
    await stage.ended(change)

    chosen = {row["job"] for row in stage.results(change)}
    assert len(chosen) == 1
    assert chosen < {twin, stage.telnyx.jobs[0].id}
    assert chosen.pop() in said
    assert stage.outcomes(change) == {"verified": 3}


async def test_a_provider_that_hangs_does_not_keep_the_operator_waiting(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They read that nothing was adopted, and the same button works once the provider answers."""
    change, _ = await two_jobs(stage)
    monkeypatch.setattr("bot.workflow.control.resolution.RECOGNISED_WITHIN", 0.2)
    stage.telnyx.faults.add(method="GET", path=f"{LIST}/*", kind="delay", seconds=3)

    assert "not responding right now, so nothing was adopted. Try again" in await press(stage, "adopt:0")

    monkeypatch.undo()
    assert "is now watched" in await press(stage, "adopt:0")
    stage.telnyx.advance(60)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3}


async def test_a_job_that_does_not_tell_its_numbers_is_adopted_on_the_operators_word_only(stage: Stage) -> None:
    """Such a job may be the batch's, so nothing is sent again, and the operator is told on whose word it counts."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.misbehave(None, "numbers_untold")
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after")
    change = await stage.ask(numbers)
    await stage.approve(change)
    await asked(stage)

    assert "creation time do not prove it" in stage.read(notice(stage))
    assert "this relies on your word" in await press(stage, "adopt:0")
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert len(stage.created()) == 1


async def test_an_operator_who_saw_that_there_is_no_job_sends_again(stage: Stage) -> None:
    """On the operator's word the batch goes out once more, once."""
    change = await unreadable(stage, made=False)

    assert "Batch 1 of CHG-1 is being sent again" in await press(stage, "send_again")
    await stage.ended(change)

    assert len(stage.created()) == 2
    assert len(stage.telnyx.jobs) == 1
    assert stage.outcomes(change) == {"verified": 3}
    assert "Batch 1: an operator has it sent again · @Otto" in await stage.command(f"status CHG-{change}")
    stage.assert_nothing_doubled()


async def test_an_operator_gives_up_and_every_number_says_what_that_means(stage: Stage) -> None:
    """The numbers are read back and told as what they have; the locks go with the change."""
    change = await unreadable(stage, made=True)

    assert "Batch 1 of CHG-1 is given up" in await press(stage, "give_up")
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert not any("at Telnyx" in line for line in stage.thread(change))
    assert "No numbers are locked" in await stage.command("locks")
    assert "Batch 1: an operator gave up on it · @Otto" in await stage.command(f"status CHG-{change}")
    assert stage.buttons(stage.slack.messages(FAILURES)[0]) == []


async def test_only_operators_answer(stage: Stage) -> None:
    """Requester, approver and stranger are refused at the click, which is written down; nothing moves."""
    change = await unreadable(stage, made=True)

    for person in (stage.ana, stage.max, stage.sam):
        for action in ("send_again", "give_up"):
            assert "may not" in await press(stage, action, by=person)
        assert "may not" in await stage.command(f"settle CHG-{change}", by=person)

    assert len(stage.created()) == 1
    assert "Needs an operator" in stage.read(stage.card(change))
    assert "Click refused" in await stage.command(f"status CHG-{change}")


async def test_the_command_offers_the_same_answers(stage: Stage) -> None:
    """``/numbers resolve`` shows the questions to an operator who missed the notice."""
    change = await unreadable(stage, made=False)

    assert "needs an operator" in await stage.command(f"settle CHG-{change}", by=stage.otto)
    await press(stage, "send_again", message=stage.slack.ephemerals("U0OTTO")[-1])
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert "no longer needs an operator" in await stage.command(f"settle CHG-{change}", by=stage.otto)
    assert "Name the change" in await stage.command("settle", by=stage.otto)


async def test_a_double_click_and_a_redelivery_send_once(stage: Stage) -> None:
    """However often the answer arrives, it counts once and everybody is answered; an old button moves nothing."""
    change = await unreadable(stage, made=False)
    old = notice(stage).snapshot()

    clicks = await stage.otto.double_click("send_again", message=old)
    for click in clicks:
        await stage.slack.redeliver(click)
    await stage.ended(change)
    await stage.slack.wait_for(lambda: len(stage.slack.ephemerals("U0OTTO")) >= 4, what="four answers")
    late = await press(stage, "give_up", message=old)

    said = [stage.read(each) for each in stage.slack.ephemerals("U0OTTO")]
    assert sum("is being sent again" in text for text in said) == 1
    assert "no longer needs a decision" in late
    assert len(stage.created()) == 2
    assert stage.outcomes(change) == {"verified": 3}
    stage.assert_nothing_doubled()


async def test_two_operators_in_the_same_instant_have_one_effect(idle: Stage) -> None:
    """Of "send again" and "give up" at once one counts; the other operator hears that no answer is needed."""
    await idle.start(LINESMAN_OPERATORS="U0OTTO,U0SAM")
    change = await unreadable(idle, made=False)
    question = notice(idle)

    said = await asyncio.gather(
        press(idle, "send_again", message=question), press(idle, "give_up", by=idle.sam, message=question)
    )
    await idle.ended(change)

    assert sum("no longer needs a decision" in text for text in said) == 1
    carried_out = len(idle.created()) == 2
    assert idle.outcomes(change) == ({"verified": 3} if carried_out else {"differs": 3})


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_the_question_outlives_a_restart(stage: Stage, end: str) -> None:
    """A button of before works in the next process, and the question is not asked anew because of it."""
    change = await unreadable(stage, made=False)

    await (stage.crash() if end == "crash" else stage.stop())
    await stage.start()
    await press(stage, "send_again")
    await stage.ended(change)

    assert sum("needs an operator" in text for text in stage.failures()) <= 1
    assert stage.outcomes(change) == {"verified": 3}


async def test_what_can_be_said_after_all_needs_no_operator(stage: Stage) -> None:
    """When the list can be read again, the job is found and adopted without anybody's word."""
    change = await unreadable(stage, made=True)
    stage.telnyx.faults.clear()

    stage.clock.advance(300)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert "no longer needs a decision" in await press(stage, "send_again")
    assert len(stage.created()) == 1


async def test_operators_are_reminded_at_pauses_that_double(stage: Stage) -> None:
    """The question is asked again after the configured time, then after twice as long."""
    await unreadable(stage, made=True)

    async def after(seconds: float, times: int) -> None:
        stage.clock.advance(seconds)
        await stage.slack.wait_for(lambda: len(stage.failures()) >= times, what=f"question {times}")

    await after(900, 2)
    stage.clock.advance(1000)
    await after(800, 3)

    assert len(stage.failures()) == 3


async def test_a_request_that_is_swallowed_again_and_again_is_not_sent_for_ever(stage: Stage) -> None:
    """After the fourth request without an answer and without a job, an operator is asked; then it counts anew."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    swallowed = stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_before", times=None)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await asked(stage)

    assert "It was sent 4 times without a response, and the provider lists no job for it" in stage.read(notice(stage))
    assert len(stage.created()) == 4
    swallowed.times = 3
    await press(stage, "send_again")
    await stage.ended(change)

    assert len(stage.created()) == 8
    assert stage.outcomes(change) == {"verified": 3}


async def test_a_cancelled_change_is_not_sent_again(stage: Stage) -> None:
    """After a cancel the operator may adopt or give up; sending again is refused."""
    change = await unreadable(stage, made=True)
    await stage.command(f"cancel CHG-{change}")

    assert "was stopped or cancelled, so nothing of it is sent again" in await press(stage, "send_again")
    await press(stage, "give_up")
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert len(stage.created()) == 1


async def test_giving_up_as_the_last_word_on_a_stopped_change_ends_what_its_stop_left_open(stage: Stage) -> None:
    """The stop said that it was not known yet; the thread says that nobody will know, and not that all was sent."""
    change = await unreadable(stage, made=False)
    assert "CHG-1 is stopped" in await stage.command("cancel CHG-1")
    await stage.slack.wait_for(
        lambda: any("Whether 3 numbers were sent is not known yet" in line for line in stage.thread(change)),
        what="word of the stop",
    )

    await press(stage, "give_up")
    await stage.ended(change)

    said = "0 numbers were not sent, and nobody knows whether 3 were, because an operator gave up. They are read back"
    assert sum(said in line for line in stage.thread(change)) == 1
    assert stage.outcomes(change) == {"differs": 3}


async def test_a_refusal_that_comes_after_the_stop_ends_what_it_left_open(stage: Stage) -> None:
    """The job was being created when the change was stopped, and was refused: that is known then, and told."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="status", status=403, seconds=2)
    change = await stage.ask(given)
    await stage.approve(change)
    await stage.telnyx.wait_for(stage.created)

    assert "CHG-1 is stopped" in await stage.command("cancel CHG-1")
    await stage.ended(change)

    assert stage.outcomes(change) == {"failed": 3}
    assert any("After the stop: 0 numbers were not sent." in line for line in stage.thread(change))
