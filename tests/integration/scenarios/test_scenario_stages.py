"""Stages: who approves after whom, what everybody is told, and who may instead when nobody has for a while."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.scenarios.stage import APPROVALS, Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_delete import propose
from tests.integration.scenarios.test_scenario_home import opened, shows
from tests.integration.scenarios.test_scenario_policy import TAGS, numbers, under
from tests.integration.scenarios.test_scenario_revisions import below_the_request, replan, send_back
from tests.integration.scenarios.test_scenario_temporary import asked_to_extend, proposed

GROUP = "S0NET"
TWO = """
[[rule]]
name = "routing"
stages = [
  { name = "safety", approvers = ["U0MIA"] },
  { name = "network", approvers = ["S0NET"] },
]
"""
FALLBACK = """
[[rule]]
name = "night"
approvers = ["U0MAX"]
fallback_approvers = ["U0MIA"]
fallback_after = "2h"
reminder = "never"
"""


@pytest.fixture
async def staged(idle: Stage, tmp_path: Path) -> Stage:
    """Set the stage under a rule with two stages: Mia, then Max through a user group."""
    idle.slack.add_usergroup(GROUP, handle="network", members=["U0MAX"])
    return await under(idle, tmp_path, TWO)


async def again_under(stage: Stage, folder: Path, rules: str) -> None:
    """Start the bot again, with a policy file of other ``rules``."""
    await stage.stop()
    await under(stage, folder, rules)


async def test_the_whole_way(staged: Stage) -> None:
    """First Mia, then Max: each is asked when it is their turn, and everybody can see how far it is."""
    await staged.propose(numbers(staged, 2), TAGS, reason="Moving to the new PBX")
    preview = staged.modal()
    change = await staged.request()
    request = staged.read(staged.request_card(change))

    assert "Needs 2 approvals, requested in #approvals, one stage after the other:" in preview
    assert "1. safety: 1 from @Mia\n2. network: 1 from @network" in preview
    assert "🔵 safety: 0 of 1, open\n⚪ network: 0 of 1" in request
    assert "May approve in the stage safety: @Mia. Then: network." in request
    assert "@network" not in request
    assert "This change waits for the stage “safety” first." in await staged.approve(change)

    answer = await staged.approve(change, by=staged.mia)
    await staged.quiet()

    history = await staged.command(f"status CHG-{change}")
    assert "Approved in the stage safety · @Mia" in history
    assert "Stage network open" in history
    assert "The stage safety of CHG-1 is complete. It now waits for the stage network" in answer
    assert below_the_request(staged, change) == ["🔵 @network: CHG-1 waits for the stage network now."]
    assert staged.thread(change)[-1] == ("🔵 Stage safety is complete (@Mia approved). Waiting for the stage network.")
    assert "✅ safety: 1 of 1, @Mia approved\n🔵 network: 0 of 1, open" in staged.read(staged.card(change))
    assert "You have already approved this change in the stage “safety”" in await staged.approve(change, by=staged.mia)

    assert "That was the last approval needed" in await staged.approve(change)
    await staged.ended(change)

    assert any(
        "Approved (2 of 2: @Mia approved in safety, @Max approved in network). Starting now." in line
        for line in staged.thread(change)
    )
    assert len(below_the_request(staged, change)) == 1


async def test_home_and_lists_show_for_whom_a_request_waits(staged: Stage) -> None:
    """Only those whose turn it is have it among what waits for them."""
    await opened(staged, staged.mia)
    change = await staged.ask(numbers(staged, 1), TAGS)

    await shows(staged, staged.mia, "Waiting for the stage safety (0 of 1), 1 of 2")
    assert f"CHG-{change} · 🔵 Awaiting approval in the stage safety" in await staged.command("list waiting")
    await staged.approve(change, by=staged.mia)
    await shows(staged, staged.mia, "No requests are waiting for you.")

    assert "🔵 Awaiting approval in the stage network" in await staged.command("list waiting")


async def test_whoever_approves_in_any_stage_may_reject_at_any_time(staged: Stage) -> None:
    """Max comes second, and does not have to wait for his turn to say no."""
    change = await staged.ask(numbers(staged, 1), TAGS)

    await staged.max.click("reject", message=staged.request_card(change))
    await staged.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await staged.max.type("why", "Not today.")
    await staged.max.submit()

    await card_says(staged, change, "Rejected")


async def test_another_plan_begins_with_the_first_stage(staged: Stage) -> None:
    """What was approved in a stage was that plan: the next one goes through all of them."""
    wanted = numbers(staged, 2)
    change = await staged.ask(wanted, TAGS)
    await staged.approve(change, by=staged.mia)
    await send_back(staged, change, by=staged.max)
    await replan(staged, change, wanted[0])

    assert "🔵 safety: 0 of 1, open" in staged.read(staged.request_card(change))
    assert "waits for the stage “safety” first" in await staged.approve(change)
    await staged.approve(change, by=staged.mia)
    await staged.quiet()
    assert sum("waits for the stage network now" in told for told in below_the_request(staged, change)) == 2
    assert "That was the last approval needed" in await staged.approve(change)
    await staged.ended(change)


async def test_two_stages_at_once(staged: Stage) -> None:
    """Both click in the same moment: Max counts after Mia or not at all, and one more click ends it."""
    change = await staged.ask(numbers(staged, 1), TAGS)

    answers = await asyncio.gather(staged.approve(change, by=staged.mia), staged.approve(change, by=staged.max))
    if "last approval" not in answers[1]:
        assert "safety" in answers[1]
        assert "That was the last approval needed" in await staged.approve(change)
    await staged.ended(change)

    staged.assert_nothing_doubled()
    assert "2 of 2: @Mia approved in safety, @Max approved in network" in staged.read(staged.card(change))


async def test_two_of_one_stage_at_once(idle: Stage, tmp_path: Path) -> None:
    """The stage needs one of them: the other counts in no stage that they did not mean."""
    both = '["U0MIA", "U0MAX"]'
    stage = await under(idle, tmp_path, TWO.replace('["U0MIA"]', both).replace('["S0NET"]', both))
    change = await stage.ask(numbers(stage, 1), TAGS)

    answers = await asyncio.gather(stage.approve(change, by=stage.mia), stage.approve(change, by=stage.max))
    await stage.quiet()
    card = stage.read(stage.card(change))

    if "Awaiting approval" in card:  # they met in the first stage
        assert sum("was not recorded" in answer for answer in answers) == 1
        assert "🔵 network: 0 of 1, open" in card
    else:  # one of them came late enough to be asked for the second
        assert "2 of 2" in card


async def test_an_approval_that_lapses_opens_its_stage_again(idle: Stage, tmp_path: Path) -> None:
    """Mia leaves the safety group: Max's click says so and counts for nothing, and another of safety is asked."""
    idle.slack.add_usergroup("S0SAFE", handle="safety", members=["U0MIA", "U0OTTO"])
    idle.slack.add_usergroup(GROUP, handle="network", members=["U0MAX"])
    stage = await under(idle, tmp_path, TWO.replace("U0MIA", "S0SAFE"))
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change, by=stage.mia)
    stage.slack.workspace.usergroups["S0SAFE"].members.remove("U0MIA")

    answer = await stage.approve(change)
    await stage.quiet()

    gone = "The approval of Mia no longer counts: Mia is no longer an approver in the stage “safety”."
    assert f"{gone} CHG-1 now waits for the stage “safety”, so your approval was not recorded." in answer
    assert f"🔵 @safety: CHG-1 waits for the stage safety again. {gone}" in below_the_request(stage, change)
    assert stage.thread(change)[-1] == f"↩️ The stage safety is open again. {gone}"
    assert "waits for the stage “safety” first" in await stage.approve(change)
    await stage.approve(change, by=stage.otto)
    assert "That was the last approval needed" in await stage.approve(change)
    await stage.ended(change)


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(TWO.replace('"safety"', '"security"'), id="renamed"),
        pytest.param(
            TWO.replace("stages = [", 'stages = [\n  { name = "first", approvers = ["U0OTTO"] },'), id="added"
        ),
    ],
)
async def test_another_policy_in_between(staged: Stage, tmp_path: Path, rules: str) -> None:
    """A stage that the rule has by now is a stage that nobody has approved in: Max alone ends nothing."""
    change = await staged.ask(numbers(staged, 1), TAGS)
    await staged.approve(change, by=staged.mia)
    await staged.quiet()

    await again_under(staged, tmp_path, rules)

    assert "first. Yours, “network”, comes after it" in await staged.approve(change)
    assert staged.created() == []
    first = staged.mia if "security" in rules else staged.otto
    await staged.approve(change, by=first)
    assert "That was the last approval needed" in await staged.approve(change)
    await staged.ended(change)


@pytest.mark.parametrize("rules", [TWO.replace('"network"', '"routing"'), '[[rule]]\nname = "plain"\n'])
async def test_another_policy_before_the_start(staged: Stage, tmp_path: Path, rules: str) -> None:
    """Approved in stages that the rule does not have when the change starts: nothing is sent."""
    change = await staged.ask(numbers(staged, 1), TAGS, start="in 20 hours")
    await staged.approve(change, by=staged.mia)
    await staged.approve(change)
    await card_says(staged, change, "Approved")

    await again_under(staged, tmp_path, rules)
    staged.clock.advance(21 * 3600)
    await card_says(staged, change, "Cancelled")

    assert staged.created() == []
    assert "which the rule no longer has" in staged.read(staged.card(change))


async def test_a_card_says_when_the_rule_asks_for_more_before_the_start(idle: Stage, tmp_path: Path) -> None:
    """Approved under another rule: the card says what is missing and how to unlock the numbers, until it is not so."""
    stage = await under(idle, tmp_path, '[[rule]]\nname = "plain"\n')
    change = await stage.ask(numbers(stage, 1), TAGS, start="in 20 hours")
    await stage.approve(change)

    await again_under(stage, tmp_path, '[[rule]]\nname = "plain"\napprovals_required = 2\n')
    await card_says(
        stage,
        change,
        "The current policy rule requires more approvals: 1 of 2. It will not start unless the rule changes",
    )
    await again_under(stage, tmp_path, '[[rule]]\nname = "plain"\n')
    await stage.slack.wait_for(lambda: "too few" not in stage.read(stage.card(change)), what="a card without it")
    stage.clock.advance(21 * 3600)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def test_an_extension_goes_through_the_stages_too(staged: Stage) -> None:
    """A later end is approved by those who approve the change, one after the other."""
    number = staged.telnyx.add_number("+13035550000", customer_reference="Dallas")
    await proposed(staged, [number.phone_number], "in 8 hours")
    change = await staged.request()
    await staged.approve(change, by=staged.mia)
    await staged.approve(change)
    await card_says(staged, change, "In effect")
    await staged.quiet()
    extension = await asked_to_extend(staged, change)

    assert "waits for the stage “safety” first" in await staged.approve(extension)
    await staged.approve(extension, by=staged.mia)
    await staged.quiet()
    assert (
        f"🔵 CHG-{extension}: Stage safety is complete (@Mia approved). Waiting for the stage network."
        in staged.thread(change)
    )
    assert f"CHG-{change} is extended" in await staged.approve(extension)


async def test_a_kind_that_is_off_by_default_has_two_approvals_by_its_stages(idle: Stage, tmp_path: Path) -> None:
    """A rule that allows deletions in stages says by them how many people it takes."""
    idle.slack.add_usergroup(GROUP, handle="network", members=["U0MAX"])
    stage = await under(idle, tmp_path, TWO.replace("stages", 'kinds = ["telnyx.delete"]\nallow = true\nstages', 1))
    await propose(stage, numbers(stage, 1))
    await stage.ana.type("count", "1")
    change = await stage.request()

    await stage.approve(change, by=stage.mia)
    assert "That was the last approval needed" in await stage.approve(change)
    await stage.ended(change)


async def test_a_requester_who_may_approve_counts_in_one_stage(idle: Stage, tmp_path: Path) -> None:
    """With self_approval, Ana's own approval counts in safety, and somebody else's is needed in network."""
    rules = TWO.replace("stages", "self_approval = true\nstages", 1).replace("U0MIA", "U0ANA")
    stage = await under(idle, tmp_path, rules.replace('["S0NET"]', '["U0ANA", "U0MAX"]'))
    change = await stage.ask(numbers(stage, 1), TAGS)

    await stage.approve(change, by=stage.ana)
    assert "counts in one stage only" in await stage.approve(change, by=stage.ana)
    assert "That was the last approval needed" in await stage.approve(change)


async def test_stages_that_nobody_can_complete_are_refused_at_the_request(idle: Stage, tmp_path: Path) -> None:
    """Mia is all that both stages have: the request says so at once, and not after hours of waiting."""
    stage = await under(idle, tmp_path, TWO.replace("S0NET", "U0MIA"))
    await stage.propose(numbers(stage, 1), TAGS, reason="why")
    await stage.ana.submit()

    await stage.ana.wait_for_view(lambda view: "Nobody could approve this in the stage “network”" in stage.read(view))


async def test_reminders_are_for_the_open_stage(staged: Stage) -> None:
    """First for Mia; from when network is open for its people, with pauses that begin anew."""
    change = await staged.ask(numbers(staged, 1), TAGS)
    staged.clock.advance(16 * 60)
    await staged.slack.wait_for(lambda: len(below_the_request(staged, change)) == 1, what="a reminder")
    await staged.approve(change, by=staged.mia)
    await staged.slack.wait_for(lambda: len(below_the_request(staged, change)) == 2, what="the word to network")
    staged.clock.advance(16 * 60)
    await staged.slack.wait_for(lambda: len(below_the_request(staged, change)) == 3, what="another reminder")

    first, _, second = below_the_request(staged, change)
    assert "still waits for a decision: @Mia." in first
    assert "still waits for a decision: @network." in second


async def test_fallback_approvers_may_after_a_time(idle: Stage, tmp_path: Path) -> None:
    """Before that they are told from when; then they are called once, whatever happens to the bot meanwhile."""
    stage = await under(idle, tmp_path, FALLBACK)
    change = await stage.ask(numbers(stage, 1), TAGS)

    assert "its fallback approvers may approve too" in stage.read(stage.request_card(change))
    assert "@Mia" not in stage.read(stage.request_card(change))
    assert "You are a fallback approver: you may approve from " in await stage.approve(change, by=stage.mia)
    assert "You are a fallback approver: you may approve from " in await _rejects(stage, change)
    await stage.crash()
    stage.clock.advance(2 * 3600)
    await stage.start()
    await stage.slack.wait_for(lambda: below_the_request(stage, change), what="the call")
    await stage.quiet()

    assert below_the_request(stage, change) == [
        "⏳ @Mia: nobody has approved CHG-1 for 2 h. Its fallback approvers may approve now."
    ]
    assert "fallback approvers may approve too: " in stage.read(stage.request_card(change))
    assert "That was the last approval needed" in await stage.approve(change, by=stage.mia)
    await stage.ended(change)
    assert "1 of 1: @Mia approved as a fallback approver" in stage.read(stage.card(change))
    assert "Approved as a fallback approver" in await stage.command(f"status CHG-{change}")
    stage.clock.advance(5 * 3600)
    await stage.quiet()
    assert len(below_the_request(stage, change)) == 1


async def _rejects(stage: Stage, change: int) -> str:
    """Press Reject as Mia and return what the modal says."""
    await stage.mia.click("reject", message=stage.request_card(change))
    view = await stage.mia.wait_for_view(lambda view: "fallback" in stage.read(view))
    said = stage.read(view)
    await stage.mia.close(everything=True)
    return said


async def test_a_stage_that_is_open_again_waits_anew_for_its_fallback(idle: Stage, tmp_path: Path) -> None:
    """Two approvals of safety lapse after three hours, and one is given again: Otto may not before two more hours."""
    idle.slack.add_usergroup("S0SAFE", handle="safety", members=["U0MIA", "U0SAM"])
    rules = TWICE.replace('["U0MIA", "U0SAM"]', '["S0SAFE"], fallback_approvers = ["U0OTTO"], fallback_after = "2h"')
    stage = await under(idle, tmp_path, rules)
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change, by=stage.mia)
    await stage.approve(change, by=stage.sam)
    stage.clock.advance(3 * 3600)
    members = stage.slack.workspace.usergroups["S0SAFE"].members
    members.clear()
    assert "now waits for the stage “safety”" in await stage.approve(change)
    members.extend(["U0MIA", "U0SAM"])
    await stage.approve(change, by=stage.mia)
    await stage.quiet()

    assert ", its fallback approvers may approve too." in stage.read(stage.request_card(change))
    assert "You are a fallback approver of the stage “safety”" in await stage.approve(change, by=stage.otto)
    stage.clock.advance(2 * 3600)
    await stage.slack.wait_for(
        lambda: any("@Otto: too few have approved CHG-1" in told for told in below_the_request(stage, change)),
        what="the call",
    )
    await stage.approve(change, by=stage.otto)
    assert "That was the last approval needed" in await stage.approve(change)


@pytest.mark.parametrize("mention", ["[]", '["U0MAX"]'])
async def test_fallback_approvers_are_called_whoever_the_rule_mentions(
    idle: Stage, tmp_path: Path, mention: str
) -> None:
    """`mention` is for requests and reminders: Mia hears that it is her turn, and so does whom she lends her right."""
    stage = await under(idle, tmp_path, f"{FALLBACK}mention = {mention}\n")
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.command("delegate @Sam for 2 days", by=stage.mia)
    stage.clock.advance(2 * 3600)
    await stage.slack.wait_for(lambda: below_the_request(stage, change), what="the call")

    assert below_the_request(stage, change) == [
        "⏳ @Mia, @Sam for @Mia: nobody has approved CHG-1 for 2 h. Its fallback approvers may approve now."
    ]
    assert "That was the last approval needed" in await stage.approve(change, by=stage.sam)


async def test_a_fallback_approver_of_a_later_stage_hears_that_they_will_be_called(idle: Stage, tmp_path: Path) -> None:
    """Otto clicks early: he is told that he will be mentioned, for he is, and Max not, whom the rule leaves out."""
    rules = TWO.replace('["S0NET"]', '["U0MAX"], fallback_approvers = ["U0OTTO"], fallback_after = "2h"')
    stage = await under(idle, tmp_path, rules.replace("stages", "mention = []\nstages", 1))
    change = await stage.ask(numbers(stage, 1), TAGS)

    assert "comes after it: you will be mentioned when you may approve." in await stage.approve(change, by=stage.otto)
    assert "comes after it." in await stage.approve(change)


async def test_nobody_calls_fallback_approvers_of_what_is_decided(idle: Stage, tmp_path: Path) -> None:
    """Max approves in time: the time passes, and nobody is called."""
    stage = await under(idle, tmp_path, FALLBACK)
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change)
    await stage.ended(change)

    stage.clock.advance(3 * 3600)
    await stage.quiet()

    assert below_the_request(stage, change) == []
    assert not [each for each in stage.slack.messages(APPROVALS) if "fallback" in stage.read(each)]


async def test_a_fallback_never_lets_the_requester_in(idle: Stage, tmp_path: Path) -> None:
    """Whoever asked for the change does not approve it, however long it waits."""
    stage = await under(idle, tmp_path, FALLBACK.replace("U0MIA", "U0ANA"))
    change = await stage.ask(numbers(stage, 1), TAGS)
    stage.clock.advance(3 * 3600)

    assert "You requested this change, so somebody else must approve it." in await stage.approve(change, by=stage.ana)


async def test_a_fallback_counts_from_when_its_stage_opened(idle: Stage, tmp_path: Path) -> None:
    """Three hours in safety are no wait of network's, and what is sent at the last moment of a request is refused."""
    rules = TWO.replace('["S0NET"]', '["U0MAX"], fallback_approvers = ["U0OTTO"], fallback_after = "2h"')
    stage = await under(idle, tmp_path, rules.replace("stages", 'deadline = "6h"\nreminder = "never"\nstages', 1))
    change = await stage.ask(numbers(stage, 1), TAGS)
    stage.clock.advance(3 * 3600)
    assert "you will be mentioned when you may approve" in await stage.approve(change, by=stage.otto)
    await stage.approve(change, by=stage.mia)

    assert "You are a fallback approver of the stage “network”" in await stage.approve(change, by=stage.otto)
    stage.clock.advance(2 * 3600)
    await stage.slack.wait_for(
        lambda: any(
            "@Otto: nobody has approved CHG-1 in the stage network for 2 h" in told
            for told in below_the_request(stage, change)
        ),
        what="the call",
    )
    stage.clock.advance(3600)
    assert "expired" in await stage.approve(change, by=stage.otto)


async def test_a_stage_that_takes_another_ones_place_asks_its_people_at_the_start(
    staged: Stage, tmp_path: Path
) -> None:
    """What Mia approved in is called otherwise now: she is asked again, and reminded, before anybody clicks."""
    change = await staged.ask(numbers(staged, 1), TAGS)
    await staged.approve(change, by=staged.mia)
    await staged.quiet()

    await again_under(staged, tmp_path, TWO.replace('"safety"', '"security"'))
    await staged.slack.wait_for(lambda: len(below_the_request(staged, change)) == 2, what="the word to security")
    await staged.quiet()

    assert (
        "🔵 @Mia: CHG-1 waits for the stage security again. The approval of Mia no longer counts: Mia approved "
        in (below_the_request(staged, change)[1])
    )
    assert "🔵 security: 0 of 1, open" in staged.read(staged.card(change))
    await opened(staged, staged.mia)
    await shows(staged, staged.mia, "Waiting for the stage security (0 of 1), 1 of 2")
    staged.clock.advance(16 * 60)
    await staged.slack.wait_for(lambda: len(below_the_request(staged, change)) == 3, what="a reminder")
    assert "still waits for a decision: @Mia." in below_the_request(staged, change)[2]
    await staged.stop()
    await staged.start(LINESMAN_POLICY_FILE=str(tmp_path / "policy.toml"))
    await staged.quiet()
    assert len(below_the_request(staged, change)) == 3
    await staged.approve(change, by=staged.mia)
    assert "That was the last approval needed" in await staged.approve(change)


async def test_a_rule_that_loses_its_stages_asks_its_approvers(staged: Stage, tmp_path: Path) -> None:
    """Mia approved in a stage, and the rule has none now: whoever may approve is asked, and she may again."""
    change = await staged.ask(numbers(staged, 1), TAGS)
    await staged.approve(change, by=staged.mia)
    await staged.quiet()

    await again_under(staged, tmp_path, '[[rule]]\nname = "plain"\n')
    await staged.slack.wait_for(lambda: len(below_the_request(staged, change)) == 2, what="a word to the approvers")
    await staged.quiet()

    assert "still waits for a decision: @Max, @Mia." in below_the_request(staged, change)[1]
    assert "0 of 1" in staged.read(staged.card(change))
    assert "That was the last approval needed" in await staged.approve(change, by=staged.mia)


async def test_a_rule_that_names_fallback_approvers_by_now_calls_them(idle: Stage, tmp_path: Path) -> None:
    """Asked for before there were any: they are called when the request has waited long enough for them."""
    plain = FALLBACK.replace('fallback_approvers = ["U0MIA"]\nfallback_after = "2h"\n', "")
    stage = await under(idle, tmp_path, plain)
    change = await stage.ask(numbers(stage, 1), TAGS)
    stage.clock.advance(3600)

    await again_under(stage, tmp_path, FALLBACK)
    await stage.quiet()
    assert "You are a fallback approver: you may approve from " in await stage.approve(change, by=stage.mia)
    stage.clock.advance(3600)
    await stage.slack.wait_for(lambda: below_the_request(stage, change), what="the call")

    assert "@Mia: nobody has approved CHG-1 for 2 h." in below_the_request(stage, change)[0]
    await stage.stop()
    await stage.start(LINESMAN_POLICY_FILE=str(tmp_path / "policy.toml"))
    await stage.quiet()
    assert len(below_the_request(stage, change)) == 1
    assert "That was the last approval needed" in await stage.approve(change, by=stage.mia)


NETWORK = '["U0MAX"], fallback_approvers = ["U0OTTO"], fallback_after = "2h"'
TWICE = f"""
[[rule]]
name = "routing"
reminder = "never"
stages = [
  {{ name = "safety", approvers = ["U0MIA", "U0SAM"], approvals_required = 2 }},
  {{ name = "network", approvers = {NETWORK} }},
]
"""


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(TWICE.replace(", approvals_required = 2", ""), id="fewer approvals"),
        pytest.param(
            TWO.replace('"safety", approvers = ["U0MIA"]', f'"network", approvers = {NETWORK}').replace(
                '"network", approvers = ["S0NET"]', '"safety", approvers = ["U0MIA", "U0SAM"]'
            ),
            id="another order",
        ),
    ],
)
async def test_a_fallback_counts_from_when_its_people_were_asked(idle: Stage, tmp_path: Path, rules: str) -> None:
    """A policy that opens network after three hours asks its people now, and its fallback approvers in two hours."""
    stage = await under(idle, tmp_path, TWICE)
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change, by=stage.mia)
    stage.clock.advance(3 * 3600)

    await again_under(stage, tmp_path, rules)
    await stage.slack.wait_for(lambda: below_the_request(stage, change), what="the word to network")

    assert below_the_request(stage, change)[0] == "🔵 @Max: CHG-1 waits for the stage network now."
    assert "You are a fallback approver of the stage “network”" in await stage.approve(change, by=stage.otto)
    stage.clock.advance(2 * 3600)
    assert "That was the last approval needed" in await stage.approve(change, by=stage.otto)


PLAIN = '[[rule]]\nname = "plain"\n'
BOTH = f"{PLAIN}approvals_required = 2\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(BOTH, PLAIN, id="fewer approvals"),
        pytest.param(
            TWO.replace("},\n]", '},\n  { name = "legal", approvers = ["U0SAM"] },\n]').replace("U0MIA", "U0MAX"),
            TWO.replace("U0MIA", "U0MAX"),
            id="a stage less",
        ),
    ],
)
async def test_a_request_that_has_enough_approvals_by_now_goes_on(
    idle: Stage, tmp_path: Path, before: str, after: str
) -> None:
    """Nobody has to click for what is already approved: the thread says that no more are required."""
    idle.slack.add_usergroup(GROUP, handle="network", members=["U0MIA"])
    stage = await under(idle, tmp_path, before)
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change)
    if "legal" in before:
        await stage.approve(change, by=stage.mia)
    await stage.quiet()
    asked = len(below_the_request(stage, change))

    await again_under(stage, tmp_path, after)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1}
    assert any(
        "approved). The current policy requires no further approvals. Starting now." in each
        or "in network). The current policy requires no further approvals. Starting now." in each
        for each in stage.thread(change)
    )
    assert "Approved: the current policy requires no further approvals" in await stage.command(f"status CHG-{change}")
    assert len(below_the_request(stage, change)) == asked
    stage.assert_nothing_doubled()


async def test_an_approval_that_does_not_count_lets_nothing_go_on(idle: Stage, tmp_path: Path) -> None:
    """Max approved one of two, and is no approver when one is enough: the card says so, and Mia's click is needed."""
    stage = await under(idle, tmp_path, BOTH)
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change)

    await again_under(stage, tmp_path, f'{PLAIN}approvers = ["U0MIA"]\n')
    await card_says(stage, change, "0 of 1", "no longer counts: @")
    await stage.quiet()

    assert stage.created() == []
    assert "That was the last approval needed" in await stage.approve(change, by=stage.mia)
    await stage.ended(change)


async def test_nothing_goes_on_while_slack_says_nothing(idle: Stage, tmp_path: Path) -> None:
    """Whether Max still counts is not known for a while: the request waits until it is, and goes on then."""
    stage = await under(idle, tmp_path, BOTH)
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change)
    await stage.stop()
    silent = stage.slack.faults.add(method="users.info", kind="status", status=503, times=1000)
    await under(stage, tmp_path, PLAIN)
    await stage.slack.wait_for(lambda: silent.fired, what="a question about Max")
    await stage.quiet()
    assert "Awaiting approval" in stage.read(stage.card(change))
    silent.times = 0
    stage.clock.advance(60)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def test_a_start_that_has_passed_takes_another_click(idle: Stage, tmp_path: Path) -> None:
    """Max approved a start at a time: that it starts at once by now somebody else has to say, and the card says how."""
    stage = await under(idle, tmp_path, BOTH)
    change = await stage.ask(numbers(stage, 1), TAGS, start="in 2 hours")
    await stage.approve(change)
    stage.clock.advance(3 * 3600)

    await again_under(stage, tmp_path, PLAIN)
    await card_says(
        stage, change, "It has all approvals that the current rule requires, but they were given for its start"
    )
    await stage.quiet()

    assert "If another approver presses Approve, it starts at once." in stage.read(stage.request_card(change))
    assert stage.created() == []
    assert "You have already approved" in await stage.approve(change)
    await stage.approve(change, by=stage.mia)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def test_nobody_is_reminded_while_no_rule_governs(idle: Stage, tmp_path: Path) -> None:
    """The rule that allowed deletions is gone for a while: that is no fault of Linesman, and reminders go on after."""
    rules = '[[rule]]\nname = "deletions"\nkinds = ["telnyx.delete"]\nallow = true\napprovals_required = 1\n'
    stage = await under(idle, tmp_path, rules)
    await propose(stage, numbers(stage, 1))
    await stage.ana.type("count", "1")
    change = await stage.request()

    await again_under(stage, tmp_path, '[[rule]]\nname = "other"\n')
    before, _ = _reminder_due(stage)
    stage.clock.advance(16 * 60)
    await stage.slack.wait_for(lambda: _reminder_due(stage)[1], what="the reminder that is not sent")
    await stage.quiet()
    assert _reminder_due(stage)[0] - before > timedelta(minutes=15)  # no fault that is tried again at once
    assert stage.failures() == below_the_request(stage, change) == []

    await again_under(stage, tmp_path, rules)
    stage.clock.advance(16 * 60)
    await stage.slack.wait_for(lambda: below_the_request(stage, change), what="a reminder")
    assert "still waits for a decision: @Max, @Mia." in below_the_request(stage, change)[0]


def _reminder_due(stage: Stage) -> tuple[datetime, bool]:
    """Return when the next reminder is due, and whether one was before it, and is done."""
    with closing(sqlite3.connect(stage.database)) as connection:
        [(due, attempts, owner)] = connection.execute("SELECT due_at, attempts, owner FROM tasks WHERE task = 'remind'")
    return datetime.fromisoformat(due), attempts > 0 and owner is None
