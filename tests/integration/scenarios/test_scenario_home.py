"""The Home tab: what is on it, that it keeps up with what happens, and that it does so within Slack's limits."""

from __future__ import annotations

import asyncio
import copy

import pytest

from bot.sandbox.slack import SlackUser, View
from bot.sandbox.slack.blocks import view_problems
from bot.slack.home_publisher import PAUSE
from tests.integration.scenarios.stage import FAILURES, Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_temporary import asked_to_extend

ONE, TWO, THREE = "+13035550000", "+13035550001", "+13035550002"


async def opened(stage: Stage, person: SlackUser) -> View:
    """Open somebody's Home tab and return it."""
    before = stage.slack.home(person.id)
    seen = before.hash if before else ""
    await person.open_home()
    await stage.slack.wait_for(
        lambda: (home := stage.slack.home(person.id)) is not None and home.hash != seen, what="the Home tab"
    )
    home = stage.slack.home(person.id)
    assert home is not None
    return home


async def shows(stage: Stage, person: SlackUser, text: str) -> str:
    """Wait until somebody's Home tab shows ``text`` without having been opened again, and return what it shows."""
    home = stage.slack.home(person.id)
    assert home is not None
    await stage.slack.wait_for(
        lambda: text in stage.read(home), what=f"{text} on the Home tab of {person.profile.name}"
    )
    return stage.read(home)


def part(read: str, title: str) -> str:
    """Return one part of a Home tab as read."""
    return read.partition(f"# {title}")[2].partition("\n# ")[0]


def published(stage: Stage) -> int:
    """Return how often any Home tab was published."""
    return sum(1 for call in stage.slack.calls if call.method == "views.publish")


async def test_home_shows_what_waits_for_me_what_runs_what_is_mine_and_what_failed(stage: Stage) -> None:
    """Each part has what belongs there, and only those who may decide on a request see it as theirs to decide."""
    stage.telnyx.add_numbers(3, start=ONE)
    stage.telnyx.fail(THREE)
    await stage.run(THREE, reason="The failure")
    await stage.ask(ONE, reason="The request")
    stage.telnyx.job_seconds = 3600
    running = await stage.ask(TWO, reason="The run", by=stage.mia)
    await stage.approve(running)
    await card_says(stage, running, "Running")

    seen = {person.id: stage.read(await opened(stage, person)) for person in (stage.ana, stage.max, stage.otto)}

    for user, waits in (("U0ANA", False), ("U0MAX", True), ("U0OTTO", False)):
        assert ("The request" in part(seen[user], "Waiting for your decision")) == waits
        assert "The run" in part(seen[user], "Running now")
        assert "0 of 1 number" in part(seen[user], "Running now")
        assert "The failure" in part(seen[user], "Recent failures")
        assert "[New number change]" in seen[user]
        assert "Submissions are not frozen." in seen[user]
    assert "The request" in part(seen["U0ANA"], "Your changes")
    assert "You have not requested any changes yet" in part(seen["U0MAX"], "Your changes")
    assert "[Approve] [Approve with comment…] [Reject] [Ask for changes…] [Details]" in seen["U0MAX"]
    assert "[Approve]" not in seen["U0ANA"] + seen["U0OTTO"]


async def test_a_decision_can_be_made_on_the_home_tab_which_then_shows_it(stage: Stage) -> None:
    """The button asks and checks as that of the card does; the answer comes as a message, and the tab keeps up."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    home = await opened(stage, stage.max)
    button = next(e for block in home.blocks for e in block.get("elements", []) if e.get("action_id") == "approve")

    await stage.max.click("approve", home=True)
    await stage.ended(change)
    read = await shows(stage, stage.max, "No requests are waiting for you.")

    assert "will be changed exactly as shown" in button["confirm"]["text"]["text"]
    told = [stage.read(each) for each in stage.slack.messages(stage.slack.direct_message("U0MAX"))]
    assert told == ["Approved. That was the last approval needed: CHG-1 starts now."]
    assert "[Approve]" not in read
    assert stage.outcomes(change) == {"verified": 1}
    stage.assert_nothing_doubled()


async def test_reject_and_details_open_their_modals_from_the_home_tab(stage: Stage) -> None:
    """Why is asked, and everything is shown, as from the card."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await opened(stage, stage.max)

    await stage.max.click("details", home=True)
    await stage.max.wait_for_view(lambda view: view.callback_id == "details")
    await stage.max.close()
    await stage.max.click("reject", home=True)
    await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.max.type("why", "Not today")
    await stage.send(by=stage.max)

    await shows(stage, stage.max, "No requests are waiting for you.")
    await stage.quiet()
    assert "Rejected" in stage.read(stage.card(change))


async def test_a_home_tab_that_is_out_of_date_decides_nothing(stage: Stage) -> None:
    """Its buttons are checked at the click: who may not any more, or comes too late, is told so."""
    stage.telnyx.add_number(ONE)
    await stage.ask(ONE)
    home = await opened(stage, stage.max)
    old = copy.deepcopy(home.content)
    await stage.approve(1, by=stage.mia)
    await stage.ended(1)
    await shows(stage, stage.max, "No requests are waiting for you.")

    home.replace(old)
    await stage.max.click("approve", home=True)
    place = stage.slack.direct_message("U0MAX")
    await stage.slack.wait_for(lambda: stage.slack.messages(place), what="an answer")

    assert "CHG-1 is already finished" in stage.read(stage.slack.messages(place)[-1])
    assert len(stage.telnyx.jobs) == 1


async def test_a_double_press_on_the_home_tab_approves_once(stage: Stage) -> None:
    """Both presses are answered, and one counts."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await opened(stage, stage.max)

    await asyncio.gather(stage.max.click("approve", home=True), stage.max.click("approve", home=True))
    await stage.ended(change)
    place = stage.slack.direct_message("U0MAX")
    await stage.slack.wait_for(lambda: len(stage.slack.messages(place)) == 2, what="two answers")

    assert sum("That was the last approval needed" in stage.read(each) for each in stage.slack.messages(place)) == 1
    assert len(stage.telnyx.jobs) == 1


async def test_the_button_starts_a_change(stage: Stage) -> None:
    """The form opens; who may not ask for changes reads why in its place."""
    await opened(stage, stage.ana)
    await opened(stage, stage.otto)

    await stage.ana.click("home_start", home=True)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
    await stage.otto.click("home_start", home=True)
    await stage.otto.wait_for_view(lambda view: view.callback_id == "notice")

    assert "You may not request changes" in stage.modal(stage.otto)


async def test_a_freeze_shows_and_goes_again(stage: Stage) -> None:
    """Whoever looks at the tab sees it come and go, without doing anything."""
    await opened(stage, stage.ana)

    await stage.command("freeze carrier @max at https://status.example", by=stage.otto)
    frozen = await shows(stage, stage.ana, "Submissions are frozen by @Otto")
    await stage.command("unfreeze", by=stage.otto)
    await shows(stage, stage.ana, "Submissions are not frozen.")

    assert "carrier @max at https://status.example" in frozen


async def test_progress_moves_on_the_tab_and_stops_at_the_end(stage: Stage) -> None:
    """A running change's bar moves, and when the carrier gives its job up it stands among the failures."""
    stage.telnyx.add_numbers(2, start=ONE)
    stage.telnyx.job_seconds = 3600
    await opened(stage, stage.ana)
    change = await stage.ask([ONE, TWO])
    await shows(stage, stage.ana, "Awaiting approval")
    await stage.approve(change)
    await shows(stage, stage.ana, "0 of 2 numbers")
    await stage.slack.wait_for(lambda: stage.telnyx.jobs, what="the job")
    stage.telnyx.jobs[0].end_now(stage.telnyx._clock.now())
    await stage.ended(change)

    read = await shows(stage, stage.ana, "❌ Failed")

    assert "Nothing is running." in part(read, "Running now")
    assert f"CHG-{change} ·" in part(read, "Recent failures")


async def test_many_changes_at_once_are_few_publications(stage: Stage) -> None:
    """Each tab is published at most once in its pause, and not at all when it would show the same."""
    stage.telnyx.add_numbers(30, start=ONE)
    for person in (stage.ana, stage.max, stage.otto):
        await opened(stage, person)
    began, before = stage.clock(), published(stage)

    for index in range(6):
        await stage.ask(f"+130355500{index:02}")
    await shows(stage, stage.max, "CHG-5")
    pauses = (stage.clock() - began) / PAUSE

    assert 0 < published(stage) - before <= 3 * (pauses + 1)


async def test_nobody_looks_and_nothing_is_published(stage: Stage) -> None:
    """Without an open tab no call is made; an hour after it was opened a tab is left alone."""
    stage.telnyx.add_numbers(2, start=ONE)
    await stage.run(ONE)
    assert published(stage) == 0

    await opened(stage, stage.ana)
    stage.clock.advance(3700)
    await stage.run(TWO)

    assert published(stage) == 1
    assert stage.bot is not None


async def test_when_slack_asks_to_slow_down_the_tab_is_late_and_right(stage: Stage) -> None:
    """A tab that could not be published is published later, with what is true then."""
    stage.telnyx.add_number(ONE)
    await opened(stage, stage.ana)
    stage.slack.faults.add(method="views.publish", kind="rate_limited", retry_after=1)

    await stage.run(ONE, reason="Worth waiting for")

    read = await shows(stage, stage.ana, "✅ Succeeded")
    assert "Worth waiting for" in read


async def test_a_tab_that_another_replica_published_is_read_again(stage: Stage) -> None:
    """Slack's hash says that the tab is not the one we know; what is then shown is what is true."""
    stage.telnyx.add_number(ONE)
    home = await opened(stage, stage.ana)
    home.replace({"type": "home", "blocks": [{"type": "divider"}]})

    await stage.run(ONE)
    await shows(stage, stage.ana, "✅ Succeeded")

    assert [call.error for call in stage.slack.calls if call.method == "views.publish"][1] == "hash_conflict"


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_after_a_restart_the_old_tab_works_and_opening_it_renews_it(stage: Stage, end: str) -> None:
    """The buttons of a tab that was published before still decide, and Slack asks again when it is opened."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await opened(stage, stage.max)
    await (stage.stop() if end == "stop" else stage.crash())
    await stage.start()

    await stage.max.click("approve", home=True)
    await stage.ended(change)
    read = stage.read(await opened(stage, stage.max))

    assert "No requests are waiting for you." in read
    assert stage.outcomes(change) == {"verified": 1}
    stage.assert_nothing_doubled()


async def test_a_tab_full_of_large_changes_is_legal(stage: Stage) -> None:
    """More requests than fit are counted, and no limit of Slack is exceeded."""
    stage.telnyx.add_numbers(7, start=ONE)
    for index in range(7):
        await stage.ask(
            f"+130355500{index:02}", {"tags": ", ".join("t" * 60 + str(i) for i in range(30))}, reason="&" * 500
        )

    home = await opened(stage, stage.max)

    assert "2 more:" in stage.read(home)
    assert view_problems({key: home.content[key] for key in ("type", "blocks")}) == []
    assert stage.read(home).count("[Approve]") == 5
    assert stage.slack.messages(FAILURES) == []


async def test_home_shows_all_that_an_approval_from_it_is_for(stage: Stage) -> None:
    """Its end and its waves are part of the plan, and the button approves the plan as shown."""
    added = stage.telnyx.add_numbers(3, start=ONE, customer_reference="Dallas")
    await stage.ask(
        [number.phone_number for number in added],
        {"customer_reference": "Holiday"},
        canary="1, rest",
        pause="30 min",
        until="in 9 hours",
    )
    shown = stage.read(await opened(stage, stage.max))

    assert "Temporary, until" in shown
    assert "2 waves" in shown


async def test_home_shows_a_request_for_a_later_end_as_what_it_is(stage: Stage) -> None:
    """With the change that it extends, the new end and its numbers; Details says the same."""
    added = stage.telnyx.add_numbers(3, start=ONE, customer_reference="Dallas")
    wanted = {"customer_reference": "Holiday"}
    change = await stage.ask([number.phone_number for number in added], wanted, until="in 4 hours")
    await stage.approve(change)
    await card_says(stage, change, "In effect")
    extension = await asked_to_extend(stage, change)
    shown = stage.read(await opened(stage, stage.max))
    await stage.max.click("details", message=stage.request_card(extension))
    details = stage.read(await stage.max.wait_for_view(lambda view: view.callback_id == "details"))

    assert f"Extension of CHG-{change}: it stays in effect until" in shown
    assert "3 numbers" in shown
    assert "Numbers: 3" in details
    assert "Jobs: 0" not in details


async def test_an_extension_that_expires_is_told_as_one(idle: Stage) -> None:
    """The failure channel does not call it what restores the numbers."""
    stage = idle
    await stage.start(LINESMAN_APPROVAL_TTL="3600")
    number = stage.telnyx.add_number(ONE, customer_reference="Dallas")
    change = await stage.ask([number.phone_number], {"customer_reference": "Holiday"}, until="in 20 hours")
    await stage.approve(change)
    await card_says(stage, change, "In effect")
    await asked_to_extend(stage, change, "in 30 hours")
    stage.clock.advance(3700)
    await stage.slack.wait_for(stage.failures, what="the notice")

    [notice] = stage.failures()
    assert f"CHG-2, which extends CHG-{change}, expired" in notice
