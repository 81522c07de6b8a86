"""Sealed secrets do not outlive their use: the bytes of the database tell."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest
from cryptography.fernet import Fernet

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_after, card_says, edit, reject, run_form

PIN = "Quetzal7391"
OTHER_PIN = "Ocelot2864"
#: How every Fernet token begins: version 0x80 and the first bytes of a time that is not before 1970 nor after 2106.
SEALED = b"gAAAAA"
JOBS = "/phone_numbers/jobs/update_phone_numbers"


@pytest.fixture
async def sealed(idle: Stage) -> Stage:
    """Set the stage with a key, so that the PIN is offered."""
    await idle.start(LINESMAN_SECRET_KEY=Fernet.generate_key().decode())
    return idle


def holds_sealed(stage: Stage) -> bool:
    """Tell whether any byte of the database or its log is of a sealed secret."""
    return any(SEALED in path.read_bytes() for path in stage.database.parent.iterdir())


async def wiped(stage: Stage) -> None:
    """Wait until nothing sealed is left; the log beside the file is emptied when nobody reads just then."""
    async with asyncio.timeout(60):
        while holds_sealed(stage):  # noqa: ASYNC110 - a file signals nobody
            await asyncio.sleep(0.03)


def batch_values(stage: Stage) -> list[dict[str, dict[str, str]]]:
    """Return what the batches send, as it rests in the database."""
    with closing(sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True)) as connection:
        rows = connection.execute('SELECT "values" FROM batches ORDER BY id').fetchall()
    return [json.loads(row[0]) for row in rows]


@pytest.mark.parametrize("ending", ["rejected", "expired", "cancelled", "stale", "finished"])
async def test_nothing_sealed_is_left_when_a_change_has_ended(sealed: Stage, ending: str) -> None:
    """However it ends, no byte of the file holds the sealed PIN, neither the new one nor today's; the mask stays."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000", external_pin=OTHER_PIN)
    change = await stage.ask([number.phone_number], {"external_pin": PIN})
    assert holds_sealed(stage)

    match ending:
        case "rejected":
            await reject(stage, change)
        case "expired":
            stage.clock.advance(90_000)
        case "cancelled":
            await stage.command(f"cancel CHG-{change}")
        case "stale":
            number.external_pin = "Somebody1"
            await stage.approve(change)
        case "finished":
            await stage.approve(change)
    card = await card_after(stage, change, {"finished": "Succeeded"}.get(ending, ending.title()))
    await wiped(stage)

    assert "External PIN → ••••••" in stage.read(card)
    assert number.external_pin == {"finished": PIN, "stale": "Somebody1"}.get(ending, OTHER_PIN)


async def test_while_approval_is_awaited_the_secret_rests_once(sealed: Stage) -> None:
    """From the request on only what will be sent is sealed: the form's copy is wiped, the plan never had one."""
    stage = sealed
    numbers = [n.phone_number for n in stage.telnyx.add_numbers(3, start="+13035550000", external_pin=OTHER_PIN)]
    await stage.ask(numbers, {"external_pin": PIN})

    with closing(sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True)) as connection:
        drafts = connection.execute("SELECT draft || summary FROM changes").fetchall()
        planned = connection.execute("SELECT before || after FROM operations").fetchall()

    assert [row for row in drafts + planned if SEALED.decode() in row[0]] == []
    assert [values["external_pin"]["$sealed"][:6].encode() for values in batch_values(stage)] == [SEALED]


async def test_a_batch_is_wiped_when_its_job_is_there_and_not_before(sealed: Stage) -> None:
    """While nobody knows whether the job was made the secret stays, because it may have to be sent again; then it goes.

    The change is still running at that moment: its job is being watched.
    """
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    await stage.stop()
    await stage.start(LINESMAN_RECONCILE_SECONDS="5")
    stage.telnyx.job_seconds = 3600
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_before")
    lost = stage.telnyx.faults.add(method="GET", path="/phone_numbers/jobs", kind="malformed", times=None)
    change = await stage.ask([number.phone_number], {"external_pin": PIN})
    await stage.approve(change)
    await card_says(stage, change, "1 with no response yet")
    assert holds_sealed(stage)

    lost.times = 0
    await card_says(stage, change, "1 running")
    await wiped(stage)

    assert len(stage.telnyx.jobs) == 1
    assert stage.outcomes_so_far(change) == "0 succeeded · 0 failed · 1 pending"
    assert [value["external_pin"]["$sealed"] for value in batch_values(stage)] == [""]


async def test_a_closed_preview_leaves_nothing_sealed(sealed: Stage) -> None:
    """Closing the plan is an ending like the others."""
    stage = sealed
    stage.telnyx.add_number("+13035550000")
    await stage.propose("+13035550000", {"external_pin": PIN})
    assert holds_sealed(stage)

    await stage.ana.close()

    await wiped(stage)


async def test_an_edited_plan_hands_its_secret_over(sealed: Stage) -> None:
    """Edit keeps the PIN for the form; when the new change has ended, neither of the two holds it."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    await stage.propose([number.phone_number], {"external_pin": PIN})
    await edit(stage)
    await stage.ana.type("reason", "A better reason")
    await run_form(stage)

    await wiped(stage)
    assert number.external_pin == PIN


async def test_a_form_that_never_comes_back_keeps_its_secret_for_an_hour(sealed: Stage) -> None:
    """After that it is wiped, and a form that comes back later asks for the PIN again."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    await stage.propose([number.phone_number], {"external_pin": PIN})
    await edit(stage)
    await stage.quiet()
    assert holds_sealed(stage)

    stage.clock.advance(3700)
    await wiped(stage)
    problems = await stage.refused()
    assert problems == {"value:external_pin": "External PIN was not kept from before: type it again."}

    await stage.ana.type("value:external_pin", OTHER_PIN)
    await run_form(stage)
    assert number.external_pin == OTHER_PIN


async def test_planning_an_ended_change_again_asks_for_the_secret(sealed: Stage) -> None:
    """The PIN of a change that was rejected is gone: the fresh plan says so, and Edit takes a new one."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000", external_pin=OTHER_PIN)
    change = await stage.ask([number.phone_number], {"external_pin": PIN})
    number.external_pin = "Somebody1"
    await stage.approve(change)
    await card_after(stage, change, "Stale")

    await stage.ana.click("plan_again", message=stage.card(change))
    await stage.ana.wait_for_view(lambda view: "was not kept from before" in stage.read(view))
    view = await edit(stage)
    assert "The earlier value is kept" not in stage.read(view)
    await stage.ana.type("value:external_pin", PIN)
    await run_form(stage)

    assert number.external_pin == PIN
    await wiped(stage)


async def test_numbers_can_be_left_out_without_typing_the_secret_again(sealed: Stage) -> None:
    """A plan that failed for some numbers goes on without them, with the PIN that was typed."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    await stage.propose([number.phone_number, "+13035559999"], {"external_pin": PIN})

    await stage.ana.click("leave_out")
    await stage.ana.wait_for_view(lambda view: "Request approval" in stage.read(view))
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert number.external_pin == PIN
    await wiped(stage)
