"""Deleting numbers: off unless a rule allows it, seen, counted, approved twice, and never against a lock."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.integration.scenarios.stage import FAILURES, OPS, Stage
from tests.integration.scenarios.steps import card_says

RULES = '[[rule]]\nname = "deletions"\nkinds = ["telnyx.delete"]\nallow = true\n'


@pytest.fixture
async def deleting(idle: Stage, tmp_path: Path) -> Stage:
    """Start the bot with a rule that allows deletions."""
    file = tmp_path / "policy.toml"
    file.write_text(RULES, encoding="utf-8")
    await idle.start(LINESMAN_POLICY_FILE=str(file))
    return idle


def numbers(stage: Stage, count: int) -> list[str]:
    """Add numbers to the account and return them."""
    return [number.phone_number for number in stage.telnyx.add_numbers(count, start="+13035550000")]


async def propose(stage: Stage, wanted: list[str]) -> str:
    """Propose to delete ``wanted`` and return what is shown after planning."""
    await stage.open("delete")
    await stage.fill(wanted, reason="The team is closed")
    await stage.send()
    return stage.read(await stage.planned())


async def test_nobody_deletes_anything_unless_a_rule_says_so(stage: Stage) -> None:
    """Without a rule the command answers that deletions are off, and the form does not offer them."""
    await stage.ana.command("/numbers", "delete +13035550000", channel=OPS)
    await stage.ana.wait_for_view(lambda view: "are off unless a rule" in stage.read(view))
    view = await stage.open("update")
    assert "Delete numbers" not in str(view.blocks)


async def test_deletion_takes_a_typed_count_and_two_approvals(deleting: Stage) -> None:
    """What goes is shown with what it has, the requester counts it, two people approve, and it is gone."""
    stage = deleting
    team = stage.telnyx.add_connection("Denver PBX")
    wanted = numbers(stage, 3)
    first = next(iter(stage.telnyx.numbers.values()))
    first.connection_id, first.tags = team.id, ["denver"]

    shown = await propose(stage, wanted[:2])
    assert "deleted from the Telnyx account" in shown
    assert f"+13035550000  Tags: denver; Connection: Denver PBX ({team.id})" in shown
    assert "1 number has connection." in shown
    assert "Needs 2 approvals" in shown

    await stage.ana.type("count", "  ")
    blank = await stage.refused()
    await stage.ana.type("count", "3")
    refused = await stage.refused()
    assert blank == refused == {"count": "Type how many numbers will be deleted, as shown above: 2."}
    await stage.ana.type("count", "2")
    change = await stage.request()

    assert "needs 1 more approval" in await stage.approve(change)
    assert len(stage.telnyx.numbers) == 3
    assert "That was the last approval needed" in await stage.approve(change, by=stage.mia)
    await stage.ended(change)

    assert [number.phone_number for number in stage.telnyx.numbers.values()] == wanted[2:]
    assert stage.outcomes(change) == {"verified": 2}
    rows = stage.results(change)
    assert {column: cell for column, cell in rows[0].items() if column.endswith(")")} == {
        "Tags (before)": "denver",
        "Customer reference (before)": "(empty)",
        "Connection (before)": f"Denver PBX ({team.id})",
        "Emergency service (before)": "off",
        "Emergency address (before)": "(empty)",
        "Deletion lock (before)": "off",
    }


async def test_a_number_with_a_deletion_lock_is_refused_in_the_plan(deleting: Stage) -> None:
    """It is named, and the rest can be planned with one click; the locked one stays."""
    stage = deleting
    wanted = numbers(stage, 3)
    locked = list(stage.telnyx.numbers.values())[1]
    locked.deletion_lock_enabled = True

    shown = await propose(stage, wanted)
    assert (
        "1 number: the deletion lock is on, and must first be switched off by a separate change (+13035550001)."
        in shown
    )
    assert "Leave out 1 and plan the rest" in stage.modal()
    await stage.ana.click("leave_out")
    await stage.ana.wait_for_view(lambda view: "Needs 2 approvals" in stage.read(view))
    await stage.ana.type("count", "2")
    change = await stage.request()
    await stage.approve(change)
    await stage.approve(change, by=stage.mia)
    await stage.ended(change)

    assert list(stage.telnyx.numbers.values()) == [locked]


async def test_a_number_that_came_into_use_meanwhile_stops_the_deletion(deleting: Stage) -> None:
    """Somebody connects a number after it was planned: nothing is deleted, and the card says what moved."""
    stage = deleting
    wanted = numbers(stage, 2)
    await propose(stage, wanted)
    await stage.ana.type("count", "2")
    change = await stage.request()
    await stage.approve(change)
    team = stage.telnyx.add_connection("Denver PBX")
    next(iter(stage.telnyx.numbers.values())).connection_id = team.id
    await stage.approve(change, by=stage.mia)
    await card_says(stage, change, "Stale")
    await stage.quiet()

    assert len(stage.telnyx.numbers) == 2
    assert stage.created() == []
    assert f"Connection of +13035550000 was (empty) and is Denver PBX ({team.id})" in stage.read(stage.card(change))
    assert stage.slack.workspace.in_channel(FAILURES)


async def test_numbers_that_are_gone_are_not_asked_for_one_by_one(deleting: Stage) -> None:
    """Whether fifteen numbers are gone is read from the list and one ownership check, not by fifteen calls."""
    stage = deleting
    wanted = numbers(stage, 20)
    await propose(stage, wanted[:15])
    await stage.ana.type("count", "15")
    change = await stage.request()
    await stage.approve(change)
    await stage.approve(change, by=stage.mia)
    await stage.ended(change)

    assert len(stage.telnyx.numbers) == 5
    assert "15 verified" in stage.read(stage.card(change))
    assert not [call for call in stage.telnyx.calls if fnmatchcase(call.path, "/phone_numbers/[0-9]*")]
