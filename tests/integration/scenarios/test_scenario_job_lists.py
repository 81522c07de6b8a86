"""Lists of jobs that lie, leave out or never end: a job that nobody can rule out is not made a second time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import aiohttp
import pytest

from bot import wiring
from bot.sandbox.provider.calls import Call
from bot.sandbox.telnyx import Paging
from tests.integration.scenarios.stage import FAILURES, Stage

JOBS = "/phone_numbers/jobs/*"
LIST = "/phone_numbers/jobs"


def total_of_nothing(paging: Paging) -> None:
    """Announce no rows beside those that are there."""
    paging.total = 0


def total_of_one_page(paging: Paging) -> None:
    """Announce as many rows as a page has."""
    paging.total = 50


def capped(paging: Paging) -> None:
    """Give ten rows where fifty were asked for, and tell no total."""
    paging.cap, paging.total = 10, "untold"


def endless(paging: Paging) -> None:
    """Answer the first page whatever page is asked for, and tell no total."""
    paging.repeats, paging.total = True, "untold"


async def lose_the_answer(stage: Stage) -> int:
    """Take a change to where its job was made, the answer lost, and 60 jobs of somebody else made since."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after")
    hidden = stage.telnyx.faults.add(method="GET", path=LIST, kind="status", status=503, times=None)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.slack.wait_for(lambda: stage.telnyx.jobs, what="the job")
    stage.telnyx.other_jobs(60, "update_phone_numbers", seconds=0.1)
    hidden.times = 0
    return change


def lists(stage: Stage) -> list[Call]:
    """Return the requests for the list of jobs."""
    return [call for call in stage.telnyx.calls if call.path == LIST]


async def question(stage: Stage) -> str:
    """Wait until operators are asked and return what they read."""
    await stage.slack.wait_for(lambda: "needs an operator" in "".join(stage.failures()), what="a question to operators")
    return stage.read(stage.slack.messages(FAILURES)[-1])


@pytest.mark.parametrize("lie", [total_of_nothing, total_of_one_page, capped])
async def test_the_job_is_found_behind_a_first_page_that_seems_to_be_all(
    stage: Stage, lie: Callable[[Paging], None]
) -> None:
    """Neither a wrong total nor a short page ends the search."""
    lie(stage.telnyx.paging)
    change = await lose_the_answer(stage)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert len(stage.created()) == 1
    # Called absent, it would not have been sent again either, as its numbers have the new values by now.
    assert "matched to job" in await stage.command(f"status CHG-{change}")


async def test_a_list_that_repeats_itself_has_an_operator_asked(stage: Stage) -> None:
    """Nobody can tell whether the job is there: nothing is sent, and the list is not read for ever."""
    endless(stage.telnyx.paging)
    change = await lose_the_answer(stage)
    said = await question(stage)

    assert "list of jobs repeats itself" in said
    assert len(stage.created()) == 1
    read = [call for call in stage.telnyx.calls if call.path == LIST and call.status == 200]
    assert {call.query["page[number]"][0] for call in read} == {"1", "2"}
    assert "Needs an operator" in stage.read(stage.card(change))


async def test_one_list_that_leaves_the_job_out_does_not_have_it_made_again(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that is complete and late enough may still be wrong once: a second one has to agree."""
    monkeypatch.setattr(wiring, "build_providers", partial(wiring.build_providers, patience=0.05))
    numbers = [number.phone_number for number in idle.telnyx.add_numbers(3, start="+13035550000")]
    await idle.start()
    idle.telnyx.job_seconds = 600  # under way until the end: a second job would find the numbers as they were
    idle.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after")
    hidden = idle.telnyx.faults.add(method="GET", path=LIST, kind="status", status=503, times=None)
    nothing = '{"data": [], "meta": {"total_pages": 0, "total_results": 0, "page_number": 1, "page_size": 250}}'
    without = idle.telnyx.faults.add(method="GET", path=LIST, kind="malformed", text=nothing)
    change = await idle.ask(numbers)
    await idle.approve(change)
    # Telnyx tells its time in whole seconds: only some of them later is a list surely from after the settling time.
    late = timedelta(seconds=3)
    await idle.telnyx.wait_for(lambda: any(call.at > idle.created()[0].at + late for call in lists(idle)))
    hidden.times = 0
    polled = f"{LIST}/{idle.telnyx.jobs[0].id}"
    await idle.telnyx.wait_for(
        lambda: len(idle.created()) > 1 or any(call.path == polled for call in idle.telnyx.calls)
    )
    assert without.times == 0
    assert len(idle.created()) == 1

    idle.telnyx.advance(600)
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 3}


@pytest.mark.parametrize("how", ["parameters_untold", "parameters_empty"])
@pytest.mark.parametrize("whose", ["ours", "another's"])
async def test_a_job_without_parameters_is_a_candidate_only(stage: Stage, how: str, whose: str) -> None:
    """Another's job over the same numbers looks just like ours then, so an operator decides which it is."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    ids = [stage.telnyx.number(number).id for number in numbers]
    stage.telnyx.misbehave(None, how)
    kind = "drop_after" if whose == "ours" else "drop_before"
    stage.telnyx.faults.add(method="POST", path=JOBS, kind=kind)
    hidden = stage.telnyx.faults.add(method="GET", path=LIST, kind="status", status=503, times=None)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.slack.wait_for(stage.created, what="the POST")
    if whose == "another's":
        body = {"phone_numbers": ids, "customer_reference": "Boulder"}
        headers = {"Authorization": f"Bearer {stage.telnyx.api_key}"}
        url = f"{stage.telnyx.url}/phone_numbers/jobs/update_phone_numbers"
        async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
            assert answer.status == 202
    hidden.times = 0
    said = await question(stage)

    assert "1 job that may belong to this batch, but" in said
    assert len(stage.telnyx.jobs) == 1
    assert "Needs an operator" in stage.read(stage.card(change))
