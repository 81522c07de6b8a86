"""Stages, fallback approvers, lent rights and changes of the policy in each other's way."""

from __future__ import annotations

from pathlib import Path

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_delegations import lend
from tests.integration.scenarios.test_scenario_policy import TAGS, numbers, under
from tests.integration.scenarios.test_scenario_revisions import below_the_request
from tests.integration.scenarios.test_scenario_stages import BOTH, GROUP, PLAIN, again_under
from tests.integration.scenarios.test_scenario_temporary import asked_to_extend, proposed

HOUR = 3600


async def test_two_requests_and_another_policy_in_between(idle: Stage, tmp_path: Path) -> None:
    """The one that has its approval goes on, the other waits for its first, and neither takes from the other."""
    stage = await under(idle, tmp_path, BOTH)
    first, second = numbers(stage, 2)
    one = await stage.ask(first, TAGS)
    other = await stage.ask(second, TAGS)
    await stage.approve(one)

    await again_under(stage, tmp_path, PLAIN)
    await stage.ended(one)
    await stage.quiet()

    assert stage.outcomes(one) == {"verified": 1}
    await card_says(stage, other, "Awaiting approval", "0 of 1")
    assert len(stage.created()) == 1
    await stage.approve(other)
    await stage.ended(other)


async def test_a_rejection_at_the_start_with_another_policy_comes_first_or_too_late(
    idle: Stage, tmp_path: Path
) -> None:
    """Mia rejects what would go on: either nothing is sent, or she hears that it is approved already."""
    stage = await under(idle, tmp_path, BOTH)
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change)
    request = stage.request_card(change)
    await again_under(stage, tmp_path, PLAIN)
    await stage.mia.click("reject", message=request)
    await stage.quiet()
    card = stage.read(stage.card(change))

    assert ("Awaiting approval" in card) == (stage.created() == [])


async def test_an_approver_of_one_stage_is_no_fallback_of_another_once_they_counted(
    idle: Stage, tmp_path: Path
) -> None:
    """Mia approved in safety and may approve in network after a time: she counts once, and hears where."""
    rules = f"""
[[rule]]
name = "both"
stages = [
  {{ name = "safety", approvers = ["U0MIA"] }},
  {{ name = "network", approvers = ["{GROUP}"], fallback_approvers = ["U0MIA", "U0OTTO"], fallback_after = "2h" }},
]
"""
    idle.slack.add_usergroup(GROUP, handle="network", members=["U0MAX"])
    stage = await under(idle, tmp_path, rules)
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change, by=stage.mia)
    stage.clock.advance(2 * HOUR)
    await stage.slack.wait_for(
        lambda: any("Its fallback approvers may approve now" in told for told in below_the_request(stage, change)),
        what="the call",
    )

    assert "You have already approved this change in the stage “safety”" in await stage.approve(change, by=stage.mia)
    await lend(stage, by=stage.mia)
    assert "has already approved this" in await stage.approve(change, by=stage.sam)
    assert "That was the last approval needed" in await stage.approve(change, by=stage.otto)


async def test_a_group_that_slack_does_not_list_holds_up_nobody_who_is_named(idle: Stage, tmp_path: Path) -> None:
    """The approvers' group cannot be read: the fallback approver, who is named, is called and may approve."""
    rules = PLAIN + f'approvers = ["{GROUP}"]\nfallback_approvers = ["U0MIA"]\nfallback_after = "2h"\n'
    idle.slack.add_usergroup(GROUP, handle="network", members=["U0MAX"])
    stage = await under(idle, tmp_path, rules)
    change = await stage.ask(numbers(stage, 1), TAGS)
    stage.slack.faults.add(method="usergroups.users.list", kind="error", error="no_such_subteam", times=1000)
    stage.slack.faults.add(method="usergroups.list", kind="error", error="internal_error", times=1000)
    stage.clock.advance(2 * HOUR)
    await stage.slack.wait_for(lambda: below_the_request(stage, change), what="the call")

    assert "may not approve" in await stage.approve(change)
    await stage.approve(change, by=stage.mia)
    await card_says(stage, change, "Approved")


async def test_who_stands_in_for_somebody_of_a_group_is_named_however_late_a_request_comes(
    idle: Stage, tmp_path: Path
) -> None:
    """Max lends his right and is an approver by a group that nobody has asked about for an hour."""
    idle.slack.add_usergroup(GROUP, handle="network", members=["U0MAX"])
    stage = await under(idle, tmp_path, PLAIN + f'approvers = ["{GROUP}"]\n')
    await lend(stage, until="for 5 hours")
    stage.clock.advance(HOUR)

    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.quiet()

    assert "@network, @Sam for @Max" in stage.read(stage.request_card(change))


async def test_a_chain_of_lapses_opens_the_first_stage_again_and_counts_nobody_twice(
    idle: Stage, tmp_path: Path
) -> None:
    """Both who approved are gone when the last one clicks, and what they lent goes with them."""
    idle.slack.add_usergroup("S0SAFE", handle="safety", members=["U0MIA", "U0OTTO"])
    rules = """
[[rule]]
name = "three"
stages = [
  { name = "safety", approvers = ["S0SAFE"] },
  { name = "network", approvers = ["U0MAX"] },
  { name = "legal", approvers = ["U0OTTO"] },
]
"""
    stage = await under(idle, tmp_path, rules)
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.approve(change, by=stage.mia)
    await lend(stage)
    await stage.approve(change, by=stage.sam)
    stage.slack.workspace.usergroups["S0SAFE"].members.remove("U0MIA")
    stage.sam.profile.deleted = True

    answer = await stage.approve(change, by=stage.otto)
    await stage.quiet()

    assert "now waits for the stage “safety”" in answer
    assert "🔵 safety: 0 of 1, open\n⚪ network: 0 of 1\n⚪ legal: 0 of 1" in stage.read(stage.card(change))
    assert stage.created() == []
    await stage.approve(change, by=stage.otto)
    assert "That was" not in await stage.approve(change)
    assert "counts in one stage only" in await stage.approve(change, by=stage.otto)


async def test_two_who_lend_each_other_their_right_are_two(idle: Stage, tmp_path: Path) -> None:
    """Max and Mia stand in for each other: two approvals take both of them, and neither counts twice."""
    stage = await under(idle, tmp_path, BOTH)
    await lend(stage, "@Mia")
    await lend(stage, "@Max", by=stage.mia)
    change = await stage.ask(numbers(stage, 1), TAGS)

    await stage.approve(change)
    assert "You have already approved" in await stage.approve(change)
    assert "That was the last approval needed" in await stage.approve(change, by=stage.mia)


async def test_what_was_lent_is_worth_nothing_to_whoever_it_is_lent_on_to(idle: Stage, tmp_path: Path) -> None:
    """Sam borrows of Max and, an approver under another rule, lends: Otto gets what is Sam's own, and no more."""
    rules = (
        '[[rule]]\nname = "close"\nkinds = ["close.*"]\napprovers = ["U0SAM"]\n'
        '[[rule]]\nname = "rest"\napprovers = ["U0MAX"]\n'
    )
    stage = await under(idle, tmp_path, rules)
    await lend(stage)
    await lend(stage, "@Otto", by=stage.sam)
    change = await stage.ask(numbers(stage, 1), TAGS)

    assert "may not approve this change now" in await stage.approve(change, by=stage.otto)
    assert "That was the last approval needed" in await stage.approve(change, by=stage.sam)


async def test_a_rule_that_drops_its_fallback_drops_their_approval(idle: Stage, tmp_path: Path) -> None:
    """Otto approved one of two after the time: under a rule without him that counts no more, and nothing goes on."""
    rules = f'{BOTH}approvers = ["U0MAX", "U0MIA"]\nfallback_approvers = ["U0OTTO"]\nfallback_after = "2h"\n'
    stage = await under(idle, tmp_path, rules)
    change = await stage.ask(numbers(stage, 1), TAGS)
    stage.clock.advance(2 * HOUR)
    await stage.slack.wait_for(lambda: below_the_request(stage, change), what="the call")
    await stage.approve(change, by=stage.otto)

    await again_under(stage, tmp_path, f'{PLAIN}approvers = ["U0MAX", "U0MIA"]\n')
    await card_says(stage, change, "0 of 1", "no longer counts: @")
    assert stage.created() == []
    assert "That was the last approval needed" in await stage.approve(change)


async def test_a_later_end_that_has_enough_approvals_by_now_goes_on(idle: Stage, tmp_path: Path) -> None:
    """An extension is approved like the change, and goes on like it under a policy that asks for less."""
    stage = await under(idle, tmp_path, BOTH)
    number = stage.telnyx.add_number("+13035550000", customer_reference="Dallas")
    await proposed(stage, [number.phone_number], "in 8 hours")
    change = await stage.request()
    await stage.approve(change)
    await stage.approve(change, by=stage.mia)
    await card_says(stage, change, "In effect")
    await stage.quiet()
    extension = await asked_to_extend(stage, change)
    await stage.approve(extension)

    await again_under(stage, tmp_path, PLAIN)
    await stage.slack.wait_for(
        lambda: any(
            "is approved (1 of 1: @Max approved). The current policy requires no further" in line
            for line in stage.thread(change)
        ),
        what="the approval",
    )
    await stage.quiet()
    assert f"Extended by CHG-{extension}" in await stage.command(f"status CHG-{change}")


async def test_names_of_people_who_are_gone_hold_nothing_up(idle: Stage, tmp_path: Path) -> None:
    """The rule names somebody whom Slack does not know, and somebody who is switched off: the rest decides."""
    stage = await under(idle, tmp_path, f'{PLAIN}approvers = ["U0GONE", "U0MIA", "U0MAX"]\n')
    await lend(stage)
    await lend(stage, by=stage.mia)
    stage.max.profile.deleted = True
    change = await stage.ask(numbers(stage, 1), TAGS)

    assert "Awaiting approval" in stage.read(stage.card(change))
    answer = await stage.approve(change, by=stage.sam)
    await stage.ended(change)
    assert "Approved for @Mia" in answer
    assert "@Sam for @Mia approved" in stage.read(stage.card(change))
