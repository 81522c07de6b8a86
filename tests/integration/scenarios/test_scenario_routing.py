"""Who is asked, and where: channels and mentions that a rule of the policy file names."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.slack import Message
from tests.integration.scenarios.stage import APPROVALS, FAILURES, OPS, Stage, key_of
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_policy import TAGS, numbers, under
from tests.integration.scenarios.test_scenario_revisions import replan, send_back
from tests.integration.scenarios.test_scenario_slack_fallbacks import lose

SAFETY, ALARMS = "C0SAFETY", "C0ALARMS"
#: A rule for changes of more than one number.
RULE = (
    '[[rule]]\nname = "safety"\nmin_numbers = 2\n'
    f'approval_channel = "{SAFETY}"\nfailure_channel = "{ALARMS}"\nmention = ["U0MIA", "U0SAM"]\n'
)


async def routed(idle: Stage, folder: Path, rules: str = RULE) -> Stage:
    """Start the bot under ``rules``, in a workspace with the channels that they name."""
    for channel, name in ((SAFETY, "safety"), (ALARMS, "alarms")):
        idle.slack.add_channel(channel, name=name, members=["U0ANA", "U0MAX", "U0MIA", "U0SAM"])
    return await under(idle, folder, rules)


def told(stage: Stage, channel: str) -> list[str]:
    """Return what stands in a channel, as read."""
    return [stage.read(each) for each in stage.slack.messages(channel)]


def raw(message: Message) -> str:
    """Return all that could notify somebody."""
    return f"{message.text} {message.blocks}"


async def test_the_rule_says_where_and_who(idle: Stage, tmp_path: Path) -> None:
    """Request, reminders and failures are in the rule's channels; only who it names is mentioned, approvers decide."""
    stage = await routed(idle, tmp_path)
    wanted = numbers(stage, 3)
    stage.telnyx.fail(wanted[0])
    await stage.propose(wanted, TAGS)
    assert "from @Max, @Mia, requested in #safety. If nobody" in stage.modal()
    change = await stage.request()
    request = stage.request_card(change)

    assert request.channel == SAFETY
    assert request.text.startswith("<@U0MIA>, <@U0SAM>: <@U0ANA> requests approval")
    assert "<@U0MAX>" not in raw(request)
    await stage.max.click("details", message=request)
    view = await stage.max.wait_for_view(lambda view: view.callback_id == "details")
    assert "May approve: @Max, @Mia. The requester may not." in stage.read(view)

    stage.clock.advance(16 * 60)
    await stage.slack.wait_for(lambda: len(stage.slack.thread(SAFETY, request.ts)) > 1, what="a reminder")
    assert "waits for a decision: @Mia, @Sam." in stage.read(stage.slack.thread(SAFETY, request.ts)[1])

    assert "not one of the approvers" in await stage.approve(change, by=stage.sam)
    await stage.approve(change)
    await stage.ended(change)

    assert stage.card(change).channel == OPS
    assert ["1 of 3 numbers failed" in text for text in told(stage, ALARMS)] == [True]
    assert told(stage, APPROVALS) == told(stage, FAILURES) == []


async def test_what_the_rule_is_not_for_goes_where_the_variables_say(idle: Stage, tmp_path: Path) -> None:
    """A change of one number is asked for and told in the usual channels, and its approvers are mentioned."""
    stage = await routed(idle, tmp_path)
    (one,) = numbers(stage, 1)
    stage.telnyx.fail(one)
    change = await stage.run(one, TAGS)

    assert stage.request_card(change).channel == APPROVALS
    assert len(stage.failures()) == 1
    assert told(stage, SAFETY) == told(stage, ALARMS) == []


async def test_nobody_need_be_mentioned(idle: Stage, tmp_path: Path) -> None:
    """With an empty list neither the request nor its reminder notifies anybody, and both can be read."""
    stage = await routed(idle, tmp_path, '[[rule]]\nname = "quiet"\nmention = []\n')
    change = await stage.ask(numbers(stage, 2), TAGS)
    request = stage.request_card(change)
    stage.clock.advance(16 * 60)
    await stage.slack.wait_for(lambda: len(stage.slack.thread(APPROVALS, request.ts)) > 1, what="a reminder")

    assert request.text.startswith("<@U0ANA> requests approval")
    for message in stage.slack.thread(APPROVALS, request.ts):
        assert "<@U0MAX>" not in raw(message)
        assert "<@U0MIA>" not in raw(message)
    assert "still waits for a decision. It expires" in stage.read(stage.slack.thread(APPROVALS, request.ts)[1])


async def test_a_card_that_has_no_other_place_is_where_approval_is_requested(idle: Stage, tmp_path: Path) -> None:
    """A change that was started where the bot is not has its card in the rule's channel."""
    stage = await routed(idle, tmp_path)
    stage.slack.add_channel("C0ELSE", name="elsewhere", members=["U0ANA"], bot_is_member=False)
    await stage.open(channel="C0ELSE")
    await stage.fill(numbers(stage, 2), TAGS, "why")
    await stage.send()
    await stage.planned()

    assert stage.card(await stage.request()).channel == SAFETY


@pytest.mark.parametrize("how", ["archived", "sent away"])
async def test_lost_channels_of_a_rule_are_replaced_by_those_of_the_variables(
    idle: Stage, tmp_path: Path, how: str
) -> None:
    """The request and the notice are where they would be without the rule, and can be decided on there."""
    stage = await routed(idle, tmp_path)
    wanted = numbers(stage, 3)
    stage.telnyx.fail(wanted[0])
    for channel in (SAFETY, ALARMS):
        lose(stage, how, channel)
    change = await stage.ask(wanted, TAGS)
    assert stage.request_card(change).channel == APPROVALS

    await stage.approve(change)
    await stage.ended(change)

    assert "1 of 3 numbers failed" in stage.failures()[0]
    assert told(stage, SAFETY) == told(stage, ALARMS) == []


async def test_with_every_channel_lost_the_requester_hears_in_private(idle: Stage, tmp_path: Path) -> None:
    """Card, thread and notice go through all that rule and variables name, and then to the requester."""
    stage = await routed(idle, tmp_path)
    wanted = numbers(stage, 3)
    stage.telnyx.fail(wanted[0])
    stage.telnyx.job_seconds = 60
    change = await stage.ask(wanted, TAGS)
    await stage.approve(change)
    await card_says(stage, change, "1 running")
    for channel in (OPS, SAFETY, ALARMS, APPROVALS, FAILURES):
        lose(stage, "archived", channel)

    stage.telnyx.advance(60)
    await stage.ended(change)

    private = [each for each in stage.everything() if each.channel.startswith("D") and not each.deleted]
    assert [key_of(each) for each in private if "Partly failed" in stage.read(each)] == [f"CHG-{change}:card"]
    assert sum("1 of 3 numbers failed" in stage.read(each) for each in private) == 1


async def test_a_plan_under_another_rule_is_asked_for_where_that_rule_says(idle: Stage, tmp_path: Path) -> None:
    """After "Ask for changes" the request moves to where those read who may decide now; the old one says where."""
    stage = await routed(idle, tmp_path)
    wanted = numbers(stage, 2)
    change = await stage.ask(wanted, TAGS)
    first = stage.request_card(change)
    await send_back(stage, change)

    await replan(stage, change, wanted[0], quietly=False)
    await stage.slack.wait_for(lambda: stage.slack.messages(APPROVALS), what="the request in the other channel")
    await stage.quiet()

    (request,) = stage.slack.messages(APPROVALS)
    assert request.text.startswith("<@U0MAX>, <@U0MIA>: <@U0ANA> requests approval of CHG-1, 1 number")
    assert stage.slack.thread(APPROVALS, request.ts)[1:] == []
    assert "The request for approval of CHG-1 is now in #approvals." in stage.read(first)
    assert stage.buttons(first) == []
    await stage.answered(stage.max, stage.max.click("approve", message=request))
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def test_a_request_does_not_move_to_where_the_bot_is_not(idle: Stage, tmp_path: Path) -> None:
    """When the other rule's channel is closed to the bot, the request goes on where it is, with a word below it."""
    stage = await routed(idle, tmp_path)
    wanted = numbers(stage, 2)
    change = await stage.ask(wanted, TAGS)
    await send_back(stage, change)
    lose(stage, "sent away", APPROVALS)

    await replan(stage, change, wanted[0])

    request = stage.request_card(change)
    assert request.channel == SAFETY
    assert "@Max, @Mia: @Ana requests approval of another plan" in stage.read(stage.slack.thread(SAFETY, request.ts)[1])
    await stage.approve(change)
    await stage.ended(change)


async def test_a_notice_that_was_interrupted_is_looked_for_where_it_was_sent(idle: Stage, tmp_path: Path) -> None:
    """Slack posts it and does not answer, and the next start has another policy: it is there once."""
    stage = await routed(idle, tmp_path)
    wanted = numbers(stage, 3)
    stage.telnyx.fail(wanted[0])
    posted = stage.slack.faults.add(
        method="chat.postMessage", kind="drop_after", where=lambda call: call.get("channel") == ALARMS
    )
    change = await stage.ask(wanted, TAGS)
    await stage.approve(change)
    await stage.slack.wait_for(lambda: posted.fired, what="the notice")
    await stage.crash()

    await under(stage, tmp_path, '[[rule]]\nname = "new"\n')
    await stage.ended(change)

    assert len(told(stage, ALARMS)) == 1
    assert stage.failures() == []
    stage.assert_nothing_doubled()
