"""The driver of SQLite: what its cursors say is what SQLite says, in as few trips to its thread as can be."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store.database import Database
from bot.store.engine.sqlite_driver import AHEAD, PromptConnection, connect

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n LIMIT ?"
LENGTHS = st.one_of(st.integers(0, 5), st.integers(AHEAD - 2, AHEAD + 2), st.integers(2 * AHEAD - 1, 2 * AHEAD + 1))


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[PromptConnection]:
    """Open a database."""
    async with connect(str(tmp_path / "one.db"), check_same_thread=False, isolation_level=None) as connection:
        yield connection  # type: ignore[misc] # aiosqlite does not say that it returns itself


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of what the thread was asked for."""
    made: list[str] = []
    execute = PromptConnection._execute

    async def counted(self: PromptConnection, function: Any, *args: Any, **given: Any) -> Any:
        made.append(function.__name__)
        return await execute(self, function, *args, **given)  # type: ignore[no-untyped-call] # aiosqlite's

    monkeypatch.setattr(PromptConnection, "_execute", counted)
    return made


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=LENGTHS, asked=st.lists(st.one_of(st.none(), st.integers(1, AHEAD + 3)), max_size=4))
async def test_rows_come_in_order_however_they_are_fetched(
    connection: PromptConnection, length: int, asked: list[int | None]
) -> None:
    """One by one, in portions of any size, and what is left at once: none is lost, and none comes twice."""
    seen: list[int] = []
    async with connection.cursor() as cursor:
        await cursor.execute(COUNT, (length + 1, length))
        for size in asked:
            if size is None:
                row = await cursor.fetchone()
                seen += [row[0]] if row else []
            else:
                seen += [row[0] for row in await cursor.fetchmany(size)]
        seen += [row[0] for row in await cursor.fetchall()]
        seen += [row[0] async for row in cursor]  # nothing is left

    assert seen == list(range(1, length + 1))


async def test_a_cursor_that_is_closed_early_holds_nothing(connection: PromptConnection) -> None:
    """A table whose rows were not all read can be dropped."""
    await connection.execute("CREATE TABLE rows AS " + COUNT.replace("?", str(3 * AHEAD)))
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT * FROM rows")
        assert len(list(await cursor.fetchmany(AHEAD + 1))) == AHEAD + 1

    await connection.execute("DROP TABLE rows")


async def test_a_second_statement_says_nothing_of_the_first(connection: PromptConnection) -> None:
    """Rows of before are gone, also after a statement that fails and one that has none."""
    async with connection.cursor() as cursor:
        await cursor.execute(COUNT, (2 * AHEAD, 2 * AHEAD))
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await cursor.execute("SELECT * FROM missing")
        assert await cursor.fetchall() == []
        await cursor.execute("CREATE TABLE one (id INTEGER PRIMARY KEY)")
        assert await cursor.fetchone() is None
        await cursor.execute("INSERT INTO one DEFAULT VALUES RETURNING id")
        assert await cursor.fetchall() == [(1,)]
        assert cursor.lastrowid == 1


async def test_each_statement_of_a_transaction_is_one_trip(tmp_path: Path, trips: list[str]) -> None:
    """Begin, two statements, commit: that is what the thread is asked for, once a connection is there."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/linesman.db") as database:
        async with database.engine.connect() as warm:
            await warm.exec_driver_sql("CREATE TABLE one (id INTEGER PRIMARY KEY)")
            await warm.commit()
        trips.clear()
        async with database.engine.begin() as begun:
            await begun.exec_driver_sql("INSERT INTO one VALUES (1)")
            assert (await begun.exec_driver_sql("SELECT id FROM one")).all() == [(1,)]
        made = list(trips)

    assert made[:4] == ["_executed", "_executed", "_executed", "commit"]
    assert set(made[4:]) <= {"rollback"}  # the pool's, of a connection that comes back
