"""What Telnyx says unclearly, or takes back: nothing is done twice over it, and nothing is told that is not so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.telnyx.misbehaviour import Misbehaviour
from tests.integration.scenarios.house import Clock
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.test_scenario_delete import RULES

JOBS = "/phone_numbers/jobs/*"
#: Changes one job in Telnyx's list, which is over the numbers given.
Garble = Callable[[dict[str, Any], Sequence[str]], None]


def without_type(job: dict[str, Any], _: Sequence[str]) -> None:
    """Have the list say nothing of what a job does."""
    job["type"] = None


def without_plus(job: dict[str, Any], numbers: Sequence[str]) -> None:
    """Have the list name numbers as other APIs do."""
    job["phone_numbers"] = [{"phone_number": number.lstrip("+")} for number in numbers]


def without_id(job: dict[str, Any], _: Sequence[str]) -> None:
    """Have the list leave out what a job is called."""
    job["id"] = None


@pytest.mark.parametrize("garble", [without_type, without_plus, without_id])
async def test_a_lost_job_that_is_listed_unclearly_is_not_made_again(idle: Stage, garble: Garble) -> None:
    """What does not prove that a job is somebody else's leaves it for an operator, or for the next look, to tell."""
    stage = idle
    stage.clock = Clock(rate=1)
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    await stage.start()
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after")
    searches = 0

    def garbled(document: dict[str, Any]) -> None:
        nonlocal searches
        searches += 1
        for job in document["data"]:
            garble(job, numbers)

    stage.telnyx.rewrites.add("GET", "/phone_numbers/jobs", garbled)
    change = await stage.ask(numbers)
    await stage.approve(change)
    decided = ("Needs an operator", "1 running", "verified")
    await stage.telnyx.wait_for(
        lambda: searches >= 8 or any(words in stage.read(stage.card(change)) for words in decided), timeout=45
    )

    assert len(stage.telnyx.jobs) == len(stage.created()) == 1


async def test_a_number_that_telnyx_cannot_show_is_not_told_as_deleted(
    idle: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal to show it is no proof that it is gone: the read-back says that it does not know."""
    stage = idle
    policy = tmp_path / "policy.toml"
    policy.write_text(RULES, encoding="utf-8")
    await stage.start(LINESMAN_POLICY_FILE=str(policy))
    number = stage.telnyx.add_number("+13035550000")
    await stage.open("delete")
    await stage.fill([number.phone_number], reason="closed")
    await stage.send()
    await stage.planned()
    await stage.ana.type("count", "1")
    change = await stage.request()
    await stage.approve(change)
    stage.telnyx.misbehave(None, Misbehaviour.COMPLETED_MISSING)
    await stage.approve(change, by=stage.mia)
    await stage.telnyx.wait_for(lambda: stage.telnyx.jobs)
    monkeypatch.setattr(stage.telnyx.faults, "error", being_processed)
    stage.telnyx.faults.add(method="GET", path=f"/phone_numbers/{number.id}", kind="status", status=422, times=None)
    await stage.ended(change)

    assert stage.outcomes(change) == {"unverified": 1}


def being_processed(*_: object) -> web.Response:
    """Refuse as Telnyx does for what it is working on."""
    error = {"code": "10036", "title": "Resource is being processed", "detail": "Try again later."}
    return web.json_response({"errors": [error]}, status=422)


async def test_a_number_that_fails_while_its_job_runs_may_succeed_after_all(stage: Stage) -> None:
    """What the job says at its end counts, and the number is read back."""
    number = stage.telnyx.add_number("+13035550000")
    stage.telnyx.add_number("+13035550001")
    stage.telnyx.job_seconds = 20

    def failing_at_first(document: dict[str, Any]) -> None:
        job = document["data"]
        if job["status"] != "completed":
            errors = [{"code": "10007", "title": "Unexpected error", "detail": "An unexpected error occurred."}]
            job["failed_operations"] = [{"id": number.id, "phone_number": number.phone_number, "errors": errors}]
            job["pending_operations"] = [each for each in job["pending_operations"] if each["id"] != number.id]

    stage.telnyx.rewrites.add("GET", JOBS, failing_at_first)
    change = await stage.run(["+13035550000", "+13035550001"])

    assert stage.outcomes(change) == {"verified": 2}
    assert stage.failures() == []
