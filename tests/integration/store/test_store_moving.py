"""An installation moves from SQLite to PostgreSQL with everything in it, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import JSON, Boolean, Float, Integer, String, Table, Text, func, inspect, select, text

from bot.cli import main
from bot.errors import StoreError
from bot.store.database import Database
from bot.store.engine.sqlite_file import HeldFile
from bot.store.migrations import migrate
from bot.store.tables import UtcTime, batches, changes, events, metadata, tasks
from tests.integration.store.quiet import logging_as_before

__all__ = ["logging_as_before"]

NOW = datetime(2026, 11, 28, 21, 30, 0, 123456, tzinfo=UTC)
#: Rows that each table gets.
ROWS = 3
#: What JSON can be, the null that is no row's absence and half a character included.
VALUES = ({"ä": ["\ud83d", None, 1.5]}, [], 7, "7", None)

#: What keeps an installation from moving: a statement for the source, one for the target, and what is said.
SPOILT: Final = {
    "too long": ("UPDATE changes SET requester = printf('%.33c', 'U') WHERE id = 2", "", "✗ Table changes has a row"),
    "unreadable": ("UPDATE tasks SET due_at = 'soon' WHERE id = 2", "", "✗ Table tasks has a row that cannot"),
    "audit log": ("UPDATE events SET actor = 'U0EVE' WHERE id = 2", "", "✗ The audit log breaks at event 2"),
    "more": ("CREATE TABLE mine (id INTEGER)", "", "✗ The database has tables that are not Linesman's (mine)"),
    "not empty": ("", "CREATE TABLE theirs (id INTEGER)", "✗ The database to move to is not empty"),
}
#: Runs ``linesman migrate`` and returns its status and what it says to people.
Move = Callable[[], Awaitable[tuple[int, str]]]


def filled(table: Table, number: int) -> dict[str, Any]:
    """Return row ``number`` of ``table``, from 1 on: all columns, the last one as few as may be."""
    row: dict[str, Any] = {}
    for place, column in enumerate(table.c):
        if column.nullable and number == ROWS:
            continue
        if column.foreign_keys or isinstance(column.type, Integer):
            row[column.name] = number
        elif isinstance(column.type, UtcTime):
            row[column.name] = NOW + timedelta(days=number, seconds=place)
        elif isinstance(column.type, Float):
            row[column.name] = number + 0.5
        elif isinstance(column.type, Boolean):
            row[column.name] = bool(number % 2)
        elif isinstance(column.type, JSON):
            row[column.name] = VALUES[(number + place) % len(VALUES)]
        else:
            assert isinstance(column.type, String | Text)
            row[column.name] = f"{number}ä'\U0001f980"
    return row


async def installed(path: Path) -> Database:
    """Make an installation that has rows in every table, and has had more; return it for looks beside who uses it."""
    async with Database(f"sqlite+aiosqlite:///{path}") as database:
        await migrate(database)
        async with database.connection() as connection:
            for table in metadata.sorted_tables:
                if table.name not in {"events", "audit_head"}:
                    for number in range(1, ROWS + 1):
                        await connection.execute(table.insert().values(filled(table, number)))
            await connection.execute(changes.insert().values({**filled(changes, ROWS), "id": 41}))
            await connection.execute(changes.delete().where(changes.c.id == 41))
        async with database.transaction() as tx:
            for number in range(5):
                await tx.events.add(1, "planned", at=NOW, actor="U0ANA", words="ä\ud83d", number=number)
    return Database(f"sqlite+aiosqlite:///{path}", beside=True)


async def read(database: Database, table: Table) -> list[Any]:
    """Return the rows of ``table``, with what a column of JSON holds to the letter."""
    letters = [func.coalesce(func.cast(c, Text), "NULL") for c in table.c if isinstance(c.type, JSON)]
    kept = [c for c in table.c if "claimed_until" not in table.c or c.name not in {"owner", "claimed_until"}]
    statement = select(*kept, *letters).order_by(*table.primary_key.columns)
    if table is events:
        statement = statement.where(events.c.what != "moved")
    async with database.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(statement)]


async def tables(database: Database) -> list[str]:
    """Return the names of all tables."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(lambda each: inspect(each).get_table_names())


async def revision(database: Database) -> str:
    """Return what stands for its revision."""
    async with database.engine.connect() as connection:
        return str(await connection.scalar(text("SELECT version_num FROM alembic_version")))


@pytest.fixture
async def target(postgres: str) -> str:
    """Return the address of an empty PostgreSQL database."""
    async with Database(postgres) as database, database.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    return postgres


@pytest.fixture
def move(tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str], logging_as_before: None) -> Move:
    """Return what moves ``linesman.db``."""
    del logging_as_before

    async def run() -> tuple[int, str]:
        arguments = ["migrate", "--from", f"sqlite+aiosqlite:///{tmp_path}/linesman.db", "--to", target]
        status = await asyncio.to_thread(main, arguments)
        out, err = capsys.readouterr()
        return status, "".join(line for line in (out + err).splitlines() if line.startswith(("✓", "✗")))

    return run


async def test_everything_moves(tmp_path: Path, target: str, move: Move) -> None:
    """Every row of every table is there as it was; ids go on; claims of the dead are free; the audit log is proven."""
    source = await installed(tmp_path / "linesman.db")

    status, said = await move()

    assert (status, "The audit log is intact: it ends with event 6," in said) == (0, True)
    async with Database(target) as moved, source:
        for table in metadata.sorted_tables:
            if table.name != "audit_head":
                assert (table.name, await read(moved, table)) == (table.name, await read(source, table))
        assert await migrate(moved) == (await revision(moved),) * 2
        async with moved.transaction() as tx:
            assert (await tx.events.verify()).events == 6
            await tx.events.add(1, "approved", at=NOW)
        async with moved.connection() as connection:
            assert await connection.scalar(select(func.count()).where(tasks.c.owner.is_not(None))) == 0
            made = {**filled(changes, ROWS), "submission": "another"}
            made.pop("id")
            assert (await connection.execute(changes.insert().values(made))).inserted_primary_key == (42,)
            more = {**filled(batches, 1), "change_id": 42, "job": "another"}
            more.pop("id")
            assert (await connection.execute(batches.insert().values(more))).inserted_primary_key == (ROWS + 1,)


async def test_what_has_moved_does_not_work_in_two_places(tmp_path: Path, move: Move) -> None:
    """No Linesman starts on the old file any more; moving once more changes nothing."""
    source = await installed(tmp_path / "linesman.db")
    await move()

    again = await move()

    assert again[1].startswith("✗ This installation was moved to another database")
    async with source:
        with pytest.raises(StoreError, match="was moved"):
            await migrate(source)


@pytest.mark.parametrize("case", SPOILT.values(), ids=SPOILT)
async def test_all_of_it_or_nothing(case: tuple[str, str, str], tmp_path: Path, target: str, move: Move) -> None:
    """Whatever is in the way is said; then the target is as it was, and the source still works."""
    at_source, at_target, says = case
    source = await installed(tmp_path / "linesman.db")
    async with Database(target) as there, source:
        before = await revision(source)
        for database, statement in ((source, at_source), (there, at_target)):
            if statement:
                async with database.connection() as connection:
                    await connection.execute(text(statement))
        present = await tables(there)

        status, said = await move()

        assert (status, said[: len(says)]) == (1, says)
        assert await tables(there) == present
        assert await revision(source) == before


async def test_a_source_in_use_stays_where_it_is(tmp_path: Path, target: str, move: Move) -> None:
    """A running Linesman would go on in the old database."""
    await installed(tmp_path / "linesman.db")
    with closing(HeldFile(tmp_path / "linesman.db")):
        status, said = await move()

    assert (status, said.partition(";")[0]) == (1, f"✗ Another Linesman is using {tmp_path}/linesman.db")
    async with Database(target) as there:
        assert await tables(there) == []


@pytest.mark.usefixtures("logging_as_before")
async def test_a_target_that_cannot_be_reached_is_told_as_it_was_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has set DATABASE_URL, so it is not what has to be checked."""
    await installed(tmp_path / "linesman.db")
    here, there = f"sqlite+aiosqlite:///{tmp_path}/linesman.db", "postgresql+asyncpg://ann:pw@127.0.0.1:1/numbers"
    status = await asyncio.to_thread(main, ["migrate", "--from", here, "--to", there])
    said = capsys.readouterr().err

    assert status == 1
    assert said.startswith("✗ The database cannot be reached")
    assert "check --to and that its server runs" in said


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "sqlite+aiosqlite:///x.db"], "✗ Moving an installation takes both --from and --to."),
        (["--from", "sqlite:///x.db", "--to", "postgresql+asyncpg://h/d"], "✗ --from must start with"),
        (["--from", "sqlite+aiosqlite:///x.db", "--to", "mysql://h/d"], "✗ --to must start with"),
        (["--from", "sqlite+aiosqlite:///x.db", "--to", "sqlite+aiosqlite:///y.db"], "✗ An installation moves --from"),
        (["--from", "sqlite+aiosqlite:///nowhere.db", "--to", "postgresql+asyncpg://h/d"], "✗ There is no database"),
    ],
    ids=["half", "source", "target", "both SQLite", "no source"],
)
def test_what_cannot_be_meant_is_said(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is made, not even the file of a database that is not there."""
    assert main(["migrate", *arguments]) in {1, 2}
    assert capsys.readouterr().err.startswith(says)
    assert not Path("nowhere.db").exists()
