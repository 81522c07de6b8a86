"""PostgreSQL that refuses, hangs, stops and comes back: what it means, in words, and that it goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.errors import DatabaseConflict, DatabaseRefused, DatabaseUnavailable, StoreError
from bot.store.database import Database
from bot.store.engine.driver_errors import repeated
from bot.store.migrations import migrate
from bot.store.queue.tasks import Task
from tests.integration.unruly_postgres import (
    DATABASE,
    USER,
    UnrulyPostgres,
    certificate,
    speaking_tls,
    unruly,
    unruly_server,
)

__all__ = ["unruly", "unruly_server"]

WEAK = "weak"
#: What PostgreSQL says before it closes a connection that an administrator ended.
_SAID = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
LAST_WORD = b"E" + (len(_SAID) + 4).to_bytes(4) + _SAID
#: How many wait for a lock.
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


@pytest.fixture
async def database(unruly: UnrulyPostgres) -> AsyncIterator[Database]:
    """Return a database of this version on a server that can be harmed."""
    async with Database(unruly.url) as fresh:
        await migrate(fresh)
        yield fresh


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"password": "wrong"}, "does not accept the user's password", id="password"),
        pytest.param({"user": "nobody"}, "does not accept the user's password", id="user"),
        pytest.param({"database": "elsewhere"}, "check its name in DATABASE_URL", id="database"),
    ],
)
async def test_who_is_not_let_in_reads_why(unruly: UnrulyPostgres, change: dict[str, str], words: str) -> None:
    """A wrong password, user or database is one sentence, which is not waited for to pass."""
    async with Database(unruly.url_of(**change)) as database:
        with pytest.raises(DatabaseRefused, match=words):
            await migrate(database)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false", "does not take connections", id="closed"),
        pytest.param(f"ALTER ROLE {USER} SET search_path = nowhere", "has no schema to make tables in", id="schema"),
        pytest.param(f"ALTER ROLE {USER} CONNECTION LIMIT 0", "has no connection left", id="limit"),
    ],
)
async def test_a_database_that_was_closed_says_so(unruly: UnrulyPostgres, command: str, words: str) -> None:
    """Whatever a server says to whoever connects is a trouble of the database, and no fault of ours."""
    unruly.psql(command)
    try:
        async with Database(unruly.url) as database:
            with pytest.raises(DatabaseUnavailable, match=words):
                await migrate(database)
    finally:
        unruly.psql(f"ALTER ROLE {USER} RESET search_path", f"ALTER ROLE {USER} CONNECTION LIMIT -1")


async def test_a_host_that_is_not_known_is_said(unruly: UnrulyPostgres) -> None:
    """A name that nobody has is told apart from a server that is down."""
    async with Database("postgresql+asyncpg://a:b@database.invalid/numbers") as database:
        with pytest.raises(DatabaseRefused, match="The host of the database is not known"):
            await migrate(database)
    unruly.stop()
    async with Database(unruly.url) as database:
        with pytest.raises(DatabaseUnavailable, match="cannot be reached") as stopped:
            await migrate(database)

    assert not isinstance(stopped.value, DatabaseRefused)
    unruly.start()


@pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "postgresql", "postgres"])
async def test_an_address_as_providers_hand_it_out_works_over_tls(
    unruly: UnrulyPostgres, tmp_path: Path, scheme: str
) -> None:
    """``?sslmode=require`` speaks TLS, whatever the address begins with."""
    async with speaking_tls(unruly.port, certificate(tmp_path)) as port:
        plain = unruly.url.replace(str(unruly.port), str(port)).replace("postgresql+asyncpg", scheme)
        async with Database(f"{plain}?sslmode=require") as database:
            await database.ping()
        async with Database(f"{plain}?sslmode=verify-full&sslrootcert={tmp_path}/server.crt") as database:
            await database.ping()


async def test_a_tls_mode_that_cannot_be_had_is_said(unruly: UnrulyPostgres, tmp_path: Path) -> None:
    """A server without TLS, and a certificate that nobody vouches for."""
    async with Database(f"{unruly.url}?sslmode=require") as database:
        with pytest.raises(DatabaseRefused, match=r"do not agree about TLS.*check sslmode"):
            await database.ping()
    (tmp_path / "other").mkdir()
    certificate(tmp_path / "other")
    async with speaking_tls(unruly.port, certificate(tmp_path)) as port:
        asked = f"{unruly.url.replace(str(unruly.port), str(port))}?sslmode=verify-full&sslrootcert={tmp_path}/other"
        async with Database(f"{asked}/server.crt") as database:
            with pytest.raises(DatabaseRefused, match="do not agree about TLS"):
                await database.ping()


async def test_a_right_that_is_missing_is_found_by_the_rehearsal(unruly: UnrulyPostgres, database: Database) -> None:
    """The rehearsal names the table, leaves nothing behind, and passes for the tables' owner."""
    await database.rehearse()
    unruly.psql(
        f"CREATE ROLE {WEAK} LOGIN PASSWORD 'weak'",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {WEAK}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {WEAK}",
        f"REVOKE DELETE ON locks FROM {WEAK}",
        database=DATABASE,
    )
    async with Database(unruly.url_of(user=WEAK, password="weak")) as lacking:
        with pytest.raises(DatabaseRefused, match=r"lacks a right \(permission denied for table locks\)"):
            await lacking.rehearse()
        with pytest.raises(DatabaseRefused, match=r"lacks a right \(permission denied for schema public\)"):
            await lacking.rehearse_migration()
    unruly.psql(f"DROP OWNED BY {WEAK}", f"DROP ROLE {WEAK}", database=DATABASE)
    async with database.connection() as connection:
        left = (await connection.execute(text("SELECT count(*) FROM tasks"))).scalar_one()

    assert left == 0


async def test_ended_connections_are_replaced_unnoticed(unruly: UnrulyPostgres, database: Database) -> None:
    """Connections that an administrator ended, or a restart, cost nobody a transaction that had not begun."""
    await asyncio.gather(*(database.ping() for _ in range(4)))
    unruly.end_connections()
    await database.probe()
    unruly.stop()
    unruly.start()
    await database.probe()

    assert database.trouble == ""


async def test_a_connection_that_is_about_to_be_closed_is_replaced_unnoticed(database: Database) -> None:
    """The server has said so and has not closed it: on a busy machine a command comes in between."""
    await database.ping()
    async with database.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
    driver._protocol.data_received(LAST_WORD)

    await database.probe()
    assert database.trouble == ""
    async with database.engine.connect() as connection:
        assert (await connection.get_raw_connection()).driver_connection is not driver


async def test_a_transaction_whose_connection_is_about_to_be_closed_is_told(database: Database) -> None:
    """In the middle of it, too, it is a trouble of the database and no fault of ours."""

    async def lose() -> None:
        async with database._writer() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            driver._protocol.data_received(LAST_WORD)
            await connection.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable, match="was lost"):
        await lose()


async def test_a_transaction_that_loses_its_connection_is_told(unruly: UnrulyPostgres, database: Database) -> None:
    """In the middle of it there is nothing to repeat: nothing of it is, and whoever asked hears so."""

    async def lose() -> None:
        async with database.transaction() as tx:
            unruly.end_connections()
            await tx.tasks.release("nobody")

    with pytest.raises(DatabaseUnavailable, match="was lost"):
        await lose()

    assert "was lost" in database.trouble
    await database.probe()
    assert database.trouble == ""


async def test_a_server_that_hangs_is_given_up_soon(unruly: UnrulyPostgres, database: Database) -> None:
    """Whether there is a connection already or not; and once it moves again, so does everything."""
    await database.ping()
    with unruly.hanging():
        async with asyncio.timeout(10):
            with pytest.raises(DatabaseUnavailable, match="The database does not answer"):
                await database.ping()
        async with asyncio.timeout(10), Database(unruly.url) as another:
            with pytest.raises(DatabaseUnavailable, match="The database does not answer"):
                await another.ping()
    await database.probe()

    assert database.trouble == ""


async def test_a_standby_takes_no_writes_and_says_so(unruly: UnrulyPostgres, database: Database) -> None:
    """It answers, so only a write can tell."""
    unruly.stop()
    unruly.start(default_transaction_read_only="on")
    await database.ping()
    with pytest.raises(DatabaseUnavailable, match="is read-only, as a standby is"):
        await database.probe()

    assert "have DATABASE_URL lead to the primary" in database.trouble


async def test_a_server_without_room_for_connections_is_said(unruly: UnrulyPostgres, database: Database) -> None:
    """Somebody else's connections fill it."""
    unruly.stop()
    unruly.start(max_connections=5, superuser_reserved_connections=3, max_wal_senders=0, reserved_connections=0)
    with pytest.raises(DatabaseUnavailable, match=r"has no connection left.*raise max_connections"):
        async with database.reading(), database.reading(), database.reading():
            pass


def said_by_a_pooler(what: str) -> str:
    """Return a statement that ends as PgBouncer 1.18 ends a connection, whatever it has to say."""
    return f"DO $$ BEGIN RAISE EXCEPTION '{what}' USING ERRCODE = '08P01'; END $$"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("SASL authentication failed", "does not accept the user's password"),
        ("no such user: ann", "does not accept the user"),
        ("no such database: elsewhere", "check its name in DATABASE_URL"),
        ("transaction blocks not allowed in statement pooling mode", "set its pool_mode to transaction"),
    ],
)
async def test_whom_a_pooler_turns_away_reads_why(database: Database, what: str, words: str) -> None:
    """It has one state for everything, which is not taken for a lost connection, and is not waited for."""
    with pytest.raises(DatabaseRefused, match=words):
        async with database._writer() as connection:
            await connection.execute(text(said_by_a_pooler(what)))


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param("SET LOCAL statement_timeout = 50; SELECT pg_sleep(5)", "took too long", id="statement time-out"),
        pytest.param("SET LOCAL lock_timeout = 50; LOCK TABLE tasks", "locked by another program", id="lock time-out"),
        pytest.param("DO $$ BEGIN RAISE disk_full; END $$", "disk of the database is full", id="disk full"),
        pytest.param("DO $$ BEGIN RAISE out_of_memory; END $$", "lacks resources", id="memory"),
        pytest.param("DO $$ BEGIN RAISE io_error; END $$", "has a fault", id="machine"),
        pytest.param("DO $$ BEGIN RAISE index_corrupted; END $$", "is damaged", id="damaged"),
        pytest.param("DO $$ BEGIN RAISE admin_shutdown; END $$", "ended the connection", id="shutdown"),
        pytest.param("DO $$ BEGIN RAISE invalid_sql_statement_name; END $$", "pool_mode", id="pooler"),
        pytest.param("SELECT gone FROM tasks", "not have the structure", id="structure"),
    ],
)
async def test_what_the_server_cannot_do_is_said_plainly(database: Database, statement: str, words: str) -> None:
    """Each is a trouble of the database, told once, and not a fault of ours."""

    async def ask() -> None:
        async with database._writer() as connection:
            for part in statement.split("; ", 1) if statement.startswith("SET") else [statement]:
                await connection.execute(text(part))

    async with database.connection() as holder:  # somebody else, who does not wait for a turn
        await holder.execute(text("LOCK TABLE tasks IN ROW EXCLUSIVE MODE"))
        with pytest.raises(DatabaseUnavailable, match=words):
            await ask()

    assert words in (database.trouble or database.damage)


async def test_of_two_in_each_others_way_both_get_through(database: Database) -> None:
    """The one that PostgreSQL ends because of a deadlock is done again at once, and nobody hears of it.

    Ours take turns and have none among themselves; a maintenance job of somebody else's may end one all the same.
    """
    async with database.connection() as connection:
        await connection.execute(text("CREATE TABLE pair (id integer PRIMARY KEY, count integer)"))
        await connection.execute(text("INSERT INTO pair VALUES (1, 0), (2, 0)"))
    both, tries = asyncio.Barrier(2), 0

    async def count(*order: int) -> None:
        nonlocal tries
        tries += 1
        first_try = tries <= 2
        async with database.connection() as connection:
            for place, row in enumerate(order):
                await connection.execute(text("UPDATE pair SET count = count + 1 WHERE id = :id"), {"id": row})
                if first_try and place == 0:
                    await both.wait()

    await asyncio.gather(repeated(lambda: count(1, 2)), repeated(lambda: count(2, 1)))
    async with database.connection() as connection:
        counts = (await connection.execute(text("SELECT count FROM pair ORDER BY id"))).scalars().all()

    assert counts == [2, 2]
    assert tries == 3
    assert database.trouble == ""


async def test_a_serialization_failure_is_a_conflict(database: Database) -> None:
    """So whoever asks for that isolation, or meets it at a server that is set to it, is repeated as well."""
    with pytest.raises(DatabaseConflict):
        async with database._writer() as connection:
            await connection.execute(text("DO $$ BEGIN RAISE serialization_failure; END $$"))


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
async def test_who_waited_for_the_turn_sees_what_was_written_before_it(unruly: UnrulyPostgres, isolation: str) -> None:
    """Whatever isolation the database is set to: a look from before the turn would be of what is not so any more."""
    unruly.psql(f"ALTER DATABASE {DATABASE} SET default_transaction_isolation TO '{isolation}'")
    async with Database(unruly.url) as database, Database(unruly.url) as another:
        async with database.connection() as connection:
            await connection.execute(text("CREATE TABLE counted AS SELECT 0 AS count"))

        async def count(replica: Database) -> None:
            async with replica._writer() as connection:
                await connection.execute(text("INSERT INTO counted SELECT max(count) + 1 FROM counted"))

        await asyncio.gather(*(count(replica) for replica in (database, another) * 8))
        async with database.connection() as connection:
            counts = (await connection.execute(text("SELECT count FROM counted ORDER BY count"))).scalars().all()

    assert counts == list(range(17))


async def test_what_another_version_has_upgraded_is_not_written_to(database: Database, unruly: UnrulyPostgres) -> None:
    """A replica that runs beside it does nothing any more, also when it waited for the upgrade; looking it may."""
    [revision] = unruly.psql("SELECT version_num FROM alembic_version", database=DATABASE).split()
    database.fence(revision)
    async with database.transaction() as tx:
        await tx.tasks.add(Task.PRUNE, 0, database.clock())

    async def write() -> None:
        async with database.transaction():
            raise AssertionError("it was let in")

    async with database.connection() as upgrading:
        await upgrading.execute(text("UPDATE alembic_version SET version_num = 'later'"))
        waiting = asyncio.create_task(write())
        async with asyncio.timeout(20):
            while not (await upgrading.execute(WAITING)).scalar_one():  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.05)
    with pytest.raises(DatabaseRefused, match="Another version of Linesman has upgraded the database"):
        await waiting
    with pytest.raises(DatabaseRefused, match="stop it, or start it with that version"):
        await database.probe()
    async with database.reading() as tx:
        waits = await tx.tasks.next_due()

    assert "Another version" in database.trouble
    assert waits is not None


async def test_nothing_of_a_session_is_relied_on(database: Database) -> None:
    """Behind a pooler in transaction mode a session is everybody's: no named statements, no settings beyond the end."""
    async with database._writer() as connection:
        inside = (await connection.execute(text("SHOW lock_timeout"))).scalar_one()
        named = (await connection.execute(text("SELECT count(*) FROM pg_prepared_statements"))).scalar_one()
    async with database.engine.connect() as connection:
        outside = (await connection.execute(text("SHOW lock_timeout"))).scalar_one()

    assert (inside, outside) == ("12s", "0")
    assert named == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("channel_binding=require", "channel_binding=require, which the driver cannot do"),
        ("sslmode=strict", "no sslmode that exists"),
        ("sslrootcert=/nowhere/ca.crt", "names the file /nowhere/ca.crt as its sslrootcert"),
        ("pgbouncer=true", "the parameter pgbouncer, which means nothing here"),
    ],
)
def test_what_the_address_asks_in_vain_is_said(query: str, words: str) -> None:
    """Nothing of an address is left out in silence."""
    with pytest.raises(StoreError, match=words):
        Database(f"postgresql+asyncpg://a:b@localhost/numbers?{query}")
