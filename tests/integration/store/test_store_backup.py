"""A backup is a whole database, made beside who works on it; a restored one works, and holds back what could go on."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import ChangeState
from bot.cli import main
from bot.errors import StoreError
from bot.store.database import Database
from bot.store.engine.sqlite_file import HeldFile
from bot.store.maintenance.sqlite_backup import back_up
from bot.store.migrations import migrate
from bot.store.tables import changes
from tests.integration.store.quiet import logging_as_before

__all__ = ["logging_as_before"]

NOW = datetime(2026, 11, 28, tzinfo=UTC)
#: A user without rights.
NOBODY = 65_534
DRAFT = Draft(kind="telnyx.settings", reason="why")
#: Runs a command on the database of the test; returns its status and what it says to people.
Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that the environment names."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/linesman.db")
    return tmp_path / "linesman.db"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], logging_as_before: None) -> Run:
    """Return what runs a command."""
    del logging_as_before

    def command(*arguments: object) -> tuple[int, list[str]]:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, [line for line in (out + err).splitlines() if not line.startswith(("{", "20"))]

    return command


async def note(path: Path, *names: str) -> None:
    """Write an event of each name into the database, which is made where there is none."""
    async with Database(f"sqlite+aiosqlite:///{path}") as database:
        await migrate(database)
        for name in names:
            async with database.transaction() as tx:
                await tx.events.add(None, name, at=NOW)


@pytest.fixture
def reader() -> Iterator[Path]:
    """Have the test be somebody who may read the file that is returned, and write neither it nor its folder."""
    folder = Path(tempfile.mkdtemp())
    file = folder / "linesman.db"
    asyncio.run(note(file))
    root = os.geteuid() == 0
    file.chmod(0o444)
    folder.chmod(0o555)
    if root:
        os.seteuid(NOBODY)
    try:
        yield file
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_who_may_only_read_is_told_what_to_do(reader: Path) -> None:
    """SQLite's own words alone say that something was written, which nobody asked for."""
    with tempfile.TemporaryDirectory() as elsewhere, pytest.raises(StoreError) as caught:
        back_up(reader, Path(elsewhere) / "copy.db")

    assert "Run this as the user who runs Linesman, or let this user write the file and its folder" in str(caught.value)
    assert caught.value.message.endswith(". Nothing was changed.")


def noted(path: Path) -> list[str]:
    """Return the names of the events in a file."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT what FROM events ORDER BY id")]


async def test_a_backup_is_made_beside_who_writes(path: Path, run: Run) -> None:
    """It is one moment of a database that is written to all the while: whole, chained, and its owner's alone."""
    copy, begun, stop = path.with_name("copy.db"), asyncio.Event(), asyncio.Event()

    async def write(database: Database) -> None:
        while not stop.is_set():
            async with database.transaction() as tx:
                await tx.events.add(None, "frozen", at=NOW, reason="x" * 500)
            begun.set()

    async with Database(f"sqlite+aiosqlite:///{path}") as database:
        await migrate(database)
        writing = asyncio.create_task(write(database))
        async with asyncio.timeout(60):
            await begun.wait()
            status, said = await asyncio.to_thread(run, "backup", copy)
        stop.set()
        await writing
        last = await database_events(database)

    assert (status, said) == (
        0,
        [f"✓ {copy} is a complete copy of the database. It does not hold LINESMAN_SECRET_KEY."],
    )
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in path.parent.iterdir() if file.name.startswith("copy")) == ["copy.db"]
    async with Database(f"sqlite+aiosqlite:///{copy}") as copied, copied.reading() as tx:
        assert 0 < (await tx.events.verify()).events <= last


async def database_events(database: Database) -> int:
    """Return how many events there are."""
    async with database.reading() as tx:
        return await tx.events.count()


def test_a_backup_overwrites_nothing(path: Path, run: Run) -> None:
    """Not a file, and not another backup."""
    asyncio.run(note(path, "frozen"))
    copy = path.with_name("copy.db")
    copy.write_text("mine")

    assert run("backup", copy) == (
        1,
        [f"✗ {copy} exists, and a backup overwrites nothing: choose another name."],
    )
    assert copy.read_text() == "mine"


def test_a_backup_comes_back(path: Path, run: Run) -> None:
    """What was noted since is in the file that stays beside it; that it was restored is in the audit log."""
    copy = path.with_name("copy.db")
    asyncio.run(note(path, "frozen"))
    run("backup", copy)
    asyncio.run(note(path, "unfrozen"))

    status, said = run("restore", copy)

    assert (status, said[0]) == (0, f"✓ {path} was restored from {copy}.")
    assert noted(path) == ["frozen", "restored"]
    [before] = path.parent.glob("linesman.db.before-*")
    assert said[1:] == [f"The previous database is {before}."]
    assert noted(before) == ["frozen", "unfrozen"]
    assert [file.stat().st_mode & 0o777 for file in path.parent.iterdir()] == [0o600] * len(list(path.parent.iterdir()))
    asyncio.run(note(path, "unfrozen"))
    assert run("export", "--verify")[0] == 0


def test_a_backup_comes_to_an_empty_machine(path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no database of before then; a damaged one stays as it was."""
    copy = path.with_name("copy.db")
    asyncio.run(note(path, "frozen"))
    run("backup", copy)
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{path.parent}/new.db")
    assert run("restore", copy) == (0, [f"✓ {path.parent}/new.db was restored from {copy}."])

    path.write_bytes(b"rubbish" * 2000)
    path.with_name("linesman.db-wal").write_bytes(b"more rubbish" * 1000)
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{path}")
    status, _ = run("restore", copy)

    assert (status, noted(path)) == (0, ["frozen", "restored"])
    assert b"rubbish" in next(path.parent.glob("linesman.db.before-*Z")).read_bytes()
    assert b"more" in next(path.parent.glob("linesman.db.before-*Z-wal")).read_bytes()


#: States after which nothing is sent unless the requester asks for approval, and somebody approves after that.
STANDING_STILL = {ChangeState.PLANNING, ChangeState.PLANNED, ChangeState.CHANGES_REQUESTED}


@pytest.mark.parametrize("state", ChangeState, ids=lambda state: state.value)
async def test_what_could_go_on_is_held_back(path: Path, run: Run, state: ChangeState) -> None:
    """What was not over at the backup may have been carried out or cancelled since; an operator decides.

    Between two waves it goes on when its time has come, and a request does when the policy asks for no more approvals.
    """
    held_back = not state.over and state not in STANDING_STILL
    copy = path.with_name("copy.db")
    async with Database(f"sqlite+aiosqlite:///{path}") as database:
        await migrate(database)
        async with database.transaction() as tx:
            await tx.changes.add(DRAFT, requester="U0ANA", origin="C0", view="V", submission="s", now=NOW)
        async with database.connection() as connection:
            await connection.execute(changes.update().values(state=state.value))
    await asyncio.to_thread(run, "backup", copy)

    status, said = await asyncio.to_thread(run, "restore", copy)

    assert (status, "Submissions are frozen" in said[-1]) == (0, held_back)
    async with Database(f"sqlite+aiosqlite:///{path}") as database, database.reading() as tx:
        freeze = await tx.freezes.current()
    assert (freeze is not None and freeze.by.startswith("shell:")) == held_back
    assert noted(path) == (["restored", "frozen"] if held_back else ["restored"])


def test_a_database_in_use_is_not_replaced(path: Path, run: Run) -> None:
    """A running Linesman would write on into a file that has no name any more."""
    copy = path.with_name("copy.db")
    asyncio.run(note(path, "frozen"))
    run("backup", copy)
    with closing(HeldFile(path)):
        status, said = run("restore", copy)

    assert (status, said[0].partition(";")[0]) == (1, f"✗ Another Linesman is using {path}")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE events SET actor = 'U0EVE'", "✗ The audit log breaks at event 1"),
        ("ALTER TABLE changes DROP COLUMN problem", "does not have the structure that Linesman gave it."),
        ("DROP TABLE alembic_version", "is not a database of Linesman's."),
        ("UPDATE alembic_version SET version_num = '9999'", "✗ The database has revision 9999, which"),
        ("UPDATE alembic_version SET version_num = 'moved'", "✗ This installation was moved"),
        (
            (
                "INSERT INTO decisions (change_id, person, verb, digest, reason, rule, at, lapse) "
                "VALUES (7, 'U', 'v', 'd', '', '', '2026-01-01', '')"
            ),
            "table decisions refers to a row",
        ),
        ("", "copy.db is damaged"),
    ],
    ids=["audit log", "structure", "another program's", "newer", "moved", "reference", "pages"],
)
def test_what_is_not_whole_is_not_restored(statement: str, says: str, path: Path, run: Run) -> None:
    """It is told what is wrong with it, and the database is as it was, to the byte."""
    copy = path.with_name("copy.db")
    asyncio.run(note(path, "frozen"))
    run("backup", copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute(statement)
    if not statement:
        whole = copy.read_bytes()
        copy.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) - len(whole) // 2))
    before, names = path.read_bytes(), sorted(file.name for file in path.parent.iterdir())

    status, said = run("restore", copy)

    assert (status, says in said[0]) == (1, True), said
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == names


def test_a_damaged_database_is_named_and_not_backed_up(path: Path, run: Run) -> None:
    """A backup of it would be found damaged on the day it is needed."""
    asyncio.run(note(path, "frozen"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) - len(whole) // 2))

    status, said = run("backup", path.with_name("copy.db"))

    assert (status, said[0].partition(" (")[0]) == (1, f"✗ The database {path} is damaged")
    assert not path.with_name("copy.db").exists()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_folder_in_the_way_is_told_with_the_file_that_was_asked_for(command: str, path: Path, run: Run) -> None:
    """Nobody asked for the file in between whose name it has."""
    copy = path.with_name("copy.db")
    asyncio.run(note(path, "frozen"))
    if command == "restore":
        run("backup", copy)
    target = copy if command == "backup" else path
    folder = target.with_name(f"{target.name}.part")
    folder.mkdir()

    said = run(command, copy)

    assert said == (1, [f"✗ Cannot write {target}: first remove the folder {folder}."])


def test_trouble_with_the_file_in_between_is_told_of_the_files_that_were_named(path: Path, run: Run) -> None:
    """A name may be too long only for the file in between."""
    copy = path.with_name("c" * 252)
    asyncio.run(note(path, "frozen"))

    said = run("backup", copy)

    assert said == (1, [f"✗ Cannot copy {path} to {copy}: File name too long. Nothing was changed."])
    assert not copy.exists()


def test_a_backup_that_cannot_be_looked_at_is_told(path: Path, run: Run) -> None:
    """Its name may be too long, or its folder closed; nothing is changed by that."""
    copy = path.with_name("c" * 300)

    said = run("restore", copy)

    assert said == (1, [f"✗ Cannot read {copy}: File name too long. Nothing was changed."])
    assert not path.exists()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_postgresql_has_its_own(command: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore do this, and .github/OPERATING.md says how."""
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://h/d")

    status, said = run(command, "copy.db")

    assert (status, "pg_" in said[0]) == (2, True)


def test_it_says_what_is_not_there(path: Path, run: Run) -> None:
    """Nothing is made of nothing."""
    assert run("backup", "copy.db") == (
        1,
        [f"✗ There is no database {path}: check DATABASE_URL."],
    )
    assert run("restore", "copy.db") == (1, ["✗ There is no backup copy.db."])
    assert list(path.parent.iterdir()) == []
