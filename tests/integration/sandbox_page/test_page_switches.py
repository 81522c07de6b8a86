"""The switches: what they let go wrong, and that it is right again afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from bot.sandbox.page.switches import Switches
from bot.sandbox.page.world import JOB_SECONDS, StandIns, furnish, new_stand_ins

UPDATE = "/phone_numbers/jobs/update_phone_numbers"


@pytest.fixture
async def world() -> AsyncIterator[StandIns]:
    """Run the three services, furnished."""
    stand_ins = new_stand_ins()
    async with stand_ins.slack, stand_ins.telnyx, stand_ins.close:
        furnish(stand_ins)
        yield stand_ins


@pytest.fixture
async def telnyx(world: StandIns) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the account at Telnyx."""
    headers = {"Authorization": f"Bearer {world.telnyx.api_key}"}
    async with httpx.AsyncClient(base_url=world.telnyx.url, headers=headers, timeout=10) as client:
        yield client


async def change(client: httpx.AsyncClient, world: StandIns, tag: str) -> None:
    """Tag the first number, and let the time pass that a job takes."""
    number = next(iter(world.telnyx.numbers))
    await client.post(UPDATE, json={"phone_numbers": [number], "tags": [tag]})
    world.telnyx.advance(JOB_SECONDS + 1)


def tags(world: StandIns) -> list[str]:
    """Return the tags of the first number."""
    return next(iter(world.telnyx.numbers.values())).tags


async def test_stuck_jobs_go_on_once_they_may(world: StandIns, telnyx: httpx.AsyncClient) -> None:
    """Nothing moves while the switch is on, and everything does when it is off, also what was stuck."""
    switches = Switches(world, liar="+1")
    switches.turn("stuck", on=True)
    await change(telnyx, world, "one")
    assert (tags(world), world.telnyx.jobs[0].status) == (["dallas"], "pending")
    switches.turn("stuck", on=False)
    assert (tags(world), world.telnyx.jobs[0].status) == (["one"], "completed")
    await change(telnyx, world, "two")

    assert tags(world) == ["two"]


async def test_a_number_lies_as_long_as_it_is_told_to(world: StandIns, telnyx: httpx.AsyncClient) -> None:
    """It is reported as changed and is not; others are, and so is this one afterwards."""
    liar = next(iter(world.telnyx.numbers.values())).phone_number
    switches = Switches(world, liar=liar)
    switches.turn("lies", on=True)
    await change(telnyx, world, "one")
    [operation] = world.telnyx.jobs[0].operations
    assert (tags(world), operation.state, bool(operation.dropped)) == (["dallas"], "successful", True)
    switches.turn("lies", on=False)
    await change(telnyx, world, "two")

    assert (tags(world), bool(operation.dropped)) == (["two"], True)


async def test_answers_are_lost_and_what_was_asked_for_is_done(world: StandIns, telnyx: httpx.AsyncClient) -> None:
    """The caller hears nothing; the job is there all the same."""
    switches = Switches(world, liar="+1")
    switches.turn("dropped", on=True)
    with pytest.raises(httpx.TransportError):
        await change(telnyx, world, "one")
    assert len(world.telnyx.jobs) == 1
    switches.turn("dropped", on=False)
    await change(telnyx, world, "two")

    assert len(world.telnyx.jobs) == 2


async def test_too_many_requests_are_refused(world: StandIns, telnyx: httpx.AsyncClient) -> None:
    """Some calls get through in each moment, the next ones are told to wait; afterwards all get through."""
    switches = Switches(world, liar="+1")
    switches.turn("limited", on=True)
    limited = [(await telnyx.get("/phone_numbers")).status_code for _ in range(5)]
    switches.turn("limited", on=False)
    free = [(await telnyx.get("/phone_numbers")).status_code for _ in range(5)]

    assert (limited, free) == ([200] * 3 + [429] * 2, [200] * 5)


async def test_slow_answers_are_the_right_ones(
    world: StandIns, telnyx: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow service does what it is asked, and its jobs take longer; afterwards it is as it was."""
    monkeypatch.setattr("bot.sandbox.page.switches.SLOW_ANSWER", 0.01)
    switches = Switches(world, liar="+1")
    switches.turn("slow", on=True)
    assert (await telnyx.get("/phone_numbers")).status_code == 200
    assert world.telnyx.job_seconds > JOB_SECONDS
    switches.turn("slow", on=False)

    assert (world.telnyx.job_seconds, world.telnyx.faults.pending) == (JOB_SECONDS, [])


async def test_slack_is_down_and_up_again(world: StandIns) -> None:
    """No call of the bot gets through, and then each does."""
    switches = Switches(world, liar="+1")
    async with httpx.AsyncClient(base_url=world.slack.api_url) as client:
        switches.turn("slack", on=True)
        down = (await client.post("api.test")).status_code
        switches.turn("slack", on=False)
        up = (await client.post("api.test")).status_code

    assert (down, up) == (503, 200)


@pytest.mark.parametrize("name", ["slow", "limited", "dropped", "stuck", "lies", "slack"])
async def test_a_switch_is_on_or_off(world: StandIns, name: str) -> None:
    """Two pages may press it at once: twice on is on, and one off is off."""
    switches = Switches(world, liar="+1")

    def shown() -> dict[str, bool]:
        return {str(each["id"]): bool(each["on"]) for each in switches.part(restarting=False)}

    assert not any(shown().values())
    assert switches.turn(name, on=True)
    assert switches.turn(name, on=True)
    assert [each for each, on in shown().items() if on] == [name]
    assert switches.turn(name, on=False)
    assert switches.turn(name, on=False)
    assert not any(shown().values())
    assert not switches.turn("none", on=True)


@pytest.mark.parametrize("busy", [True, False])
def test_the_button_says_when_it_is_at_work(*, busy: bool) -> None:
    """While the bot is killed and started again the page can show it."""
    *_, button = Switches(new_stand_ins(), liar="+1").part(restarting=busy)

    assert button == {"id": "kill", "label": "Kill and restart the bot", "on": busy, "kind": "button"}
