"""A database that takes nothing: new work stops loudly, people are told, nothing is lost, and it goes on by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest
from sqlalchemy.engine import Connection

from bot.errors import DatabaseUnavailable
from bot.store.engine import sqlite
from bot.store.engine.sqlite import _begin
from bot.workflow.planning.requests import Requests
from tests.integration.scenarios.stage import OPS, Stage
from tests.integration.scenarios.steps import edit

#: SQLite's own largest number of pages; any smaller limit than the present size means the present size.
ROOMY = 1_073_741_823


class Disk:
    """The disk below the bot's database, which can be filled: SQLite then refuses to grow, as it does on ENOSPC."""

    def __init__(self) -> None:
        self.full = False

    def begin(self, connection: Connection) -> None:
        """Begin a transaction on the disk as it is now."""
        _begin(connection)  # first: only inside it is the size certain that the limit is cut to
        connection.exec_driver_sql(f"PRAGMA max_page_count = {1 if self.full else ROOMY}")


@pytest.fixture
async def disk(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Put a disk that can be filled below the bot's database."""
    disk = Disk()
    with closing(sqlite3.connect(idle.database)) as file:
        file.execute("VACUUM")  # the migrations leave pages in which a row would find room
    monkeypatch.setattr(sqlite, "_begin", disk.begin)
    await idle.start()
    return disk


@asynccontextmanager
async def locked(stage: Stage) -> AsyncIterator[None]:
    """Hold the database's write lock, as a backup tool that hangs would."""
    other = sqlite3.connect(stage.database, isolation_level=None, check_same_thread=False)
    await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def ready(stage: Stage, status: int) -> str:
    """Wait until ``/readyz`` answers with ``status`` and return what it says."""
    async with asyncio.timeout(60):
        while (answer := await stage.get("/readyz"))[0] != status:  # noqa: ASYNC110 - only another look can tell
            await asyncio.sleep(0.05)
    return answer[1]


async def test_on_a_full_disk_a_change_is_refused_and_works_once_there_is_room(idle: Stage, disk: Disk) -> None:
    """The person reads what to do, readiness and metrics say why, nothing half-done is left, and then it works."""
    stage = idle
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(200, start="+13035550000")]
    disk.full = True
    await stage.open("update")
    await stage.fill(numbers, {"customer_reference": "Denver"}, "Because")
    await stage.ana.submit()
    said = await ready(stage, 503)
    metrics = (await stage.get("/metrics"))[1]

    assert "The disk of the database is full: free some space" in said
    assert 'linesman_trouble{where="database"} 1.0' in metrics
    disk.full = False
    assert await ready(stage, 200) == "ready"
    while stage.ana.view is not None:
        await stage.ana.close()
    await stage.quiet()
    change = await stage.run(numbers)

    assert stage.outcomes(change) == {"verified": 200}
    stage.assert_nothing_doubled()


async def test_an_approval_on_a_full_disk_is_answered_and_decides_nothing(idle: Stage, disk: Disk) -> None:
    """The manager reads that nothing was decided and what to do; the same button works once there is room."""
    stage = idle
    number = stage.telnyx.add_number("+13035550000")
    change = await stage.ask(number.phone_number)
    await stage.quiet()
    disk.full = True
    answers = []
    # Single rows may find room in pages that the file has already.
    for _ in range(400):
        answers.append(await stage.command("cancel CHG-1", by=stage.sam))
        if "disk" in answers[-1]:
            break

    assert "The disk of the database is full" in answers[-1]
    assert "Nothing was decided or sent" in answers[-1]
    disk.full = False
    await ready(stage, 200)
    await stage.approve(change)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1}
    assert len(stage.created()) == 1
    stage.assert_nothing_doubled()


async def test_a_form_stays_when_its_plan_cannot_be_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up after *Edit* has shown the form: what is typed in it is not taken away, and can be sent."""
    full = asyncio.Event()

    async def discard(*_: object, **__: object) -> None:
        full.set()
        raise DatabaseUnavailable

    number = stage.telnyx.add_number("+13035550000")
    await stage.propose(number.phone_number)
    monkeypatch.setattr(Requests, "discard", discard)
    await edit(stage)
    await stage.ana.type("reason", "Another reason")
    await asyncio.wait_for(full.wait(), 60)
    await stage.quiet()
    await stage.send()
    await stage.planned()

    assert "Another reason" in stage.modal()


async def test_a_window_that_was_opened_says_that_the_disk_is_full(idle: Stage, disk: Disk) -> None:
    """Whoever waits in front of a window that loads reads in it why nothing follows, and has their list back."""
    stage = idle
    disk.full = True
    said = ""
    for _ in range(400):  # as above
        await stage.sam.command("/numbers", "update +13035550000 +13035550001", channel=OPS)
        said = stage.read(await stage.sam.wait_for_view(lambda view: "Loading" not in stage.read(view)))
        if "disk" in said:
            break

    assert "The disk of the database is full" in said
    assert "+13035550000 +13035550001" in said


async def test_a_locked_database_is_told_and_waited_for(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A click during the lock is answered with what to do; afterwards the same button counts once."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 100)
    stage = idle
    await stage.start()
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    await stage.quiet()
    async with locked(stage):
        answer = await stage.approve(change)
        said = await ready(stage, 503)
    await ready(stage, 200)
    await stage.approve(change)
    await stage.ended(change)

    assert "The database is locked by another program: end it, then try again" in answer
    assert "Nothing was decided or sent" in answer
    assert "locked" in said
    assert stage.outcomes(change) == {"verified": 1}
    stage.assert_nothing_doubled()


@pytest.mark.parametrize("moment", ["POST", "GET"])
async def test_a_database_that_is_lost_at_the_carrier_doubles_nothing(
    idle: Stage, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A job that was created, or read, while its row could not be written is found again; there is no second one."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 100)
    stage = idle
    await stage.start()
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    hanging = stage.telnyx.faults.add(method=moment, path="/phone_numbers/jobs/*", kind="delay", seconds=0.5)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.telnyx.wait_for(lambda: hanging.times == 0)
    async with locked(stage):
        await ready(stage, 503)
    await ready(stage, 200)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert len(stage.created()) == 1
    stage.assert_nothing_doubled()


async def test_a_message_posted_while_the_database_is_lost_is_posted_once(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arrived in Slack and could not be noted is looked for before it is sent again."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 100)
    stage = idle
    await stage.start()
    stage.telnyx.add_number("+13035550000")
    hanging = stage.slack.faults.add(method="chat.postMessage", kind="delay", seconds=0.5, times=2)
    await stage.propose("+13035550000")
    await stage.ana.submit()
    await stage.slack.wait_for(lambda: hanging.fired == 2, what="both cards to be on their way")
    async with locked(stage):
        await ready(stage, 503)
    await ready(stage, 200)
    await stage.quiet()
    await stage.approve(1)
    await stage.ended(1)

    assert stage.outcomes(1) == {"verified": 1}
    stage.assert_nothing_doubled()


async def test_a_stop_with_a_locked_database_is_a_stop(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends although its claims cannot be given back, and the next one goes on."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 100)
    stage = idle
    await stage.start()
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    await stage.quiet()
    async with locked(stage):
        await ready(stage, 200)
        await stage.stop()
    await stage.start()
    await stage.approve(change)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1}
