"""Finding out about one number: its values of today, who holds it, and its history."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from bot.sandbox.slack import Message
from bot.sandbox.slack.blocks.inspect import message_problems
from tests.integration.scenarios.stage import OPS, Stage

ONE, OTHER = "+13035550000", "+13035550001"


def last(stage: Stage, user: str = "U0ANA") -> Message:
    """Return what a person alone was shown last."""
    return stage.slack.ephemerals(user)[-1]


async def again(stage: Stage, times: int) -> None:
    """Write CHG-1 and what it did once more, so many times; nobody waits for so many to run."""
    assert stage.bot is not None
    async with stage.bot.worker._context.database.engine.begin() as connection:
        for _ in range(times):
            await connection.execute(
                text(
                    "INSERT INTO changes (kind, state, outcome, requester, draft, created_at, started_at, summary) "
                    "SELECT kind, state, outcome, requester, draft, created_at, started_at, summary "
                    "FROM changes WHERE id = 1"
                )
            )
            await connection.execute(
                text(
                    "INSERT INTO operations (change_id, position, batch, number_id, e164, before, after, state) "
                    "SELECT (SELECT max(id) FROM changes), position, batch, number_id, e164, before, after, state "
                    "FROM operations WHERE change_id = 1"
                )
            )


async def test_a_number_is_found_with_its_values_its_lock_and_its_history(stage: Stage) -> None:
    """Every setting of every kind with names for ids, who holds it, and what changes did to it, newest first."""
    stage.telnyx.add_number(ONE, tags=["dallas"])
    await stage.run(ONE, {"customer_reference": "Denver"}, reason="First")
    change = await stage.ask(ONE, {"customer_reference": "Boulder"}, reason="Second")
    await stage.quiet()

    said = await stage.command("find (303) 555-0000", by=stage.otto)

    assert f"# {ONE}" in said
    assert "Customer reference: Denver" in said
    assert "Tags: dallas" in said
    assert "Connection: Dallas PBX (" in said or "Connection: (empty)" in said
    assert "Emergency service: " in said
    assert f"Locked by CHG-{change}, requested by @Ana" in said
    assert said.index("CHG-2 ·") < said.index("CHG-1 ·")
    assert "This number: not sent yet" in said
    assert "This number: ✅ changed and verified" in said
    assert "Customer reference: Denver → Boulder" in said
    assert "Customer reference: (empty) → Denver" in said
    assert str(last(stage, "U0OTTO").blocks).count("/archives/C0OPS/p") == 2


async def test_a_number_is_found_by_the_providers_id(stage: Stage) -> None:
    """The id leads to the same number and the same history."""
    number = stage.telnyx.add_number(ONE)
    await stage.run(ONE)

    said = await stage.command(f"find {number.id}")

    assert f"# {ONE}" in said
    assert f"id {number.id}" in said
    assert "CHG-1 ·" in said
    assert "Not locked." in said


async def test_a_number_that_left_the_account_keeps_its_history(stage: Stage) -> None:
    """It is said that the carrier does not have it, and what was done to it is shown all the same."""
    number = stage.telnyx.add_number(ONE)
    await stage.run(ONE)
    stage.telnyx.remove_number(ONE)

    for asked in (ONE, number.id):
        said = await stage.command(f"find {asked}")

        assert f"{asked} is not in the Telnyx account, or cannot be changed there now." in said
        assert "CHG-1 · ✅ Succeeded" in said


async def test_a_number_that_nobody_ever_touched_is_said_so(stage: Stage) -> None:
    """An unknown number has no values and no history."""
    said = await stage.command("find +442079460958")

    assert "+442079460958 is not in the Telnyx account" in said
    assert "No changes have been requested for it." in said


async def test_a_number_that_cannot_be_changed_now_is_shown_when_it_is_known(stage: Stage) -> None:
    """Ownership checks leave it out; its id from an earlier change finds it."""
    number = stage.telnyx.add_number(ONE)
    await stage.run(ONE)
    stage.telnyx.number(ONE).status = "port-out-pending"

    said = await stage.command(f"find {ONE}")

    assert f"id {number.id} · port-out-pending · cannot be changed there now" in said


async def test_the_history_is_paged_and_stays_where_it_is(stage: Stage) -> None:
    """Older and Newer replace the answer in place; a change that arrives meanwhile moves nothing."""
    stage.telnyx.add_number(ONE)
    await stage.run(ONE)
    await again(stage, 6)
    first = await stage.command(f"find {ONE}")
    shown = last(stage)

    await again(stage, 1)
    await stage.ana.click("find_older", message=shown)
    await stage.slack.wait_for(lambda: "Earlier changes" in stage.read(shown), what="the older page")
    older = stage.read(shown)
    await stage.ana.click("find_newer", message=shown)
    await stage.slack.wait_for(
        lambda: "CHG-8" in stage.read(shown) or "CHG-7" in stage.read(shown), what="the newer page"
    )

    assert [f"CHG-{i}" in first for i in range(1, 8)] == [False] * 2 + [True] * 5
    assert [f"CHG-{i}" in older for i in range(1, 9)] == [True] * 2 + [False] * 6
    assert "CHG-7" in stage.read(shown)
    assert message_problems(shown.blocks) == []
    assert stage.slack.complaints == []


async def test_a_secret_is_never_shown(idle: Stage) -> None:
    """Neither today's PIN nor those of the history are read, shown or named otherwise than as a secret."""
    await idle.start(LINESMAN_SECRET_KEY=Fernet.generate_key().decode())
    number = idle.telnyx.add_number(ONE)
    await idle.run(ONE, {"external_pin": "839201"})

    said = await idle.command(f"find {number.id}")

    assert "839201" not in str(last(idle).blocks)
    assert "External PIN: never shown" in said
    assert "External PIN: •••••• → ••••••" in said


async def test_the_history_is_shown_when_the_carrier_does_not_answer(stage: Stage) -> None:
    """What is known here is not held back, and nothing is claimed about today."""
    stage.telnyx.add_number(ONE)
    await stage.ask(ONE)
    stage.telnyx.faults.add(path="/phone_numbers*", kind="status", status=401, times=None)

    said = await stage.command(f"find {ONE}")

    assert "Telnyx: its current values cannot be read." in said
    assert "is not in the Telnyx account" not in said
    assert "Locked by CHG-1" in said
    assert "CHG-1 ·" in said


async def test_a_slow_carrier_does_not_keep_anybody_waiting(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the answer comes without today's values, and says so."""
    monkeypatch.setattr("bot.workflow.queries.number_lookup.PATIENCE", 0.2)
    stage.telnyx.faults.add(path="/phone_numbers*", kind="delay", seconds=3, times=None)

    said = await stage.command(f"find {ONE}")

    assert "its current values cannot be read. Telnyx is not responding right now." in said


async def test_guests_and_strangers_may_not_look_numbers_up(stage: Stage) -> None:
    """Values of today are for people of the workspace; whoever asks gets an answer."""
    stage.telnyx.add_number(ONE)

    assert "Guests of this workspace may not view changes and numbers." in await stage.command(
        f"find {ONE}", by=stage.gus
    )
    assert "People from another workspace may not" in await stage.command(f"find {ONE}", by=stage.fay)


async def test_nothing_that_is_set_at_the_carrier_can_do_anything_here(stage: Stage) -> None:
    """Tags and references are shown as text: they mention nobody and make no link."""
    stage.telnyx.add_number(ONE, tags=["<!channel>", "<@U0MAX>"], customer_reference="<https://evil.example|CHG-1>")

    said = await stage.command(f"find {ONE}", channel=OPS)

    assert "<!channel>, <@U0MAX>" in said
    assert not last(stage).mentions


async def test_a_plan_that_nobody_asked_for_is_not_history(stage: Stage) -> None:
    """Looking at a preview leaves no trace on the number."""
    stage.telnyx.add_number(OTHER)
    await stage.propose(OTHER)

    assert "No changes have been requested for it." in await stage.command(f"find {OTHER}")
