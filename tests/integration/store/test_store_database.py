"""Opening, locking and migrating a database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, bindparam, select, text

from bot.errors import DatabaseInUse, DatabaseTooNew, StoreError
from bot.store import migrations
from bot.store.database import Database
from bot.store.migrations import migrate
from bot.store.queue.tasks import Task
from bot.store.tables import UtcTime, batches, changes, metadata, operations
from tests.integration.store.before import downgrade


async def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    """Nobody can change the tables and forget the migration."""

    def compare(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(compare) == []


async def test_migrating_twice_does_nothing(database: Database) -> None:
    """The second time finds the database as it should be."""
    before, after = await migrate(database)

    assert before == after != "-"


async def test_a_change_that_was_about_to_be_concluded_is_read_back_first(tmp_path: Path) -> None:
    """An older version concluded right after the jobs; what it left to conclude is read back by this one."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/linesman.db") as database:

        def before_read_backs(connection: Connection) -> None:
            config = Config()
            config.set_main_option("script_location", str(Path(migrations.__file__).parent))
            config.attributes["connection"] = connection
            command.upgrade(config, "0002")

        async with database.engine.begin() as connection:
            await connection.run_sync(before_read_backs)
            await connection.execute(
                text("INSERT INTO work (task, subject, due_at, owner) VALUES ('finish', 7, '2026-11-21 12:00:00', 'w')")
            )

        await migrate(database)

        async with database.reading() as tx:
            assert (await tx.tasks.count(Task.VERIFY), await tx.tasks.count(Task.FINISH)) == (1, 0)
            assert await tx.tasks.next_due() is not None


async def test_columns_under_their_former_names_keep_what_is_in_them(database: Database) -> None:
    """What a read-back waits for, how often a job was polled at its end, since when operators are asked, and ends."""
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    await downgrade(database, "0031")
    async with database.engine.begin() as connection:
        for insert in (
            """changes (id, kind, state, requester, draft, created_at, awaits)
            VALUES (7, 'k', 'verifying', 'U1', '{}', :at, 'Telnyx.')""",
            """batches (id, change_id, position, kind, state, size, "values", looks, asked_at)
            VALUES (8, 7, 0, 'k', 'submitted', 1, '{}', 3, :at)""",
            """operations (change_id, position, number_id, e164, before, after, state, settled_at)
            VALUES (7, 0, 'n', '+13035550100', '{}', '{}', 'failed', :at)""",
        ):
            await connection.execute(text(f"INSERT INTO {insert}").bindparams(bindparam("at", at, UtcTime)))

    await migrate(database)

    async with database.engine.begin() as connection:
        waiting_for = (await connection.execute(select(changes.c.waiting_for))).scalar_one()
        batch = (await connection.execute(select(batches.c.final_polls, batches.c.escalated_at))).one()
        ended_at = (await connection.execute(select(operations.c.ended_at))).scalar_one()
    assert (waiting_for, *batch, ended_at) == ("Telnyx.", 3, at, at)


async def test_work_under_its_former_names_is_carried_on(database: Database) -> None:
    """Tables, columns and tasks were renamed: what was due is due, and no id is given twice."""
    script = ScriptDirectory(str(Path(migrations.__file__).parent)).get_revision("0030")
    await downgrade(database, str(script.down_revision))
    async with database.engine.begin() as connection:
        for task in ("search", "attend", "inquire", "poll"):
            await connection.execute(
                text("INSERT INTO work (task, subject, due_at) VALUES (:task, 7, '2026-11-21 12:00:00+00')"),
                {"task": task},
            )
        await connection.execute(
            text(
                "INSERT INTO inquiries (draft, requester, submission, created_at) "
                "VALUES ('{}', 'U1', 'one', '2026-11-21 12:00:00+00'), ('{}', 'U1', 'two', '2026-11-21 12:00:00+00')"
            )
        )
        await connection.execute(text("DELETE FROM inquiries WHERE submission = 'two'"))
        newest = (await connection.execute(text("SELECT max(id) FROM work"))).scalar_one()

    await migrate(database)

    async with database.engine.begin() as connection:
        due = {row.task for row in await connection.execute(text("SELECT task FROM tasks"))}
        assert due == {Task.RECONCILE.value, Task.ESCALATE.value, Task.EXPORT_VALUES.value, Task.POLL.value}
        await connection.execute(
            text("INSERT INTO tasks (task, subject, due_at) VALUES ('poll', 8, '2026-11-21 12:00:00+00')")
        )
        assert (await connection.execute(text("SELECT max(id) FROM tasks"))).scalar_one() > newest
        await connection.execute(
            text(
                "INSERT INTO value_exports (draft, requester, submission, created_at) "
                "VALUES ('{}', 'U1', 'three', '2026-11-21 12:00:00+00')"
            )
        )
        ids = [row.id for row in await connection.execute(text("SELECT id FROM value_exports ORDER BY id"))]
        assert ids == [1, 3]


async def test_a_database_from_the_future_is_refused_and_left_alone(database: Database) -> None:
    """An older Linesman does not touch what a newer one has written, and says which revision it found."""
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseTooNew, match="revision 9999"):
        await migrate(database)


async def test_a_second_process_on_one_sqlite_file_is_refused(tmp_path: Path) -> None:
    """Two workers on one file would do everything twice; the second is told so, and may come once the first is gone."""
    url = f"sqlite+aiosqlite:///{tmp_path}/linesman.db"
    async with Database(url):
        with pytest.raises(DatabaseInUse, match="Another Linesman is using"):
            async with Database(url):
                pass

    async with Database(url) as free:
        await free.ping()


async def test_a_folder_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    """A wrong path is answered with the path."""
    with pytest.raises(StoreError, match=r"nowhere/linesman\.db: No such file"):
        async with Database(f"sqlite+aiosqlite:///{tmp_path}/nowhere/linesman.db"):
            pass


async def test_sqlite_is_safe_against_a_power_cut(tmp_path: Path) -> None:
    """Write-ahead log, full commits and foreign keys are on, on every connection; what is deleted is overwritten."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/linesman.db") as database:
        for _ in range(3):
            async with database.engine.connect() as connection:
                pragmas = [
                    (await connection.execute(text(f"PRAGMA {name}"))).scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
                ]
                assert pragmas == ["wal", 2, 1, 1]


async def test_errors_do_not_show_what_was_being_written(database: Database) -> None:
    """The text of a database error reaches the log; SQLAlchemy leaves the parameters out of it."""
    with pytest.raises(Exception, match="parameters hidden"):
        async with database.engine.begin() as connection:
            await connection.execute(text("INSERT INTO changes (nothing) VALUES (:nothing)"), {"nothing": "s3cr3t"})
