"""Ask for changes: the plan is withdrawn from decision, and another one takes its place on the same card."""

from __future__ import annotations

import asyncio
import json
from copy import deepcopy
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.sandbox.slack import Message, SlackUser, StandInRefused, View
from tests.integration.scenarios.stage import FAILURES, OPS, Stage
from tests.integration.scenarios.steps import card_after, card_says, edit
from tests.integration.scenarios.test_scenario_home import opened

ONE = "+13035550000"
MORE = "+13035550001"
WHAT = "Leave out *5550001*, <!channel>"


async def open_form(stage: Stage, change: int, by: SlackUser) -> View:
    """Press "Ask for changes…" and return the modal."""
    await by.click("ask_for_changes", message=stage.request_card(change))
    return await by.wait_for_view(lambda view: view.callback_id == "changes")


async def send_back(stage: Stage, change: int, what: str = WHAT, *, by: SlackUser | None = None) -> None:
    """Ask for changes, and wait until the card says so."""
    by = by or stage.max
    await open_form(stage, change, by)
    await by.type("what", what)
    await stage.send(by=by)
    await card_says(stage, change, "Changes requested")


async def put_away(person: SlackUser) -> None:
    """Close what somebody has open, if anything."""
    if person.view is not None:
        await person.close(everything=True)


async def revise(stage: Stage, change: int) -> View:
    """Press Edit on the card, and return the form that comes back."""
    await put_away(stage.ana)
    await stage.ana.click("revise", message=stage.card(change))
    return await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")


async def replan(stage: Stage, change: int, numbers: str = ONE, *, quietly: bool = True) -> None:
    """Edit the plan so that it is about ``numbers``, and request approval again."""
    await revise(stage, change)
    await stage.fill(numbers)
    await stage.send()
    await stage.planned()
    if quietly:
        await request_again(stage, change)
    else:
        await stage.ana.submit()


async def request_again(stage: Stage, change: int) -> None:
    """Press "Request approval" on another plan, and wait until it can be decided on."""
    assert await stage.request() == change
    await stage.slack.wait_for(
        lambda: "approve" in stage.buttons(stage.request_card(change)), what=f"the buttons of CHG-{change}"
    )
    await stage.quiet()


def lines_with(stage: Stage, change: int, words: str) -> list[str]:
    """Return the lines of the thread that contain ``words``."""
    return [line for line in stage.thread(change) if words in line]


async def line_with_button(stage: Stage, change: int) -> Message:
    """Return the line of the thread with the button to edit."""
    await stage.slack.wait_for(lambda: lines_with(stage, change, "press Edit"), what="the line with the button")
    return next(each for each in stage.slack.thread(OPS, stage.card(change).ts)[1:] if "revise" in stage.buttons(each))


def typed(view: View, block: str) -> str:
    """Return what an input of a form holds."""
    found: Any = next(each["element"] for each in view.blocks if each.get("block_id") == block)
    return str(found.get("initial_value", ""))


def below_the_request(stage: Stage, change: int) -> list[str]:
    """Return what the approvers were told below the request, as read."""
    request = stage.request_card(change)
    return [stage.read(each) for each in stage.slack.thread(request.channel, request.ts)[1:]]


async def test_the_whole_way(stage: Stage) -> None:
    """What Max asks for reaches Ana, her form comes back, and the same card and thread lead to the end of the plan."""
    stage.telnyx.add_numbers(2, start=ONE)
    change = await stage.ask([ONE, MORE])
    card, request = stage.card(change), stage.request_card(change)

    view = await open_form(stage, change, stage.max)
    assert "This plan of CHG-1 can no longer be approved." in stage.read(view)
    await stage.max.type("what", f"{WHAT}\nplease")
    await stage.send(by=stage.max)
    await card_after(stage, change, "Changes requested")

    assert "You asked for changes to CHG-1." in stage.modal(stage.max)
    asked = "✏️ @Max asks for changes: Leave out *5550001*, <!channel> please"
    assert asked in stage.read(stage.card(change))
    assert asked in stage.read(stage.request_card(change))
    [line] = lines_with(stage, change, "asks for changes")
    assert asked in line
    assert "@Ana: press Edit to change the plan." in line
    assert "approve" not in stage.buttons(stage.request_card(change))
    assert "No numbers are locked" in await stage.command("locks")

    form = await revise(stage, change)
    assert asked in stage.read(form)
    assert typed(form, "numbers:0") == f"{ONE}\n{MORE}"
    assert typed(form, "reason") == "Moving to the new PBX"
    await stage.fill(ONE)
    await stage.send()
    assert "This becomes the plan of CHG-1." in stage.read(await stage.planned())
    assert await stage.request() == change
    await stage.quiet()

    assert (stage.card(change).ts, stage.request_card(change).ts) == (card.ts, request.ts)
    assert "✏️ @Max asked for changes to an earlier plan" in stage.read(stage.request_card(change))
    assert [line.splitlines()[0] for line in stage.thread(change) if "🔁" in line]
    assert any("@Max, @Mia" in said and "another plan of CHG-1" in said for said in below_the_request(stage, change))
    assert "That was the last approval needed" in await stage.approve(change)
    await stage.ended(change)

    assert [number.customer_reference for number in stage.telnyx.numbers.values()] == ["Denver", None]
    assert stage.outcomes(change) == {"verified": 1}
    assert all(message.mentions.broadcasts == frozenset() for message in stage.everything())
    plans = [file.name for file in stage.slack.files if "-plan" in file.name]
    assert plans[0] == "CHG-1-plan.csv"
    assert plans[1:] == [f"CHG-1-plan-{digest_on(stage.request_card(change))[:12]}.csv"]
    stage.assert_nothing_doubled()


def digest_on(message: Message) -> str:
    """Return the digest that the buttons of a request carry, or its small print shows."""
    for block in message.blocks:
        for element in block.get("elements", ()):
            if element.get("action_id") == "approve":
                return str(element["value"].split(":")[1])
    return next(
        str(element["text"].split("`")[1])
        for block in message.blocks
        for element in block.get("elements", ())
        if str(element.get("text", "")).startswith("Plan `")
    )


async def test_what_was_left_out_with_one_click_stays_out(stage: Stage) -> None:
    """The form that comes back names the numbers; they come back with the button for that, and with nothing else."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(4, start=ONE)]
    other = await stage.ask(numbers[:2], {"customer_reference": "held"}, by=stage.mia)
    await stage.propose(numbers, {"customer_reference": "x"})
    await stage.ana.click("leave_out")
    await stage.ana.wait_for_view(lambda view: "Numbers: 2" in stage.read(view))
    change = await stage.request()
    await stage.command(f"cancel CHG-{other}", by=stage.mia)
    await send_back(stage, change, "Give a better reason")

    form = await revise(stage, change)
    assert f"These numbers stay left out: {ONE}, {MORE}" in stage.read(form)
    await stage.ana.click("more_numbers")
    await stage.ana.wait_for_view(lambda view: ("numbers:1", "numbers") in view.form.slots)
    await stage.fill(None, None, "They move to the new PBX on Friday")
    await stage.send()
    shown = stage.read(await stage.planned())
    assert "Numbers: 2" in shown
    assert f"2 numbers are excluded ({ONE}, {MORE})." in shown

    await edit(stage)
    await stage.ana.click("put_back")
    await stage.ana.wait_for_view(lambda view: "stay left out" not in stage.read(view))
    await stage.send()
    assert "Numbers: 4" in stage.read(await stage.planned())


async def test_the_audit_log_has_all_of_it(stage: Stage) -> None:
    """Each plan is named by its digest, what was asked for is whole, and the log proves itself."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    first = digest_on(stage.request_card(change))
    await send_back(stage, change)
    await replan(stage, change)
    await stage.quiet()
    second = digest_on(stage.request_card(change))
    assert "Changes requested: Leave out *5550001*, <!channel> · @Max" in await stage.command("status CHG-1")
    await stage.approve(change)
    await stage.ended(change)

    await stage.command("export 2020-01-01 jsonl", by=stage.otto)
    exported = [json.loads(line) for line in stage.slack.files[-1].content.splitlines()]
    told = [(event["what"], event["digest"]) for event in exported if event["change"] == "CHG-1"]
    wanted = ["approval_requested", "changes_requested", "plan_replaced", "approval_requested", "approved", "started"]
    kept = [(what, digest) for what, digest in told if what in wanted]
    assert [what for what, _ in kept] == wanted
    assert [digest for _, digest in kept] == [first, first, second, second, second, second]
    [asked] = [event for event in exported if event["what"] == "changes_requested"]
    assert asked["details"]["comment"] == WHAT


async def test_the_same_plan_again_needs_a_new_decision(stage: Stage) -> None:
    """Even if nothing is edited the digest is another one, and a button of before decides nothing."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    old = deepcopy(stage.request_card(change))
    await open_form(stage, change, stage.mia)
    await stage.mia.type("what", "Too late")
    await send_back(stage, change)
    assert "Changes to CHG-1 were requested" in await stage.answered(stage.max, stage.max.click("approve", message=old))
    await replan(stage, change)
    await stage.quiet()

    said = await stage.answered(stage.max, stage.max.click("approve", message=old))
    assert "This plan of CHG-1 was replaced; decide on the newest request instead." in said
    await stage.send(by=stage.mia)
    assert "This plan of CHG-1 was replaced" in stage.modal(stage.mia)
    assert "Too late" in stage.modal(stage.mia)
    assert stage.created() == []
    assert "Awaiting approval" in stage.read(stage.card(change))


async def test_earlier_approvals_fall(idle: Stage) -> None:
    """Of two approvals the first was given to the former plan; the other plan needs two anew, that of Max included."""
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2", LINESMAN_APPROVERS="U0MAX,U0MIA,U0OTTO")
    change = await idle.ask(ONE)
    await idle.approve(change, by=idle.max)
    await send_back(idle, change, by=idle.mia)
    assert "0 of 2" in idle.read(idle.card(change))
    assert "@Max approved" not in idle.read(idle.card(change))
    await replan(idle, change)
    await idle.quiet()

    assert "needs 1 more approval" in await idle.approve(change, by=idle.max)
    assert idle.created() == []
    assert "That was the last approval needed" in await idle.approve(change, by=idle.mia)
    await idle.ended(change)
    assert "2 of 2: @Max approved, @Mia approved" in idle.read(idle.card(change))
    assert idle.outcomes(change) == {"verified": 1}


async def test_who_approved_may_still_ask_for_changes(idle: Stage) -> None:
    """An approver may think again: their own approval falls with the plan."""
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2")
    change = await idle.ask(ONE)
    await idle.approve(change, by=idle.max)
    await send_back(idle, change, by=idle.max)
    await replan(idle, change)
    await idle.quiet()
    await send_back(idle, change, "Still not", by=idle.max)
    await replan(idle, change)
    await idle.quiet()

    assert len(lines_with(idle, change, "asks for changes")) == 2
    assert len(lines_with(idle, change, "🔁")) == 2
    assert len([said for said in below_the_request(idle, change) if "🔁" in said]) == 2
    assert "needs 1 more approval" in await idle.approve(change, by=idle.max)
    idle.assert_nothing_doubled()


async def test_edit_belongs_to_the_requester(stage: Stage) -> None:
    """Nobody else gets the form, from the card or from the thread."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)

    for person in (stage.max, stage.sam):
        await put_away(person)
        await person.click("revise", message=stage.card(change))
        await person.wait_for_view(lambda view: view.callback_id == "notice")
        assert "CHG-1 is somebody else's plan" in stage.modal(person)
    await put_away(stage.ana)
    line = await line_with_button(stage, change)
    await stage.ana.click("revise", message=line)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")


async def test_an_old_edit_button_edits_nothing(stage: Stage) -> None:
    """The one in the thread stays where it is; after the new request it says that there is nothing to edit."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)
    line = await line_with_button(stage, change)
    await replan(stage, change)

    await put_away(stage.ana)
    await stage.ana.click("revise", message=line)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "notice")
    assert "CHG-1 is awaiting approval, so there is nothing to edit." in stage.modal()


async def test_the_requester_may_not_ask_themselves(idle: Stage, tmp_path: Any) -> None:
    """Not even where a rule lets them approve their own."""
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rule]]\nname = "own"\nself_approval = true\napprovers = ["U0ANA", "U0MAX"]\n')
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_POLICY_FILE=str(policy))
    change = await idle.ask(ONE)

    await put_away(idle.ana)
    await idle.ana.click("ask_for_changes", message=idle.request_card(change))
    await idle.ana.wait_for_view(lambda view: view.callback_id == "notice")
    assert "You requested CHG-1 yourself." in idle.modal()
    assert "Awaiting approval" in idle.read(idle.card(change))


async def test_whoever_may_not_approve_gets_no_form(stage: Stage) -> None:
    """They read why in its place."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)

    await stage.sam.click("ask_for_changes", message=stage.request_card(change))

    await stage.sam.wait_for_view(lambda view: "you are not one of the approvers" in stage.read(view))
    assert "Awaiting approval" in stage.read(stage.card(change))


async def test_blanks_are_no_changes(stage: Stage) -> None:
    """The form says so at its input, and the request goes on waiting."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await open_form(stage, change, stage.max)
    await stage.max.type("what", " \n ")

    assert "Say what should be different." in str(await stage.refused(by=stage.max))
    assert "Awaiting approval" in stage.read(stage.card(change))


async def test_sent_twice_it_is_asked_once(stage: Stage) -> None:
    """Two managers at once, and Slack's repetitions: one of them asks, the other reads that it is too late."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await open_form(stage, change, stage.max)
    await stage.max.type("what", "Later")
    await open_form(stage, change, stage.mia)
    await stage.mia.type("what", "Sooner")
    await stage.send(by=stage.max)
    await stage.send(by=stage.mia)
    await stage.quiet()

    assert "Changes to CHG-1 were requested, so this plan can no longer be decided on." in stage.modal(stage.mia)
    assert "Sooner" in stage.modal(stage.mia)
    assert len(lines_with(stage, change, "asks for changes")) == 1
    stage.assert_nothing_doubled()


async def test_of_two_edits_the_first_one_counts(stage: Stage) -> None:
    """Two windows are open with two plans; the one that comes second is told so, and changes nothing."""
    stage.telnyx.add_numbers(2, start=ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)
    await revise(stage, change)
    await stage.fill(MORE)
    await stage.send()
    await stage.planned()
    windows = stage.slack.workspace.views.stacks
    other = windows.pop(stage.ana.id)  # in another client
    await replan(stage, change)
    windows[stage.ana.id] = other
    await stage.send()

    assert "CHG-1 already has a newer plan." in stage.modal()
    await stage.approve(change)
    await stage.ended(change)
    assert [row["number"] for row in stage.results(change)] == [ONE]


async def test_the_numbers_can_be_changed_by_others_meanwhile(stage: Stage) -> None:
    """They are not locked while the plan is edited, and a plan that comes too late says who has them."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)
    await put_away(stage.ana)
    other = await stage.ask(ONE, {"customer_reference": "Boulder"})
    assert other != change
    await revise(stage, change)
    await stage.send()

    assert f"CHG-{other}" in stage.read(await stage.planned())
    assert "Changes requested" in stage.read(stage.card(change))


async def test_nobody_edits_in_time(stage: Stage) -> None:
    """It expires like a request that nobody decided, the requester is told, and Plan again requests it anew."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)
    stage.clock.advance(86_400 + 60)
    card = await card_after(stage, change, "Expired")

    assert lines_with(stage, change, "@Ana did not request approval of another plan in time")
    assert "revise" not in stage.buttons(card)
    assert stage.slack.messages(FAILURES) == []
    await put_away(stage.ana)
    await stage.ana.click("plan_again", message=card)
    await stage.planned()
    assert await stage.request() != change


async def test_a_plan_whose_change_was_cancelled_meanwhile(stage: Stage) -> None:
    """It does not come back to life: the window says so, and the plan can be requested as a change of its own."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)
    await revise(stage, change)
    await stage.send()
    await stage.planned()
    assert "CHG-1 is cancelled" in await stage.command("cancel CHG-1")

    await stage.send()
    assert "CHG-1 is already cancelled. Plan again" in stage.modal()
    await stage.ana.click("plan_again")
    await stage.ana.wait_for_view(lambda view: "Nothing is changed until somebody approves" in stage.read(view))
    assert await stage.request() != change


async def test_the_new_request_waits_as_long_as_a_first_one(stage: Stage) -> None:
    """Its time begins anew, and approvers are reminded anew; in between the requester is."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    stage.clock.advance(50_000)
    await reminded(stage, change, 1)
    await send_back(stage, change)
    stage.clock.advance(50_000)
    await stage.slack.wait_for(
        lambda: lines_with(stage, change, "⏰ @Ana: an approver is still waiting for another plan."), what="a reminder"
    )
    await replan(stage, change)
    stage.clock.advance(50_000)
    await reminded(stage, change, 2)

    assert "Awaiting approval" in stage.read(stage.card(change))
    await stage.approve(change)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def reminded(stage: Stage, change: int, times: int) -> None:
    """Wait until the approvers have been reminded ``times`` times."""

    def there() -> bool:
        said = [line for line in below_the_request(stage, change) if "still waits for a decision" in line]
        return len(said) == times

    await stage.slack.wait_for(there, what=f"reminder {times}")


async def test_edited_twice_before_it_is_requested(stage: Stage) -> None:
    """Edit in the preview goes on for the same change."""
    stage.telnyx.add_numbers(2, start=ONE)
    change = await stage.ask([ONE, MORE])
    await send_back(stage, change)
    await revise(stage, change)
    await stage.fill(ONE)
    await stage.send()
    await stage.planned()
    await edit(stage)
    await stage.fill(MORE)
    await stage.send()
    await stage.planned()
    await request_again(stage, change)
    await stage.approve(change)
    await stage.ended(change)

    assert [row["number"] for row in stage.results(change)] == [MORE]


async def test_start_and_end_are_those_of_the_new_plan(stage: Stage) -> None:
    """A change that was to start later and to be temporary starts now and for good when that was edited away."""
    stage.telnyx.add_number(ONE, customer_reference="Dallas")
    change = await stage.ask(ONE, start="in 1 hour", until="in 9 hours")
    await send_back(stage, change)
    assert "No changes are scheduled" in await stage.command("list scheduled")
    await revise(stage, change)
    await stage.ana.type("start", "")
    await stage.ana.type("until", "")
    await stage.send()
    await stage.planned()
    await request_again(stage, change)
    await stage.approve(change)
    await stage.ended(change)

    assert "Temporary" not in stage.read(stage.card(change))
    assert stage.outcomes(change) == {"verified": 1}


async def test_what_was_asked_for_stays_above_the_form(stage: Stage) -> None:
    """Choosing settings draws the form anew, and so do Edit below the other plan and what is wrong in it."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)
    await revise(stage, change)
    asked = "✏️ @Max asks for changes: Leave out *5550001*, <!channel>"

    await stage.choose(["customer_reference", "tags"])
    assert asked in stage.modal()
    await stage.set("tags", "denver")
    await stage.send()
    await stage.planned()
    assert asked in stage.read(await edit(stage))
    await stage.send()
    await stage.planned()
    await request_again(stage, change)
    assert asked not in stage.read(await stage.open())


@pytest.mark.parametrize("ends", ["sent back", "rejected"])
async def test_every_word_of_an_approver_is_read(stage: Stage, ends: str) -> None:
    """As many as fit into the box, although Slack wants three of them escaped; the newest ones come first."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    words = ("Sales & support <Denver> keep theirs. " * 14)[:499].strip()
    if ends == "rejected":
        await stage.max.click("reject", message=stage.request_card(change))
        await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
        await stage.max.type("why", words)
        await stage.send(by=stage.max)
        await card_after(stage, change, "Rejected")
        assert words in stage.read(stage.request_card(change))
    else:
        await send_back(stage, change, "Sooner")
        await replan(stage, change)
        await send_back(stage, change, words, by=stage.mia)
        shown = stage.read(await revise(stage, change))
        assert words in shown
        assert shown.index(words) < shown.index("Sooner")
        await stage.quiet()
        assert words in stage.read(stage.card(change))

    assert any(words in line for line in stage.thread(change))


async def test_a_sheet_that_comes_late_is_that_of_the_plan_it_names(stage: Stage) -> None:
    """While Slack takes no files the plan is replaced; its sheet would be made of the numbers of the other one."""
    stage.telnyx.add_numbers(2, start=ONE)
    stage.slack.faults.add(method="files.getUploadURLExternal", kind="rate_limited", retry_after=20)
    change = await stage.ask([ONE, MORE])
    await send_back(stage, change)
    await replan(stage, change, quietly=False)
    await card_says(stage, change, "Awaiting approval")
    stage.clock.advance(60)
    await stage.quiet()

    [sheet] = [file for file in stage.slack.files if "-plan" in file.name]
    assert sheet.name == f"CHG-1-plan-{digest_on(stage.request_card(change))[:12]}.csv"
    assert (ONE.encode() in sheet.content, MORE.encode() in sheet.content) == (True, False)


async def test_requested_twice_in_an_instant_it_is_requested_once(stage: Stage) -> None:
    """Both presses of the button say so: none reads that the plan, which has moved over, is discarded."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)
    await revise(stage, change)
    await stage.send()
    await stage.planned()
    both = await asyncio.gather(stage.ana.submit(), stage.ana.submit())
    await stage.quiet()

    assert ["CHG-1" in str(sent.delivery.body) for sent in both] == [True, True]
    assert ["discarded" in str(sent.delivery.body) for sent in both] == [False, False]
    assert len(lines_with(stage, change, "🔁")) == 1
    stage.assert_nothing_doubled()


async def test_a_change_that_ended_sent_back_names_no_former_plan(stage: Stage) -> None:
    """What was asked for is about the plan that the card shows, and there was no other one."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)
    await stage.command("cancel CHG-1")

    assert "✏️ @Max asked for changes: Leave out" in stage.read(await card_after(stage, change, "Cancelled"))


async def test_lists_and_home_show_where_it_is(stage: Stage) -> None:
    """It waits for nobody's decision until there is a new request, which then does, for whoever asked as well."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change)

    assert "✏️ Changes requested" in await stage.command("list revising")
    assert "✏️ Changes requested" in await stage.command("list open")
    assert "No changes match" in await stage.command("list waiting")
    assert "No requests are waiting for you." in stage.read(await opened(stage, stage.max))
    await replan(stage, change)
    assert "No requests are waiting for you." not in stage.read(await opened(stage, stage.max))


async def test_a_secret_is_typed_again(idle: Stage) -> None:
    """The PIN of the former plan is gone with it; the form wants it anew, and only the new one is sent."""
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_SECRET_KEY=Fernet.generate_key().decode())
    change = await idle.ask(ONE, {"external_pin": "1234"})
    await send_back(idle, change)
    await revise(idle, change)
    with pytest.raises(StandInRefused, match="required and empty"):
        await idle.ana.submit()
    await idle.set("external_pin", "5678")
    await idle.send()
    await idle.planned()
    await request_again(idle, change)
    await idle.approve(change)
    await idle.ended(change)

    assert '"1234"' not in str([call.body for call in idle.telnyx.calls])
    assert "5678" in str(idle.created()[0].body)


async def test_a_freeze_holds_nothing_of_it(stage: Stage) -> None:
    """While submissions are frozen changes can be asked for and made; only the sending waits."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await stage.command("freeze a test", by=stage.otto)
    await send_back(stage, change)
    await card_says(stage, change, "Submissions are frozen")
    await replan(stage, change)
    assert "once the freeze is lifted" in await stage.approve(change)
    await stage.command("unfreeze", by=stage.otto)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def test_waves_are_those_of_the_new_plan(stage: Stage) -> None:
    """A canary that was edited into waves goes in those, and the approval is for them."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(4, start=ONE)]
    await stage.open()
    await stage.fill(numbers, {"customer_reference": "Denver"}, "Moving")
    await stage.ana.type("canary", "1")
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await send_back(stage, change, "In more steps")
    await revise(stage, change)
    await stage.ana.type("canary", "1, 2")
    await stage.send()
    await stage.planned()
    await request_again(stage, change)
    assert "3 waves" in stage.read(stage.request_card(change))
    await stage.approve(change)
    await stage.ended(change)

    assert [len(job.operations) for job in stage.telnyx.jobs] == [1, 2, 1]
    assert stage.outcomes(change) == {"verified": 4}


async def test_the_new_plan_may_be_of_another_kind(stage: Stage) -> None:
    """The same card shows the other kind then, and the numbers are changed by jobs of that."""
    address = stage.telnyx.add_address("1600 Broadway")
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await send_back(stage, change, "Emergency service instead")
    await revise(stage, change)
    await stage.ana.choose("kind", "telnyx.emergency")
    await stage.ana.wait_for_view(
        lambda view: any(block["block_id"] == "value:emergency_enabled" for block in view.blocks)
    )
    await stage.fill(ONE, {"emergency_enabled": "true", "emergency_address_id": address.id})
    await stage.send()
    await stage.planned()
    await request_again(stage, change)
    await stage.approve(change)
    await stage.ended(change)

    assert "CHG-1 · Telnyx: Update emergency service" in stage.read(stage.card(change))
    assert {job.type for job in stage.telnyx.jobs} == {"update_emergency_settings"}
    assert stage.outcomes(change) == {"verified": 1}
    assert stage.telnyx.number(ONE).customer_reference is None
