"""The files of an SQLite database: whose they are, and who may use them."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.errors import DatabaseDamaged, DatabaseInUse, DatabaseUnavailable, StoreError
from bot.store.database import Database
from bot.store.engine.sqlite_file import is_held, seen_by_others
from bot.store.migrations import migrate, require_current

NOW = datetime(2026, 11, 28, tzinfo=UTC)
#: Holds the database as a Linesman at work does, with connections that come and go, until it is killed.
HOLDER = """
import asyncio, sys
from bot.store.database import Database

async def hold() -> None:
    async with Database(sys.argv[1]) as database:
        for _ in range(2):
            async with database.transaction() as tx, database.reading():
                pass
            await database.engine.dispose()
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


@pytest.fixture
def _open_handed() -> Iterator[None]:
    """Let files be made for everybody, as a shell with umask 0 does."""
    before = os.umask(0)
    yield
    os.umask(before)


@asynccontextmanager
async def holder(url: str) -> AsyncIterator[Process]:
    """Give a process that holds the database."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, url, stdout=PIPE)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"held\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def rights_in(folder: Path) -> dict[str, int]:
    """Return each name in ``folder`` with its rights."""
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


def url_of(path: Path) -> str:
    """Return the address of a database file."""
    return f"sqlite+aiosqlite:///{path}"


@pytest.mark.usefixtures("_open_handed")
async def test_nobody_else_can_read_any_of_its_files(tmp_path: Path) -> None:
    """The database, its log, its shared memory and its lock are their owner's alone, whatever the umask."""
    path = tmp_path / "linesman.db"
    async with Database(url_of(path)) as database:
        await migrate(database)
        async with database.transaction():
            rights = rights_in(tmp_path)

    assert rights == {f"linesman.db{part}": 0o600 for part in ("", "-wal", "-shm", ".lock")}
    assert seen_by_others(path) is None


async def test_a_file_of_before_keeps_its_rights_and_is_named(tmp_path: Path) -> None:
    """Whoever gave a file to a group may need that; it is told, and not taken away."""
    path = tmp_path / "linesman.db"
    path.touch()
    path.chmod(0o640)
    async with Database(url_of(path)):
        pass

    assert seen_by_others(path) == path
    assert path.stat().st_mode & 0o777 == 0o640


async def test_a_deleted_lock_file_lets_nobody_in(tmp_path: Path) -> None:
    """The database itself is locked too: not by SQLite's sort of lock, which ends with any of its connections."""
    path = tmp_path / "linesman.db"
    async with Database(url_of(path)) as database:
        await migrate(database)
    async with holder(url_of(path)) as process:
        for _ in range(2):  # the first try makes the lock file anew
            path.with_name("linesman.db.lock").unlink()
            assert is_held(path)
            with pytest.raises(DatabaseInUse, match="Another Linesman is using"):
                async with Database(url_of(path)):
                    pass
        async with Database(url_of(path), beside=True) as beside:
            await require_current(beside)
            async with beside.transaction():
                pass
        assert is_held(path)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert not is_held(path)
        async with Database(url_of(path)) as after:
            await after.probe()


async def test_holding_it_leaves_sqlites_own_locks_alone(tmp_path: Path) -> None:
    """A writer elsewhere keeps ours waiting and the other way round, as if nothing but SQLite locked anything."""
    path = tmp_path / "linesman.db"
    async with Database(url_of(path)) as database:
        await migrate(database)
        refused = (
            "import sqlite3, sys\n"
            "connection = sqlite3.connect(sys.argv[1], timeout=0)\n"
            "try:\n    connection.execute('BEGIN IMMEDIATE')\n"
            "except sqlite3.OperationalError as error:\n    print(error)\n"
        )
        async with database.transaction() as tx:
            await tx.events.add(None, "tried", at=NOW)
            assert is_held(path)  # looking closes no descriptor of the database in this process
            with pytest.raises(DatabaseInUse):
                async with Database(url_of(path)):
                    pass
            other = await asyncio.create_subprocess_exec(sys.executable, "-c", refused, str(path), stdout=PIPE)
            said, _ = await other.communicate()

    assert said == b"database is locked\n"


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside"])
async def test_a_folder_in_its_place_is_named(tmp_path: Path, *, beside: bool) -> None:
    """A folder is no database, and nothing is made beside it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(StoreError, match="is a folder, not a database"):
        async with Database(url_of(folder), beside=beside):
            pass
    assert [*rights_in(tmp_path)] == ["folder"]


@pytest.mark.parametrize("ask", [migrate, require_current], ids=["migrate", "export"])
async def test_a_file_that_is_no_database_is_told(tmp_path: Path, ask: Callable[[Database], Awaitable[object]]) -> None:
    """Whoever asks it first says that it may be the wrong file, and what to do when it is not."""
    path = tmp_path / "linesman.db"
    path.write_bytes(b"Once upon a time, there was no database at all. " * 100)
    async with Database(url_of(path)) as database:
        with pytest.raises(DatabaseDamaged, match=r"not an SQLite database: check DATABASE_URL\. .*restore a backup"):
            await ask(database)


@pytest.mark.parametrize("ask", [migrate, require_current], ids=["migrate", "export"])
async def test_another_programs_database_is_left_alone(
    tmp_path: Path, ask: Callable[[Database], Awaitable[object]]
) -> None:
    """A file with tables, none of which says that it is Linesman's, gets none of ours."""
    path = tmp_path / "contacts.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE contacts (name TEXT)")
    async with Database(url_of(path)) as database:
        with pytest.raises(StoreError, match="has tables that are not Linesman's: set DATABASE_URL"):
            await ask(database)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("contacts",)]


@pytest.mark.parametrize("beside", [False, True], ids=["serve", "export"])
async def test_a_pipe_or_a_device_in_its_place_is_named(tmp_path: Path, *, beside: bool) -> None:
    """Nobody waits for a pipe that nobody reads."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/null")):
        with pytest.raises(StoreError, match="is not a file"):
            async with Database(url_of(path), beside=beside):
                pass


@pytest.mark.parametrize("beside", [False, True], ids=["serve", "export"])
@pytest.mark.parametrize("name", ["linesman" * 40, "lines\0man"], ids=["too long", "with a NUL"])
async def test_a_name_that_no_file_has_is_told(tmp_path: Path, name: str, *, beside: bool) -> None:
    """What the file system says of the name is passed on in one sentence."""
    with pytest.raises(StoreError, match=r"Cannot use the database file .*: .*\. Check DATABASE_URL"):
        async with Database(url_of(tmp_path / "x.db").replace("x.db", name), beside=beside):
            pass


async def test_a_file_that_this_user_may_not_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told before the driver tries it: a thread of its would have the last word, a traceback."""
    path = tmp_path / "linesman.db"
    path.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StoreError, match=r"Cannot use the database file .*: Permission denied\. Check DATABASE_URL"):
        async with Database(url_of(path), beside=True):
            pass


async def test_a_table_that_is_missing_is_told_in_words(tmp_path: Path) -> None:
    """Reading, writing and migrating: none of them lets the driver's error through."""
    path = tmp_path / "linesman.db"
    async with Database(url_of(path)) as database:
        await migrate(database)
        async with database.connection() as connection:
            await connection.execute(text("DROP TABLE audit_head"))
        with pytest.raises(StoreError, match=r"no such table: audit_head. Restore a backup"):
            async with database.reading() as tx:
                await tx.events.verify()
        with pytest.raises(StoreError, match=r"no such table: audit_head. Restore a backup"):
            async with database.transaction() as tx:
                await tx.events.add(None, "tried", at=NOW)
        async with database.connection() as connection:
            await connection.execute(text("DELETE FROM alembic_version"))
        with pytest.raises(StoreError, match=r"tables that are not Linesman.s: .* restore a backup"):
            await migrate(database)


async def test_a_server_that_is_not_there_is_told_in_words() -> None:
    """A PostgreSQL that does not listen is no traceback."""
    pytest.importorskip("asyncpg")
    async with Database("postgresql+asyncpg://lin:correct-horse@127.0.0.1:1/lin") as database:
        for opened in (database.reading(), database.transaction(), database.connection()):
            with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
                async with opened:
                    pass
    assert "correct-horse" not in database.trouble
