"""``linesman check`` on the database: it is looked at, and never changed."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from bot.checks.database import compared
from bot.checks.findings import Finding, fail, ok
from bot.machine import utc_now
from bot.store.database import Database
from bot.store.migrations import migrate

#: A database that may be written to, as in the tests of the store.
MEMORY = "WARN  DATABASE_URL names no file and no database: everything is forgotten when Linesman stops."


async def migrated(place: Any) -> str:
    """Make the database and return its revision."""
    async with Database(place.env["DATABASE_URL"]) as database:
        _, revision = await migrate(database)
    return revision


async def test_current(place: Any) -> None:
    """A database that the next start leaves as it is."""
    revision = await migrated(place)

    await place.tells(
        {"database": [f"OK    The database {place.file} opens and has the current revision, {revision}."]}
    )


async def test_empty_is_not_migrated(place: Any) -> None:
    """An empty database stays as it is, to the byte, and nothing is left beside it."""
    place.file.touch(0o600)

    await place.tells(
        {"database": [f"OK    The database {place.file} opens and is empty: the first start prepares it."]}
    )
    assert place.file.read_bytes() == b""
    assert list(place.file.parent.iterdir()) == [place.file]


async def test_newer(place: Any) -> None:
    """A database of a newer version has to be fixed, and is left alone."""
    await migrated(place)
    with closing(sqlite3.connect(place.file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    line = (
        f"FAIL  The database {place.file} has revision 9999, which this version does not know, so a newer Linesman "
        f"wrote it: install that version, or restore a backup."
    )

    await place.tells({"database": [line]})
    with closing(sqlite3.connect(place.file)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


@pytest.mark.parametrize("damage", ["DROP TABLE tasks", "ALTER TABLE events DROP COLUMN details"])
async def test_a_part_is_missing(place: Any, damage: str) -> None:
    """A database without a table or a column of its revision does not pass for a good one."""
    await migrated(place)
    with closing(sqlite3.connect(place.file)) as connection, connection:
        connection.execute(damage)

    line = f"FAIL  The database {place.file} does not have the structure that Linesman gave it: restore a backup."
    await place.tells({"database": [line]})


async def test_in_use(place: Any) -> None:
    """Another Linesman at work on the file is worth knowing, no fault, and not disturbed."""
    revision = await migrated(place)
    async with Database(place.env["DATABASE_URL"]) as database:
        lines = [
            f"WARN  A running Linesman uses the database {place.file}: a second one cannot start.",
            f"OK    The database {place.file} opens and has the current revision, {revision}.",
        ]
        await place.tells({"database": lines})
        await database.ping()


async def test_lock_is_given_back(place: Any) -> None:
    """A Linesman can start right after the check, and one that has stopped is not taken for a running one."""
    revision = await migrated(place)
    await place.tells(
        {"database": [f"OK    The database {place.file} opens and has the current revision, {revision}."]}
    )

    assert await migrated(place) == revision


async def test_no_folder(place: Any) -> None:
    """A file in a folder that does not exist cannot be made."""
    place.env["DATABASE_URL"] = f"sqlite+aiosqlite:///{place.file.parent}/none/linesman.db"
    line = (
        f"FAIL  The folder {place.file.parent}/none for the database does not exist: create it, "
        "or set DATABASE_URL to another place."
    )

    await place.tells({"database": [line]})


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
async def test_closed_folder(place: Any) -> None:
    """A folder that this user may not write is named."""
    folder = place.file.parent
    folder.chmod(0o500)
    try:
        line = f"FAIL  {folder} cannot be written by this user: change its owner, or set DATABASE_URL to another place."
        await place.tells({"database": [line]})
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("beside", ["-wal", "-shm", ".lock"])
async def test_closed_beside(place: Any, beside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another user's start has left beside the database, and no other user may write, is named."""
    await migrated(place)
    left = place.file.with_name(place.file.name + beside)
    left.touch()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(left) and access(path, mode))
    line = f"FAIL  {left} cannot be written by this user: change its owner, or set DATABASE_URL to another place."

    await place.tells({"database": [line]})


async def test_a_folder(place: Any) -> None:
    """A folder in the database's place is named, and nothing is made in it."""
    place.file.mkdir()
    line = f"FAIL  {place.file} is a folder, not a database: set DATABASE_URL to a file in it."

    await place.tells({"database": [line]})
    assert list(place.file.iterdir()) == []


async def test_a_link_to_itself(place: Any) -> None:
    """Links that lead in a circle are told, with what to do."""
    place.file.symlink_to(place.file)

    line = (
        f"FAIL  Cannot use the database file {place.file}: Too many levels of symbolic links. "
        "Check DATABASE_URL, and that this user may write the file and its folder."
    )
    await place.tells({"database": [line]})


async def test_another_programs_database(place: Any) -> None:
    """A database with tables that are not Linesman's is no empty one."""
    with closing(sqlite3.connect(place.file)) as connection, connection:
        connection.execute("CREATE TABLE contacts (name TEXT)")
    place.file.chmod(0o600)

    line = (
        f"FAIL  The database {place.file} cannot be used. The database file has tables that are not Linesman's: "
        "set DATABASE_URL to a file of its own. If it was Linesman's, restore a backup."
    )
    await place.tells({"database": [line]})


async def test_the_first_start_is_tried(place: Any) -> None:
    """That the first start makes it is said only where one was made; not, say, behind a link to nowhere."""
    place.file.symlink_to(place.file.parent / "nowhere" / "linesman.db")
    line = (
        f"FAIL  The database {place.file} cannot be created: [Errno 2] No such file or directory: "
        f"'{place.file.parent}/nowhere/linesman.db-check{os.getpid()}.lock'. Fix this, or set "
        "DATABASE_URL to another place."
    )

    await place.tells({"database": [line]})


async def test_the_try_leaves_nothing(place: Any) -> None:
    """What was made for the try is gone."""
    await place.tells({})

    assert list(place.file.parent.iterdir()) == []


async def test_others_can_read_it(place: Any) -> None:
    """A database of an older version may be open to everybody on the machine: it is told with the remedy."""
    revision = await migrated(place)
    place.file.chmod(0o644)
    lines = [
        f"WARN  Others on this machine can read {place.file}: run `chmod 600 {place.file}`.",
        f"OK    The database {place.file} opens and has the current revision, {revision}.",
    ]

    await place.tells({"database": lines})


async def test_locked_by_another_program(place: Any) -> None:
    """A program that keeps the database to itself would keep a start from writing."""
    await migrated(place)
    with closing(sqlite3.connect(place.file)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        line = (
            f"FAIL  The database {place.file} does not open: database is locked. Fix this there, or "
            "set DATABASE_URL to another database."
        )
        await place.tells({"database": [line]})


async def test_no_database(place: Any) -> None:
    """A file that is something else is named with SQLite's own words."""
    place.file.write_bytes(b"Once upon a time, there was no database at all. " * 100)
    place.file.chmod(0o600)
    line = (
        f"FAIL  The database {place.file} does not open: file is not a database. Fix this there, "
        "or set DATABASE_URL to another database."
    )

    await place.tells({"database": [line]})


async def test_odd_path(place: Any, tmp_path: Path) -> None:
    """A path with the marks of an address in it is still a path."""
    place.file = tmp_path / "a ?#%41&mode=memory.db"
    place.env["DATABASE_URL"] = f"sqlite+aiosqlite:///{tmp_path}/a %3F#%2541&mode=memory.db"
    revision = await migrated(place)

    await place.tells(
        {"database": [f"OK    The database {place.file} opens and has the current revision, {revision}."]}
    )


async def test_memory(place: Any) -> None:
    """A database in memory opens always; that it forgets is the configuration's warning."""
    place.env["DATABASE_URL"] = "sqlite+aiosqlite://"

    status, said = await place.check()

    assert said[2:4] == [MEMORY, "OK    The database is in memory: every start creates a new one."]
    assert status == 0


async def test_no_driver(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL needs a driver that is not installed by itself."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    place.env["DATABASE_URL"] = "postgresql+asyncpg://lin:correct-horse@db.example.com/lin"
    line = (
        "FAIL  The PostgreSQL database lin on db.example.com cannot be used. The database needs the driver asyncpg, "
        "which is not installed: install it with `pip install 'linesman[postgres]'`."
    )

    await place.tells({"database": [line]})


async def test_no_server(place: Any) -> None:
    """A PostgreSQL that does not listen is named without its password."""
    pytest.importorskip("asyncpg")
    place.env["DATABASE_URL"] = "postgresql+asyncpg://lin:correct-horse@127.0.0.1:1/lin"
    line = (
        "FAIL  The PostgreSQL database lin on 127.0.0.1 cannot be used. The database cannot be reached (Connect call "
        "failed ('127.0.0.1', 1)): check DATABASE_URL and that its server runs, then try again. Nothing was decided or "
        "sent, and what was decided before is safe."
    )

    await place.tells({"database": [line]})


async def test_postgresql(place: Any, postgres: str) -> None:
    """PostgreSQL is looked at as SQLite is, and its own words are told when it refuses."""
    url = make_url(postgres)
    shown = f"The PostgreSQL database {url.database}"
    place.env["DATABASE_URL"] = postgres
    revision = await migrated(place)

    await place.tells({"database": [f"OK    {shown} opens and has the current revision, {revision}."]})

    place.env["DATABASE_URL"] = url.set(database="no_such_database").render_as_string(hide_password=False)
    refused = (
        "FAIL  The PostgreSQL database no_such_database cannot be used. The database of that name is not there "
        '(database "no_such_database" does not exist): check its name in DATABASE_URL, or create it, then try again. '
        "Nothing was decided or sent, and what was decided before is safe."
    )

    await place.tells({"database": [refused]})


async def test_a_clock_that_is_off_is_told(place: Any, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica on this machine would take no work, and the check says so before it is started."""
    place.env["DATABASE_URL"] = postgres
    revision = await migrated(place)
    monkeypatch.setitem(Database.__init__.__kwdefaults__, "wall", lambda: utc_now() + timedelta(minutes=5))
    opens = (
        f"OK    The PostgreSQL database {make_url(postgres).database} opens and has the current revision, {revision}."
    )
    off = (
        "FAIL  This machine's clock is 5 min ahead of the database's clock, so this replica takes no work: check this "
        "machine's time synchronisation (NTP)."
    )

    await place.tells({"database": [opens, off]})


@pytest.mark.parametrize(
    ("present", "finding"),
    [
        (None, ok("It opens and is empty: the first start prepares it.")),
        ("0001", ok("It opens and has revision 0001: the next start upgrades it to 0002.")),
        ("0002", ok("It opens and has the current revision, 0002.")),
        (
            "0003",
            fail(
                "It has revision 0003, which this version does not know, so a newer Linesman wrote it: install that "
                "version, or restore a backup."
            ),
        ),
    ],
)
def test_compared(present: str | None, finding: Finding) -> None:
    """What the next start does depends on the revision that the database has and on those that the version knows."""
    assert compared("It", present, ["0002", "0001"], "0002") == finding
