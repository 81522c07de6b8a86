"""What nobody foresaw is told, and what somebody could have foreseen is borne."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.workflow.control.sweep import Sweep
from tests.integration.scenarios.stage import Stage

JOBS = "/phone_numbers/jobs/*"
HALF = "half \ud83d pair"


def moments(**given: str) -> Any:
    """Return what puts moments into a job."""

    def change(document: dict[str, Any]) -> None:
        document["data"].update(given)

    return change


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"etc": "0001-01-01T00:00:00+14:00"}, id="etc-before-all-time"),
        pytest.param({"etc": "9999-12-31T23:59:59-14:00"}, id="etc-after-all-time"),
        pytest.param({"etc": "9999-12-31T23:59:59Z"}, id="etc-at-the-end-of-time"),
        pytest.param({"created_at": "0001-01-01T00:00:00+14:00"}, id="created-before-all-time"),
        pytest.param({"created_at": "9999-12-31T23:59:59Z"}, id="created-at-the-end-of-time"),
    ],
)
async def test_a_moment_beyond_belief_stops_nothing(stage: Stage, told: dict[str, str]) -> None:
    """A date that is out of range counts as none: the change goes on to its end."""
    number = stage.telnyx.add_number("+13035550000")
    stage.telnyx.rewrites.add("POST", JOBS, moments(**told))
    stage.telnyx.rewrites.add("GET", JOBS, moments(**told))

    change = await stage.run([number.phone_number], {"customer_reference": "Denver"})

    assert stage.outcomes(change) == {"verified": 1}


@pytest.mark.parametrize("lost", [HALF, HALF.replace("\ud83d", "\x00")], ids=["half", "nul"])
async def test_what_cannot_be_written_down_is_shown_as_lost(stage: Stage, lost: str) -> None:
    """A value that no UTF-8, or no PostgreSQL, can hold is read, shown and overwritten like any other."""
    number = stage.telnyx.add_number("+13035550000", customer_reference=lost)

    shown = stage.read(await stage.propose([number.phone_number], {"customer_reference": "Denver"}, reason=lost))
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert "half \ufffd pair" in shown
    assert stage.outcomes(change) == {"verified": 1}


async def test_half_a_pair_is_refused_as_a_value(stage: Stage) -> None:
    """Nobody meant it, and it would be sent as something else."""
    stage.telnyx.add_number("+13035550000")
    await stage.open()
    await stage.fill("+13035550000", {"customer_reference": HALF}, "Why not")

    assert "has a broken character" in (await stage.refused())["value:customer_reference"]


async def test_a_task_that_fails_again_and_again_is_told(stage: Stage) -> None:
    """It is seen in /readyz and in a metric at once, and operators read which change it is and what they can do."""
    number = stage.telnyx.add_number("+13035550000")
    # A change without a batch: from here on the numbers of changes and batches are not the same by chance.
    await stage.propose("+13035559999", {"customer_reference": "Denver"})
    change = await stage.ask([number.phone_number], {"customer_reference": "Denver"})
    before = (await stage.get("/readyz"))[1]
    await stage.tamper("UPDATE operations SET before = '{'")

    await stage.approve(change)
    await stage.slack.wait_for(
        lambda: any("“start” failed" in said for said in stage.failures()), timeout=40, what="a notice of the fault"
    )

    # The plan's sheet is told of as well, where it was not there yet: it is read from the same rows.
    (notice,) = [said for said in stage.failures() if "“start” failed" in said]
    assert "is stalled by an internal error" in notice
    assert (f"CHG-{change}" in notice, f"/numbers cancel CHG-{change}" in notice) == (True, True)
    assert "in a row" not in before
    assert f"The task “start” of CHG-{change} failed" in (await stage.get("/readyz"))[1]
    assert 'linesman_failing_work{what="start"} 1.0' in (await stage.get("/metrics"))[1]

    await stage.tamper("UPDATE operations SET before = '{}'")
    stage.clock.advance(300)  # the longest pause between two tries
    async with asyncio.timeout(60):
        while "in a row" in (await stage.get("/readyz"))[1]:  # noqa: ASYNC110 - a page signals nobody
            await asyncio.sleep(0.05)


async def test_a_row_that_nobody_can_read_ends_no_loop(stage: Stage) -> None:
    """While it is there nothing can be claimed, which is no readiness; then everything goes on, without a restart."""
    number = stage.telnyx.add_number("+13035550000")
    await stage.open()
    await stage.fill([number.phone_number], {"customer_reference": "Denver"}, "why")
    await stage.tamper("INSERT INTO tasks (task, subject, due_at) VALUES ('wipe', 1, '2020-nonsense')")
    await stage.send()
    async with asyncio.timeout(60):
        while (during := await stage.get("/readyz"))[0] == 200:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)

    assert during[0] == 503
    assert "Linesman cannot claim tasks (ValueError); see the log." in during[1]
    assert 'linesman_trouble{where="work"} 1.0' in (await stage.get("/metrics"))[1]

    await stage.tamper("DELETE FROM tasks WHERE task = 'wipe'")

    assert number.phone_number in stage.read(await stage.planned())
    assert (await stage.get("/readyz"))[0] == 200
    assert 'linesman_trouble{where="work"} 0.0' in (await stage.get("/metrics"))[1]


async def test_work_of_another_version_stops_nothing_and_is_named(stage: Stage) -> None:
    """A newer version may have been here: what only it knows waits for it, and those who run this one read that."""
    number = stage.telnyx.add_number("+13035550000")
    await stage.tamper("INSERT INTO tasks (task, subject, due_at) VALUES ('future', 1, '2020-01-01 00:00:00.000000')")

    change = await stage.run([number.phone_number], {"customer_reference": "Denver"})

    assert stage.outcomes(change) == {"verified": 1}
    status, said = await stage.get("/readyz")
    assert (status, "does not know what to do about future: another version wrote that" in said) == (200, True)


async def test_a_sweep_that_fails_is_told(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a task that fails is: clicks still work without it."""

    async def fails(_: Sweep) -> int:
        raise ValueError("a row that nobody can read")

    monkeypatch.setattr(Sweep, "heal", fails)
    await idle.start()
    async with asyncio.timeout(30):
        while "The task “sweep” failed" not in (said := await idle.get("/readyz"))[1]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)

    assert said[0] == 200
    assert 'linesman_failing_work{what="sweep"} 1.0' in (await idle.get("/metrics"))[1]


async def test_overwritten_pages_are_told(stage: Stage) -> None:
    """When the file of the database is damaged, /readyz is not ready and says what to do."""
    number = stage.telnyx.add_number("+13035550000")
    change = await stage.ask([number.phone_number], {"customer_reference": "Denver"})
    await stage.quiet()
    await stage.stop()
    overwrite(stage.database, "operations")
    await stage.start()

    await stage.approve(change)
    async with asyncio.timeout(60):
        while (await stage.get("/readyz"))[0] == 200:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)

    assert "restore a backup" in (await stage.get("/readyz"))[1]
    await stage.slack.wait_for(
        lambda: any("is stalled by an internal error" in said for said in stage.failures()),
        what="a notice of the fault",
    )


def overwrite(database: Path, table: str) -> None:
    """Overwrite the first page of a table with nonsense."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
