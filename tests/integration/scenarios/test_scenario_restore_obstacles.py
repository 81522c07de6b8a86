"""The end of a temporary change comes although rules, providers and numbers are not what they were at its approval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.changes.model.draft import FollowUp
from bot.changes.planning.plan import ChangedValue
from bot.sandbox.close import CloseStandIn, Fixtures
from bot.workflow.execution import staleness
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_freeze import ALL, UNDER_WAY, updates

REFERENCE = "customer_reference"
FORWARDING = "voice.call_forwarding.call_forwarding_enabled"


async def in_effect(stage: Stage, numbers: list[str], settings: Mapping[str, str], command: str = "update") -> int:
    """Have a change until in 4 hours approved and carried out, and return its number."""
    change = await stage.ask(numbers, settings, command=command, until="in 4 hours")
    await stage.approve(change)
    await card_says(stage, change, "In effect")
    await stage.quiet()
    return change


def restored(stage: Stage, change: int) -> dict[str, tuple[str, str]]:
    """Return, by number, what the results say of how it was restored."""
    return {row["number"]: (row["restored"], row["restored_reason"]) for row in stage.results(change)}


@pytest.mark.parametrize(
    ("variables", "rule"),
    [
        pytest.param({"LINESMAN_MAX_NUMBERS": "2"}, "", id="variable"),
        pytest.param({}, "largest = 2", id="rule"),
        pytest.param({}, 'allow = false\nwhy = "No changes in December."', id="forbidden"),
    ],
)
async def test_no_limit_of_today_keeps_numbers_from_going_back(
    idle: Stage, tmp_path: Path, variables: dict[str, str], rule: str
) -> None:
    """That the change has so many numbers was approved; a limit that was lowered since, or a ban, is for new ones."""
    stage = idle
    await stage.start()
    added = stage.telnyx.add_numbers(3, start="+13035550000", customer_reference="Dallas")
    change = await in_effect(stage, [each.phone_number for each in added], {REFERENCE: "Holiday"})
    await stage.stop()
    if rule:
        policy = tmp_path / "policy.toml"
        policy.write_text(f'[[rule]]\nname = "strict"\n{rule}\n')
        variables = {"LINESMAN_POLICY_FILE": str(policy)}
    stage.clock.advance(5 * 3600)
    await stage.start(**variables)
    await stage.ended(change)

    assert [each.customer_reference for each in added] == ["Dallas"] * 3
    assert "3 numbers restored" in stage.read(stage.card(change))
    assert stage.failures() == []


async def test_a_limit_of_today_is_for_the_undo_of_a_temporary_change(idle: Stage) -> None:
    """What was not restored at the end is undone by a new change, which the limit is for, and which can be split."""
    stage = idle
    await stage.start()
    added = stage.telnyx.add_numbers(3, start="+13035550000", customer_reference="Dallas")
    change = await in_effect(stage, [each.phone_number for each in added], {REFERENCE: "Holiday"})
    await stage.command(f"unlock CHG-{change}", by=stage.otto)
    await stage.otto.click("unlock", message=stage.slack.ephemerals(stage.otto.id)[-1])
    await stage.ended(change)
    await stage.stop()
    await stage.start(LINESMAN_MAX_NUMBERS="2")
    await stage.ana.command("/numbers", f"undo CHG-{change}")
    await stage.planned()

    assert "That is more than 2 numbers, the limit for one change." in stage.modal()


async def test_an_id_that_is_gone_keeps_no_other_number_from_going_back(stage: Stage) -> None:
    """The number whose old connection was deleted meanwhile is named with that; the other one goes back."""
    old, kept, holiday = (stage.telnyx.add_connection(name) for name in ("Alpha", "Beta", "Holiday"))
    one = stage.telnyx.add_number("+13035550000", connection_id=old.id)
    two = stage.telnyx.add_number("+13035550001", connection_id=kept.id)
    change = await in_effect(stage, [one.phone_number, two.phone_number], {"connection_id": holiday.id})
    del stage.telnyx._account.connections[old.id]
    stage.clock.elapse(5 * 3600)
    await stage.ended(change)

    assert two.connection_id == kept.id
    assert one.connection_id == holiday.id
    assert "1 number restored, 1 not restored" in stage.read(stage.card(change))
    [notice] = stage.failures()
    assert f"Telnyx has no connection with the id {old.id} (for +13035550000)." in notice
    assert "choose another" not in notice
    found = restored(stage, change)
    assert found["+13035550001"] == ("verified", "")
    assert found["+13035550000"][0] == "not_restored"
    assert "could not be given its earlier values" in found["+13035550000"][1]


async def test_when_no_old_id_is_left_the_end_says_why(stage: Stage) -> None:
    """All numbers keep what they have, and card and failure channel name the id, not an empty list of numbers."""
    old, holiday = stage.telnyx.add_connection("Alpha"), stage.telnyx.add_connection("Holiday")
    one = stage.telnyx.add_number("+13035550000", connection_id=old.id)
    change = await in_effect(stage, [one.phone_number], {"connection_id": holiday.id})
    del stage.telnyx._account.connections[old.id]
    stage.clock.elapse(5 * 3600)
    await stage.ended(change)

    [notice] = stage.failures()
    assert f"Telnyx has no connection with the id {old.id} (for +13035550000)." in notice
    assert "excluded" not in notice
    assert "1 not restored" in stage.read(stage.card(change))


async def test_a_provider_that_is_switched_off_is_waited_for(both: Stage, close: CloseStandIn) -> None:
    """Started without its key when the end comes, and with it again: the numbers go back then."""
    stage, ids = both, list(close.numbers)[:2]
    before = [close.numbers[each].label for each in ids]
    change = await in_effect(stage, ids, {"label": "Holiday"}, "close")
    assert [close.numbers[each].label for each in ids] == ["Holiday"] * 2
    await stage.stop()
    stage.close = None
    stage.clock.advance(5 * 3600)
    await stage.start()
    await stage.quiet()
    await stage.stop()
    stage.close = close
    await stage.start()
    stage.clock.advance(600)
    await stage.ended(change)

    assert [close.numbers[each].label for each in ids] == before
    assert any(
        "Reason for the delay: " in line and "its provider is switched off" in line for line in stage.thread(change)
    )


async def test_until_is_refused_where_the_way_back_breaks_a_rule(stage: Stage) -> None:
    """Forwarding without a target may be switched off, not on again; the plan says so, and can leave the number out."""
    on = {"call_forwarding_enabled": True, "forwarding_type": "always"}
    stage.telnyx.add_number("+13035550000", voice={"call_forwarding": {**on, "forwards_to": ""}})
    stage.telnyx.add_number("+13035550001", voice={"call_forwarding": {**on, "forwards_to": "+13035550999"}})
    numbers = ["+13035550000", "+13035550001"]
    await stage.propose(numbers, {FORWARDING: "false"}, until="in 4 hours")

    assert "what these numbers have now could not be restored" in stage.modal()
    assert "1 number: call forwarding would be on without a number to forward to (+13035550000)." in stage.modal()
    assert "leave “Until” empty" in stage.modal()
    await stage.ana.click("leave_out")
    await stage.ana.wait_for_view(lambda view: "Temporary, until" in stage.read(view))


async def test_until_is_refused_where_an_old_id_is_gone_already(stage: Stage) -> None:
    """A number that has a connection which nothing at Telnyx is could not get it back."""
    gone, holiday = stage.telnyx.add_connection("Alpha"), stage.telnyx.add_connection("Holiday")
    stage.telnyx.add_number("+13035550000", connection_id=gone.id)
    del stage.telnyx._account.connections[gone.id]
    await stage.propose(["+13035550000"], {"connection_id": holiday.id}, until="in 4 hours")

    assert f"Telnyx has no connection with the id {gone.id} (+13035550000)." in stage.modal()
    assert "leave “Until” empty" in stage.modal()


async def busy_at_the_end(stage: Stage, status: str = "emergency-only") -> int:
    """Bring a temporary change of three numbers to its end when Telnyx takes no change of the first one."""
    added = stage.telnyx.add_numbers(3, start="+13035550000", customer_reference="Dallas")
    change = await in_effect(stage, [each.phone_number for each in added], {REFERENCE: "Holiday"})
    added[0].status = status
    stage.clock.elapse(4 * 3600 + 120)
    return change


def references(stage: Stage) -> list[str]:
    """Return what Telnyx has for each number."""
    return [str(each.customer_reference) for each in stage.telnyx.numbers.values()]


async def finished(stage: Stage, change: int) -> list[datetime]:
    """Return when each restore of a change ended."""
    assert stage.bot is not None
    async with stage.bot.worker._context.database.reading() as tx:
        parts = await tx.changes.parts(change, FollowUp.RESTORE)
    return [part.finished_at for part in parts if part.finished_at is not None]


async def test_a_number_that_is_busy_at_the_end_goes_back_later(stage: Stage) -> None:
    """The others go back at once; card and failure channel tell what is waited for, and the results have it all."""
    change = await busy_at_the_end(stage)
    await card_says(stage, change, "Being restored by CHG-3", "1 number cannot be changed now: +13035550000.")
    assert references(stage) == ["Holiday", "Dallas", "Dallas"]
    stage.clock.elapse(300)
    await stage.slack.wait_for(stage.failures, what="the notice")
    assert "CHG-3, which restores CHG-1, cannot be planned yet: 1 number cannot be changed" in stage.failures()[0]
    assert "/numbers cancel CHG-3" in stage.failures()[0]
    assert "No numbers are locked." not in await stage.command("locks")

    stage.telnyx.number("+13035550000").status = "active"
    stage.clock.elapse(600)
    await stage.ended(change)
    assert references(stage) == ["Dallas"] * 3
    assert "3 numbers restored" in stage.read(stage.card(change))
    assert "Succeeded" in stage.read(stage.card(change))
    assert {word for word, _ in restored(stage, change).values()} == {"verified"}
    assert any("Reason for the delay: 1 number cannot be changed now" in line for line in stage.thread(change))
    assert len(stage.telnyx.jobs) == 3
    assert "No numbers are locked." in await stage.command("locks")


async def test_when_all_numbers_are_busy_the_end_waits_for_them(stage: Stage) -> None:
    """Nothing is planned before one of them can be changed."""
    one = stage.telnyx.add_number("+13035550000", customer_reference="Dallas")
    change = await in_effect(stage, [one.phone_number], {REFERENCE: "Holiday"})
    one.status = "emergency-only"
    stage.clock.elapse(4 * 3600 + 120)
    await card_says(stage, change, "Being restored by CHG-2", "1 number cannot be changed now: +13035550000.")
    one.status = "active"
    stage.clock.elapse(600)
    await stage.ended(change)

    assert references(stage) == ["Dallas"]
    assert len(stage.telnyx.jobs) == 2


async def test_a_number_that_was_changed_while_it_was_busy_is_left(stage: Stage) -> None:
    """Whoever gave it another value meanwhile meant that; those that went back before it are not taken for changed."""
    change = await busy_at_the_end(stage)
    await card_says(stage, change, "Being restored by CHG-3")
    one = stage.telnyx.number("+13035550000")
    one.status, one.customer_reference = "active", "Portal"
    stage.clock.elapse(600)
    await stage.ended(change)

    assert references(stage) == ["Portal", "Dallas", "Dallas"]
    assert "2 numbers restored, 1 left because somebody changed it" in stage.read(stage.card(change))
    assert [word for word, _ in restored(stage, change).values()] == ["left", "verified", "verified"]


async def test_an_operator_can_end_the_wait_for_a_busy_number(stage: Stage) -> None:
    """It keeps the value of the change and is told; those that went back before it are told as restored."""
    change = await busy_at_the_end(stage)
    await card_says(stage, change, "Being restored by CHG-3", "1 number cannot be changed now")
    assert "Only an operator can cancel CHG-3" in await stage.command("cancel CHG-3")
    await stage.command("cancel CHG-3", by=stage.otto)
    stage.clock.elapse(600)
    await stage.ended(change)

    assert references(stage) == ["Holiday", "Dallas", "Dallas"]
    assert "2 numbers restored, 1 not restored" in stage.read(stage.card(change))
    assert [word for word, _ in restored(stage, change).values()] == ["not_restored", "verified", "verified"]
    assert "Cancelled by an operator." in stage.failures()[-1]


async def test_numbers_that_are_released_are_not_waited_for(stage: Stage) -> None:
    """An operator who unlocks the change ends the wait as well: the busy number keeps the value of the change."""
    change = await busy_at_the_end(stage)
    await card_says(stage, change, "Being restored by CHG-3", "1 number cannot be changed now")
    await stage.command(f"unlock CHG-{change}", by=stage.otto)
    await stage.otto.click("unlock", message=stage.slack.ephemerals(stage.otto.id)[-1])
    stage.clock.elapse(600)
    await stage.ended(change)

    assert references(stage) == ["Holiday", "Dallas", "Dallas"]
    assert "2 numbers restored, 1 not restored" in stage.read(stage.card(change))
    assert "An operator released its numbers" in stage.failures()[-1]


async def test_a_number_that_was_ported_out_is_not_waited_for(stage: Stage) -> None:
    """It never comes back, so the change is over without it."""
    change = await busy_at_the_end(stage, "ported-out")
    await stage.ended(change)

    assert references(stage) == ["Holiday", "Dallas", "Dallas"]
    assert [word for word, _ in restored(stage, change).values()] == ["not_restored", "verified", "verified"]
    assert "+13035550000 (ported-out)" in stage.failures()[0]


async def test_a_crash_between_two_restores_loses_no_number(stage: Stage) -> None:
    """Killed while a busy number is waited for, it is waited for again, and nothing goes back twice."""
    change = await busy_at_the_end(stage)
    await card_says(stage, change, "Being restored by CHG-3")
    await stage.crash()
    stage.telnyx.number("+13035550000").status = "active"
    stage.clock.elapse(600)
    await stage.start()
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3
    assert len(stage.telnyx.jobs) == 3


async def half_restored(stage: Stage) -> int:
    """Bring a temporary change of two pairs to its end when Telnyx has a slot for one of the two jobs it takes."""
    one = stage.telnyx.add_numbers(2, start="+13035550000", customer_reference="Dallas")
    two = stage.telnyx.add_numbers(2, start="+13035550002", customer_reference="Austin")
    change = await in_effect(stage, [each.phone_number for each in (*one, *two)], {REFERENCE: "Holiday"})
    stage.telnyx.other_jobs(19, "update_phone_numbers")
    stage.telnyx.job_seconds = 60
    stage.clock.elapse(4 * 3600 + 120)
    await card_says(stage, change, "Being restored by CHG-2")
    await stage.telnyx.wait_for(lambda: len(stage.created()) >= 3)  # there, back, and what found no slot
    assert len(stage.telnyx.jobs) == 2
    return change


async def test_who_shared_a_job_with_a_changed_number_goes_back_in_another(stage: Stage) -> None:
    """A number that somebody changes while its job waits is left; the other one of that job is restored after all."""
    change = await half_restored(stage)
    gone_out = {operation.id for operation in stage.telnyx.jobs[-1].operations}
    kept, changed = (number for number in stage.telnyx.numbers.values() if number.id not in gone_out)
    changed.customer_reference = "Portal"
    stage.telnyx.end_other_jobs()
    stage.telnyx.advance(60)
    stage.telnyx.job_seconds = 0.02
    stage.clock.elapse(60)
    await stage.ended(change)

    assert "Holiday" not in references(stage)
    assert changed.customer_reference == "Portal"
    assert "3 numbers restored, 1 left because somebody changed it" in stage.read(stage.card(change))
    assert "Succeeded" in stage.read(stage.card(change))
    assert restored(stage, change)[changed.phone_number][0] == "left"
    assert restored(stage, change)[kept.phone_number][0] == "verified"
    assert any("Every number that nobody has changed is still restored." in line for line in stage.thread(change))
    assert stage.failures() == []
    assert "No numbers are locked." in await stage.command("locks")
    assert len(stage.telnyx.jobs) == 3


async def test_a_number_of_close_that_changes_while_others_go_back_is_left(
    both: Stage, close: CloseStandIn, team: Fixtures
) -> None:
    """It is told as left, not as failed: what somebody else wants by then is no fault of the restore."""
    before = {number.number: close.number(number.number).label for number in team.shared}
    last = list(before)[-1]
    change = await in_effect(both, list(before), {"label": "Holiday"}, "close")
    holding = close.faults.add(method="PUT", kind="hold", times=None)
    both.clock.elapse(4 * 3600 + 120)
    await close.wait_for(lambda: updates(close) == ALL + UNDER_WAY)
    close.number(last).label = "Portal"
    holding.let_go()
    await both.ended(change)

    assert {number: close.number(number).label for number in before} == {**before, last: "Portal"}
    assert f"{ALL - 1} numbers restored, 1 left because somebody changed it" in both.read(both.card(change))
    assert restored(both, change)[last][0] == "left"
    assert both.failures() == []
    assert updates(close) == 2 * ALL - 1


async def test_restores_that_turn_out_stale_again_and_again_come_ever_later(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a list goes on to show what the number itself does not have, nobody's log or quota fills with restores."""
    stage = idle
    await stage.start()
    one = stage.telnyx.add_number("+13035550000", customer_reference="Dallas")
    change = await in_effect(stage, [one.phone_number], {REFERENCE: "Holiday"})
    seen = staleness.differences

    async def other(*_: Any) -> list[ChangedValue]:
        return [ChangedValue(e164=one.phone_number, name=REFERENCE, then="Holiday", now="Portal")]

    monkeypatch.setattr(staleness, "differences", other)
    stage.clock.elapse(4 * 3600 + 120)
    await card_says(stage, change, "Being restored by CHG-6")
    monkeypatch.setattr(staleness, "differences", seen)
    stage.clock.elapse(60)
    await stage.ended(change)

    assert references(stage) == ["Dallas"]
    assert stage.failures() == []
    ends = await finished(stage, change)
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(ends)]
    assert [pause >= least for pause, least in zip(pauses, (0, 5, 10, 20), strict=True)] == [True] * 4
