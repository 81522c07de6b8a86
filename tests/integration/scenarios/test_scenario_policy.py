"""The policy file: other rules for other changes, windows, reminders; all of it asked at the moment of the click."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.scenarios.stage import APPROVALS, Stage
from tests.integration.scenarios.steps import card_says

TAGS = {"tags": "moved"}


async def under(idle: Stage, folder: Path, rules: str) -> Stage:
    """Start the bot with a policy file of ``rules``."""
    file = folder / "policy.toml"
    file.write_text(rules, encoding="utf-8")
    await idle.start(LINESMAN_POLICY_FILE=str(file))
    return idle


def numbers(stage: Stage, count: int) -> list[str]:
    """Add numbers to the account and return them."""
    return [number.phone_number for number in stage.telnyx.add_numbers(count, start="+13035550000")]


async def test_a_rule_by_size_asks_for_more_approvals(idle: Stage, tmp_path: Path) -> None:
    """Small changes need one approval, larger ones two of different people, and the card says how many."""
    stage = await under(idle, tmp_path, '[[rule]]\nname = "large"\nmin_numbers = 3\napprovals_required = 2\n')
    wanted = numbers(stage, 5)
    small = await stage.run(wanted[:2], TAGS)
    assert stage.outcomes(small) == {"verified": 2}

    large = await stage.ask(wanted[2:], TAGS)
    assert "0 of 2" in stage.read(stage.card(large))
    assert "needs 1 more approval" in await stage.approve(large)
    assert "You have already approved" in await stage.approve(large)
    assert "That was the last approval needed" in await stage.approve(large, by=stage.mia)
    await stage.ended(large)


async def test_a_rule_by_setting_names_other_approvers(idle: Stage, tmp_path: Path) -> None:
    """Who may approve depends on what is touched: Max may not decide about connections here."""
    stage = await under(
        idle, tmp_path, '[[rule]]\nname = "routing"\nsettings = ["connection_id"]\napprovers = ["U0MIA"]\n'
    )
    connection = stage.telnyx.add_connection("Denver PBX")
    change = await stage.ask(numbers(stage, 1), {"connection_id": connection.id})

    assert "@Mia" in stage.read(stage.request_card(change))
    assert "You may not approve" in await stage.approve(change)
    assert "That was the last approval needed" in await stage.approve(change, by=stage.mia)


async def test_self_approval_is_allowed_only_by_a_rule_and_the_card_says_so(idle: Stage, tmp_path: Path) -> None:
    """The rule's name stands on the request, and the requester's own approval counts."""
    stage = await under(idle, tmp_path, '[[rule]]\nname = "low risk"\nself_approval = true\n')
    change = await stage.ask(numbers(stage, 1), TAGS)

    assert "The rule low risk lets the requester approve as well." in stage.read(stage.request_card(change))
    assert "That was the last approval needed" in await stage.approve(change, by=stage.ana)


async def test_a_forbidden_change_is_refused_with_the_operators_words(idle: Stage, tmp_path: Path) -> None:
    """A rule that allows nobody says why, in the modal."""
    rules = (
        '[[rule]]\nname = "no emergency"\nkinds = ["telnyx.emergency"]\nallow = false\nwhy = "Ask the safety team."\n'
    )
    stage = await under(idle, tmp_path, rules)

    await stage.ana.command("/numbers", "emergency", channel="C0OPS")
    await stage.ana.wait_for_view(lambda view: "Ask the safety team." in stage.read(view))


async def test_an_approved_change_waits_for_its_window(idle: Stage, tmp_path: Path) -> None:
    """Outside the window nothing is sent and the cards say when it opens; then it runs by itself."""
    day = (idle.clock() + timedelta(days=2)).strftime("%a").lower()
    window = f'windows = [{{ days = "{day}", from = "00:00", to = "24:00", zone = "UTC" }}]'
    stage = await under(idle, tmp_path, f'[[rule]]\nname = "weekends"\ndeadline = "5d"\n{window}\n')
    change = await stage.ask(numbers(stage, 1), TAGS)

    await stage.approve(change)
    await card_says(stage, change, "Approved")
    assert "Outside its change window: once approved it starts at" in stage.read(stage.card(change))
    assert stage.telnyx.jobs == []

    stage.clock.advance(2 * 86_400)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def test_approvers_who_have_not_answered_are_reminded_with_growing_pauses(idle: Stage, tmp_path: Path) -> None:
    """First after the rule's pause, then after twice as long; below the request, only those who have not answered."""
    stage = await under(idle, tmp_path, '[[rule]]\nname = "all"\napprovals_required = 2\nreminder = "15m"\n')
    change = await stage.ask(numbers(stage, 1), TAGS)
    request = stage.request_card(change)

    def reminders() -> list[str]:
        return [stage.read(each) for each in stage.slack.thread(APPROVALS, request.ts)[1:]]

    stage.clock.advance(16 * 60)
    await stage.slack.wait_for(lambda: len(reminders()) == 1, what="the first reminder")
    assert "@Max" in reminders()[0]
    assert "@Mia" in reminders()[0]

    await stage.approve(change)
    stage.clock.advance(16 * 60)
    await stage.quiet()
    assert len(reminders()) == 1
    stage.clock.advance(15 * 60)
    await stage.slack.wait_for(lambda: len(reminders()) == 2, what="the second reminder")
    assert "@Max" not in reminders()[1]

    await stage.approve(change, by=stage.mia)
    await stage.ended(change)
    stage.clock.advance(3 * 3600)
    await stage.quiet()
    assert len(reminders()) == 2


async def test_the_rule_of_the_moment_decides(idle: Stage, tmp_path: Path) -> None:
    """A request that was made under a lax rule is decided under the strict one that is in force when Max clicks."""
    stage = await under(idle, tmp_path, '[[rule]]\nname = "lax"\napprovals_required = 1\n')
    change = await stage.ask(numbers(stage, 1), TAGS)
    await stage.stop()
    await under(stage, tmp_path, '[[rule]]\nname = "strict"\napprovals_required = 2\n')

    assert "needs 1 more approval" in await stage.approve(change)
    assert stage.telnyx.jobs == []


@pytest.mark.parametrize("largest", [2])
async def test_a_rules_largest_change_is_kept(idle: Stage, tmp_path: Path, largest: int) -> None:
    """More numbers than the rule allows are refused with the figure, and what was typed stays."""
    stage = await under(idle, tmp_path, f'[[rule]]\nname = "small steps"\nlargest = {largest}\n')
    await stage.open()
    await stage.fill(numbers(stage, 3), TAGS, reason="why")

    problems = await stage.refused()

    assert "one change may have at most 2" in problems["numbers:0"]
