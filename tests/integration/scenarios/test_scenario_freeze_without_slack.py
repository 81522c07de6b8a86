"""The brake works while Slack does not say who somebody is; nothing that lets something go on does."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.integration.scenarios.stage import Stage

GROUP = "S0OPERATORS"
NUMBER = "+13035550000"
SAID = "Slack cannot confirm who you are right now, so this relies on what it said a moment ago."


def silent(stage: Stage, method: str) -> None:
    """Let Slack answer nothing to ``method`` from now on."""
    stage.slack.faults.add(method=method, kind="status", status=503, times=1000)


async def looked_at(stage: Stage) -> None:
    """Wait until the bot has looked at everybody who operates, which nobody asked it to."""
    await stage.slack.wait_for(
        lambda: any(call.method == "users.info" and call.params.get("user") == "U0OTTO" for call in stage.slack.calls),
        what="a look at the operator",
    )


@pytest.fixture
async def house(idle: Stage) -> Stage:
    """Set the stage with Otto, who operates by being in a group, and has done nothing yet."""
    idle.slack.add_usergroup(GROUP, handle="operators", members=["U0OTTO"])
    idle.telnyx.add_numbers(2, start=NUMBER)
    await idle.start(LINESMAN_OPERATORS=GROUP)
    await looked_at(idle)
    return idle


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_an_operator_freezes_while_slack_says_nothing(house: Stage, method: str) -> None:
    """Otto's first word of the day is a freeze, and Slack does not say who he is: it counts, and all can see why."""
    silent(house, method)

    said = await house.command("freeze the carrier is on fire", by=house.otto)

    assert "Submissions are frozen" in said
    assert SAID in said
    house.slack.faults.clear()
    await house.command("export", by=house.otto)
    trail = next(file.content for file in house.slack.files if file.name.endswith(".csv"))
    events = [row for row in csv.DictReader(io.StringIO(trail.decode("utf-8-sig"))) if row["what"] == "frozen"]
    assert [SAID in str(event) for event in events] == [True]


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_an_operator_cancels_what_others_asked_for_while_slack_says_nothing(house: Stage, method: str) -> None:
    """Ana's change waits for approval. Otto cancels it, and its history says on what that rests."""
    change = await house.ask(NUMBER)
    silent(house, method)

    said = await house.command(f"cancel CHG-{change}", by=house.otto)

    assert f"CHG-{change} is cancelled." in said
    assert SAID in said
    house.slack.faults.clear()
    assert "Cancelled while Slack could not confirm the operator" in await house.command(f"status CHG-{change}")


@pytest.mark.parametrize("deed", ["unfreeze", "unlock CHG-1", "settle CHG-1", "export"])
@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_nothing_else_goes_by_what_slack_said_before(house: Stage, method: str, deed: str) -> None:
    """Otto is known from a second ago, and may not let anything go on, take anything out, or say what nobody knows."""
    change = await house.ask(NUMBER)
    await house.command("freeze a test", by=house.otto)
    silent(house, method)

    said = await house.command(deed, by=house.otto)

    assert re.match("Slack did not (confirm|say) who", said)
    house.slack.faults.clear()
    assert "Submissions are already frozen" in await house.command("freeze again", by=house.otto)
    assert f"CHG-{change}" in await house.command("locks", by=house.otto)


async def test_an_approval_never_goes_by_what_slack_said_before(house: Stage) -> None:
    """Max approved a second ago, and Slack says nothing now: his approval of the next change is none."""
    first, second = await house.ask(NUMBER), await house.ask("+13035550001")
    await house.approve(first)
    await house.ended(first)
    silent(house, "users.info")

    assert "Slack did not confirm who you are, so nothing was done" in await house.approve(second)
    assert "Awaiting approval" in house.read(house.request_card(second))


async def test_who_is_known_to_be_no_operator_does_not_brake(house: Stage) -> None:
    """What is remembered of Ana is that she is in no such group; of Otto, since a look, that he is a guest."""
    await house.command("list")
    house.otto.profile.guest = True
    assert "Guests of this workspace may not" in await house.command("freeze me", by=house.otto)
    silent(house, "users.info")

    assert "Guests of this workspace may not" in await house.command("freeze me", by=house.otto)
    assert "you are not one of the operators" in await house.command("freeze me")


async def test_nobody_brakes_of_whom_slack_never_said_anything(idle: Stage) -> None:
    """Slack has said nothing since the start: there is nothing to go by, and Otto is told so."""
    silent(idle, "users.info")
    await idle.start()

    assert "Slack did not confirm who you are, so nothing was done" in await idle.command("freeze now", by=idle.otto)
