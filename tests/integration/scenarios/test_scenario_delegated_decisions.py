"""Deciding with a right that is lent: it is worth what it is worth in the lender's hands, and it counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from bot.sandbox.slack import SlackUser
from bot.workflow.approval_validity import ApprovalValidity
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_canary import numbers_of
from tests.integration.scenarios.test_scenario_comments import approve as approve_saying
from tests.integration.scenarios.test_scenario_delegations import ONE, TWO_HOURS, events, lend
from tests.integration.scenarios.test_scenario_policy import under
from tests.integration.scenarios.test_scenario_revisions import send_back
from tests.integration.scenarios.test_scenario_waves import proposed

GROUP: Final = "S0MANAGERS"


@pytest.fixture
async def two(idle: Stage) -> Stage:
    """Set the stage where two approvals are needed, by Max and Mia, and Ana only requests."""
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2", LINESMAN_APPROVERS="U0MAX,U0MIA")
    return idle


async def reject(stage: Stage, change: int, by: SlackUser) -> None:
    """Reject with a reason."""
    await by.click("reject", message=stage.request_card(change))
    await by.wait_for_view(lambda view: view.callback_id == "rejection")
    await by.type("why", "Not today")
    await stage.send(by=by)


async def test_a_delegate_approves_for_an_approver(stage: Stage) -> None:
    """Whose right it was stands wherever the approval is shown, and in the audit log."""
    stage.telnyx.add_number(ONE)
    await lend(stage)
    change = await stage.ask(ONE)
    assert "@Sam for @Max" in stage.read(stage.request_card(change))

    answer = await stage.approve(change, by=stage.sam)
    await stage.ended(change)

    assert "Approved for @Max. That was the last approval needed: CHG-1 starts now." in answer
    assert "1 of 1: @Sam for @Max approved" in stage.read(stage.card(change))
    assert any("🟢 Approved (1 of 1: @Sam for @Max approved)" in line for line in stage.thread(change))
    assert "Approved · @Sam for @Max" in await stage.command("status CHG-1")
    assert stage.outcomes(change) == {"verified": 1}
    [approved] = await events(stage, "approved")
    assert (approved["actor"], approved["details"]["on_behalf_of"]) == ("U0SAM", "U0MAX")


async def test_a_word_with_it_a_rejection_and_a_wish_are_told_as_for_somebody(idle: Stage) -> None:
    """Comment, rejection and "Ask for changes" name who said it and with whose right."""
    idle.telnyx.add_numbers(3, start=ONE)
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2", LINESMAN_APPROVERS="U0MAX,U0MIA")
    await lend(idle)
    commented = await idle.ask(ONE)
    await approve_saying(idle, commented, "Fine", by=idle.sam)
    await card_says(idle, commented, "💬 @Sam for @Max: Fine")
    rejected = await idle.ask("+13035550001")
    await reject(idle, rejected, idle.sam)
    await card_says(idle, rejected, "Rejected")
    sent_back = await idle.ask("+13035550002")
    await send_back(idle, sent_back, "Less", by=idle.sam)
    await idle.quiet()

    assert "⛔ Rejected by @Sam for @Max: Not today" in "\n".join(idle.thread(rejected))
    assert "Rejected by @Sam for @Max: Not today" in idle.read(idle.request_card(rejected))
    assert "✏️ @Sam for @Max asks for changes: Less" in "\n".join(idle.thread(sent_back))
    assert "✏️ @Sam for @Max asks for changes: Less" in idle.read(idle.request_card(sent_back))


async def test_a_right_counts_once_whoever_uses_it(two: Stage) -> None:
    """Two delegates of one person are one approval, and so are the person and a delegate; another right is another."""
    await lend(two)
    await lend(two, "@Otto")
    change = await two.ask(ONE)
    await two.approve(change, by=two.sam)

    assert "That right counts once" in await two.approve(change, by=two.otto)
    assert "The person to whom you lent your right to approve has already approved." in await two.approve(change)
    assert two.created() == []
    assert "starts now" in await two.approve(change, by=two.mia)
    await two.ended(change)
    assert "2 of 2: @Sam for @Max approved, @Mia approved" in two.read(two.card(change))


async def test_a_right_that_its_owner_has_used_is_worth_nothing_to_a_delegate(two: Stage) -> None:
    """They may still reject, for so may the owner."""
    await lend(two)
    change = await two.ask(ONE)
    await two.approve(change)

    assert "Max, who lends you the right, or somebody for Max has already approved this." in await two.approve(
        change, by=two.sam
    )
    await reject(two, change, two.sam)
    await card_says(two, change, "Rejected")


async def test_a_person_counts_once_whoever_lends_them_a_right(two: Stage) -> None:
    """Sam borrows from Max and from Mia, and is one person all the same."""
    await lend(two)
    await lend(two, by=two.mia)
    change = await two.ask(ONE)
    await two.approve(change, by=two.sam)

    assert "You have already approved this change" in await two.approve(change, by=two.sam)
    await card_says(two, change, "1 of 2")


async def test_who_may_approve_themselves_does_not_count_for_somebody_else(two: Stage) -> None:
    """Mia uses her own right, although Max lends her his."""
    await lend(two, "@Mia")
    change = await two.ask(ONE)
    await two.approve(change, by=two.mia)

    await card_says(two, change, "1 of 2: @Mia approved")
    assert "@Mia for @Max" not in two.read(two.request_card(change))
    assert "starts now" in await two.approve(change)
    await two.ended(change)


async def test_the_requester_never_decides_through_somebody_else(idle: Stage, tmp_path: Path) -> None:
    """Not even where the rule lets requesters approve what they requested: that is for those who may approve."""
    idle.telnyx.add_number(ONE)
    idle.env |= {"LINESMAN_APPROVERS": "U0MAX,U0MIA"}
    await under(idle, tmp_path, '[[rule]]\nname = "own"\nself_approval = true\n')
    await lend(idle, "@Ana")
    change = await idle.ask(ONE)

    said = await idle.approve(change, by=idle.ana)

    assert "You requested this change, so nobody can lend you the right to decide on it." in said
    assert "@Ana for @Max" not in idle.read(idle.request_card(change))
    assert idle.created() == []


async def test_nobody_approves_their_own_change_through_a_delegate(idle: Stage, tmp_path: Path) -> None:
    """Mia requests, and who acts with her right cannot approve it, also where she could herself."""
    idle.telnyx.add_number(ONE)
    await under(idle, tmp_path, '[[rule]]\nname = "own"\nself_approval = true\n')
    await lend(idle, by=idle.mia)
    change = await idle.ask(ONE, by=idle.mia)

    said = await idle.approve(change, by=idle.sam)

    assert "Mia requested this change, so the right that Mia lends you does not count for it." in said
    assert "@Sam for @Mia" not in idle.read(idle.request_card(change))
    assert idle.created() == []


async def test_after_its_end_it_approves_nothing(stage: Stage) -> None:
    """The condition is the time at the click, whatever has been written down."""
    stage.telnyx.add_number(ONE)
    await lend(stage)
    change = await stage.ask(ONE)
    stage.clock.advance(TWO_HOURS)

    assert "you are not one of the approvers" in await stage.approve(change, by=stage.sam)
    assert stage.created() == []


async def test_what_was_approved_before_it_ended_by_itself_stays_good(two: Stage) -> None:
    """It was given while the right was lent."""
    await lend(two)
    change = await two.ask(ONE)
    await two.approve(change, by=two.sam)
    two.clock.advance(TWO_HOURS)

    assert "starts now" in await two.approve(change, by=two.mia)
    await two.ended(change)
    assert two.outcomes(change) == {"verified": 1}


@pytest.mark.parametrize("who", ["max", "sam"])
async def test_what_was_approved_before_it_was_ended_does_not_count(two: Stage, who: str) -> None:
    """The card says so at once, and its owner may use the right again."""
    await lend(two)
    change = await two.ask(ONE)
    await two.approve(change, by=two.sam)
    if who == "max":
        await two.command("delegate end @Sam", by=two.max)
    else:
        await two.command("delegate", by=two.sam)
        await two.sam.click("end_delegation", message=two.slack.ephemerals("U0SAM")[-1])
    await card_says(two, change, "0 of 2", "(no longer counts: @Sam acted under a delegation that was ended)")

    await two.approve(change, by=two.mia)
    await card_says(two, change, "1 of 2")
    assert "starts now" in await two.approve(change)
    await two.ended(change)
    [lapsed] = await events(two, "approval_lapsed")
    assert lapsed["details"]["answer"] == (
        "The approval of Sam no longer counts: Sam acted under a delegation that was ended."
    )


async def test_what_waits_for_its_start_does_not_start_without_it(stage: Stage) -> None:
    """Approved for later and taken back before: the change is cancelled at its start, and nothing is sent."""
    stage.telnyx.add_number(ONE)
    await lend(stage)
    change = await stage.ask(ONE, start="in 1 hour")
    await stage.approve(change, by=stage.sam)
    await stage.command("delegate end @Sam", by=stage.max)
    stage.clock.advance(3600)

    await card_says(stage, change, "Cancelled", "1 approval is needed and 0 count")
    assert stage.created() == []


def _max_leaves(stage: Stage) -> None:
    stage.slack.workspace.usergroups[GROUP].members.remove("U0MAX")


def _max_is_switched_off(stage: Stage) -> None:
    stage.slack.workspace.people["U0MAX"].deleted = True


def _sam_is_a_guest(stage: Stage) -> None:
    stage.slack.workspace.people["U0SAM"].guest = True


def _sam_is_switched_off(stage: Stage) -> None:
    stage.slack.workspace.people["U0SAM"].deleted = True


FALLS: Final = [
    pytest.param(_max_leaves, "@Sam acted for Max, who is no longer an approver", id="lender-left"),
    pytest.param(
        _max_is_switched_off, "@Sam acted for Max, who no longer has an active Slack account", id="lender-off"
    ),
    pytest.param(_sam_is_a_guest, "@Sam is now a guest of the workspace", id="delegate-guest"),
    pytest.param(_sam_is_switched_off, "@Sam no longer has an active Slack account", id="delegate-off"),
]


@pytest.fixture
async def house(idle: Stage) -> Stage:
    """Set the stage with Max in the group of managers, who lends his right to Sam; two approvals are needed."""
    idle.slack.add_usergroup(GROUP, handle="managers", members=["U0MAX"])
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_APPROVERS=f"{GROUP},U0MIA,U0OTTO", LINESMAN_APPROVALS_REQUIRED="2")
    await lend(idle)
    return idle


@pytest.mark.parametrize(("fall", "told"), FALLS)
async def test_it_lapses_with_the_right_of_its_owner_and_with_its_delegate(
    house: Stage, fall: Callable[[Stage], None], told: str
) -> None:
    """The next approval finds that it does not count any more, and says why."""
    change = await house.ask(ONE)
    await house.approve(change, by=house.sam)
    fall(house)

    said = await house.approve(change, by=house.mia)

    assert "The approval of Sam no longer counts: Sam" in said
    assert "needs 1 more approval" in said
    await card_says(house, change, "1 of 2", told)


@pytest.mark.parametrize("fall", [pytest.param(each.values[0], id=each.id) for each in FALLS])
async def test_it_approves_nothing_once_either_has_lost_their_standing(
    house: Stage, fall: Callable[[Stage], None]
) -> None:
    """It is asked of Slack at the click."""
    change = await house.ask(ONE)
    fall(house)

    await house.approve(change, by=house.sam)
    await house.quiet()

    assert "0 of 2" in house.read(house.request_card(change))


async def test_it_fails_closed_while_slack_does_not_say_who_is_in_the_group(house: Stage) -> None:
    """Whose right it is has to be known to have it."""
    change = await house.ask(ONE)
    house.slack.faults.add(method="usergroups.users.list", kind="status", status=503, times=20)

    said = await house.approve(change, by=house.sam)

    assert "Slack did not confirm that Max, who lends you the right, may approve this." in said
    assert "0 of 2" in house.read(house.request_card(change))


async def test_who_switched_off_their_delegate_can_use_the_right_again(house: Stage) -> None:
    """An approval that lapsed and that nobody has noted yet does not use it up."""
    change = await house.ask(ONE)
    await house.approve(change, by=house.sam)
    _sam_is_a_guest(house)

    assert "needs 1 more approval" in await house.approve(change, by=house.max)
    await card_says(house, change, "1 of 2")


async def test_reminders_and_the_request_name_who_can_stand_in(two: Stage) -> None:
    """As long as neither of the two has answered."""
    await lend(two)
    change = await two.ask(ONE)
    request = two.request_card(change)
    assert "@Max, @Mia, @Sam for @Max" in two.read(request)
    two.clock.advance(1000)
    await two.slack.wait_for(lambda: len(two.slack.thread(request.channel, request.ts)) > 1, what="a reminder")
    [reminder] = two.slack.thread(request.channel, request.ts)[1:]
    assert "still waits for a decision: @Max, @Mia, @Sam for @Max." in two.read(reminder)

    await two.approve(change, by=two.max)
    two.clock.advance(3600)
    await two.slack.wait_for(lambda: len(two.slack.thread(request.channel, request.ts)) > 2, what="another reminder")
    assert "still waits for a decision: @Mia." in two.read(two.slack.thread(request.channel, request.ts)[-1])


async def test_a_request_that_waits_names_the_delegate_as_soon_as_the_right_is_lent(stage: Stage) -> None:
    """And no longer than that."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await lend(stage)

    await stage.slack.wait_for(lambda: "@Sam for @Max" in stage.read(stage.request_card(change)), what="the delegate")
    await stage.command("delegate end @Sam", by=stage.max)
    await stage.slack.wait_for(
        lambda: "@Sam for @Max" not in stage.read(stage.request_card(change)), what="the delegate gone"
    )


async def test_an_end_and_an_approval_at_once_are_one_after_the_other(two: Stage) -> None:
    """Whichever comes first: once the end was answered, no approval given with that right counts."""
    await lend(two)
    change = await two.ask(ONE)
    request = two.request_card(change)

    await asyncio.gather(
        two.sam.click("approve", message=request), two.max.command("/numbers", "delegate end @Sam", channel="C0OPS")
    )
    await two.quiet()
    await two.slack.wait_for(lambda: "no longer approve" in two.read(two.slack.ephemerals("U0MAX")[-1]), what="the end")
    await two.approve(change, by=two.mia)
    await two.quiet()

    await card_says(two, change, "1 of 2")
    assert two.created() == []


#: Otto approves first, then Max.
STAGES: Final = """\
[[rule]]
name = "staged"
stages = [
  { name = "safety", approvers = ["U0OTTO"], approvals_required = 1 },
  { name = "network", approvers = ["U0MAX"], approvals_required = 1 },
]
"""


async def test_a_lent_right_counts_in_the_stage_of_its_owner(idle: Stage, tmp_path: Path) -> None:
    """Sam, to whom Max lends his, waits for his turn, and Otto may not use it beside his own."""
    idle.telnyx.add_number(ONE)
    await under(idle, tmp_path, STAGES)
    await lend(idle)
    await lend(idle, "@Otto")
    change = await idle.ask(ONE)
    assert "Max, who lends you the right to approve, may not approve this change now." in await idle.approve(
        change, by=idle.sam
    )
    await idle.approve(change, by=idle.otto)
    await card_says(idle, change, "@Otto approved")

    assert "have already approved this change" in await idle.approve(change, by=idle.otto)
    assert "That was the last approval needed" in await idle.approve(change, by=idle.sam)
    await idle.ended(change)
    [first, second] = await events(idle, "approved")
    assert (first["actor"], first["details"]["stage"]) == ("U0OTTO", "safety")
    assert (second["details"]["on_behalf_of"], second["details"]["stage"]) == ("U0MAX", "network")


async def test_a_right_counts_in_one_stage_only(idle: Stage, tmp_path: Path) -> None:
    """Max is in both stages: two delegates of his are not two people, and neither are he and one of them."""
    idle.telnyx.add_number(ONE)
    await under(
        idle, tmp_path, STAGES.replace('["U0OTTO"]', '["U0MAX"]').replace('["U0MAX"], a', '["U0MAX", "U0MIA"], a')
    )
    await lend(idle)
    await lend(idle, "@Otto")
    change = await idle.ask(ONE)
    await idle.approve(change, by=idle.sam)
    await card_says(idle, change, "@Sam for @Max approved")

    assert "That right counts once" in await idle.approve(change, by=idle.otto)
    assert "That right counts once" in await idle.approve(change)
    await lend(idle, by=idle.mia)
    assert "have already approved this change" in await idle.approve(change, by=idle.sam)
    assert idle.created() == []
    assert "That was the last approval needed" in await idle.approve(change, by=idle.mia)
    await idle.ended(change)


async def test_what_a_fallback_approver_lends_waits_for_their_time(idle: Stage, tmp_path: Path) -> None:
    """Before, it approves nothing, although the lender is named in the rule."""
    idle.telnyx.add_number(ONE)
    fallback = 'approvers = ["U0MIA"]\nfallback_approvers = ["U0MAX"]\nfallback_after = "2h"\n'
    await under(idle, tmp_path, f'[[rule]]\nname = "late"\n{fallback}')
    await lend(idle, until="for 5 hours")
    change = await idle.ask(ONE)
    assert "who lends you the right to approve, may not approve this change now" in await idle.approve(
        change, by=idle.sam
    )
    assert "@Sam" not in idle.read(idle.request_card(change))

    idle.clock.advance(TWO_HOURS)
    assert "That was the last approval needed" in await idle.approve(change, by=idle.sam)
    await idle.ended(change)
    assert "@Sam for @Max approved as a fallback approver" in idle.read(idle.card(change))


async def test_a_stage_is_open_again_once_the_right_that_completed_it_was_taken_back(
    idle: Stage, tmp_path: Path
) -> None:
    """Its people are asked again, and what was approved in a later stage waits for them."""
    idle.telnyx.add_number(ONE)
    await under(idle, tmp_path, STAGES)
    await lend(idle, by=idle.otto)
    change = await idle.ask(ONE)
    await idle.approve(change, by=idle.sam)
    await idle.command("delegate end @Sam", by=idle.otto)
    await idle.quiet()

    assert "stage_reopened" in [each["what"] for each in await events(idle, "stage_reopened")]
    assert "waits for the stage “safety” first" in await idle.approve(change)
    await idle.approve(change, by=idle.otto)
    assert "That was the last approval needed" in await idle.approve(change)
    await idle.ended(change)


async def test_a_right_that_is_taken_back_at_the_last_moment_lets_nothing_go(
    two: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Slack was asked whether the approvals still count, and before anything was sent."""
    look = ApprovalValidity.in_the_way

    async def then_ended(validity: ApprovalValidity, *asked: Any) -> str:
        said = await look(validity, *asked)
        await two.command("delegate end @Sam", by=two.max)
        return said

    monkeypatch.setattr(ApprovalValidity, "in_the_way", then_ended)
    await lend(two)
    change = await two.ask(ONE)
    await two.approve(change, by=two.mia)
    await two.approve(change, by=two.sam)

    await card_says(two, change, "Cancelled", "2 approvals are needed and 1 counts")
    await two.quiet()
    assert two.created() == []


async def test_a_right_that_is_taken_back_stops_the_waves_that_follow(stage: Stage) -> None:
    """What was sent stays as it is, and what was held back is not sent."""
    numbers = numbers_of(stage, 4)
    await lend(stage)
    await proposed(stage, numbers, "1, rest", "ask")
    change = await stage.request()
    await stage.approve(change, by=stage.sam)
    await card_says(stage, change, "Wave 1 of 2 is done")
    await stage.command("delegate end @Sam", by=stage.max)
    await stage.ana.click("go_on", message=stage.card(change))
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1, "not_attempted": 3}
    assert "1 approval is needed and 0 count, so the rest was not sent" in stage.read(stage.card(change))
