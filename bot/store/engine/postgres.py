"""Connections to PostgreSQL: opened in time or not at all, with a limit on every wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import URL, ExceptionContext, NullPool, Row, TextClause, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.config.postgres_url import for_driver
from bot.errors import DatabaseConflict, DatabaseRefused
from bot.store.engine.database_clock import DatabaseClock
from bot.store.engine.documents import to_text
from bot.store.engine.driver_errors import DRIVER_ERRORS, is_out_of_step, meaning

#: Seconds within which a transaction must be open, with a connection from the pool or a new one. Somebody may be
#: waiting in Slack, and a server that hangs usually shows here.
OPEN_WITHIN: Final = 4.0
#: Seconds after which asyncpg gives up on a command: the server should have ended it by itself before.
COMMAND_WITHIN: Final = 25.0
#: Connections that are kept, and how many more there may be temporarily.
KEPT: Final = 10
MORE: Final = 10
#: How often opening is tried when a stale connection or a conflict ended a transaction before anything was asked.
TRIES: Final = 3

#: Seconds that a writer waits for its turn.
TURN_WITHIN: Final = 12.0
#: Seconds for which a transaction may be silent.
SILENCE: Final = 10.0

#: Limits that the server enforces by itself, in milliseconds and for one transaction: SET LOCAL also works behind a
#: pooler, where settings of a session belong to everybody. A replica that is stopped in the middle of a transaction
#: loses it, with its locks, before others have waited too long for them.
_BOUNDS: Final = text(
    "SELECT set_config('statement_timeout', '20000', true), "
    f"set_config('lock_timeout', '{TURN_WITHIN * 1000:.0f}', true), "
    f"set_config('idle_in_transaction_session_timeout', '{SILENCE * 1000:.0f}', true), clock_timestamp()"
)
#: The write turn: a lock that ends with the transaction, under any number that is the same in every version.
TURN: Final = text("SELECT turn.*, clock_timestamp() FROM pg_advisory_xact_lock(4711043) AS turn")
#: The turn, and the revision of the database. The row is locked after the turn has come: so it is read as it is then,
#: not as it was before the wait, and a running migration is waited for.
_TURN_AND_REVISION: Final = text(
    "SELECT turn.*, alembic_version.version_num, clock_timestamp() "
    "FROM pg_advisory_xact_lock(4711043) AS turn, alembic_version FOR SHARE OF alembic_version"
)

#: The message of a replica after another version has changed the form of the database under it.
OTHER_VERSION: Final = (
    "Another version of Linesman has upgraded the database, so this replica no longer does anything: "
    "stop it, or start it with that version."
)


def make_engine(url: URL, *, patient: bool = False) -> AsyncEngine:
    """Return an engine for ``url``; a ``patient`` one keeps no connections and lets commands take any time.

    Statements get no names and are not kept, so that it works behind a pooler that gives each transaction another
    connection (PgBouncer, "pool_mode = transaction").
    """
    plain, arguments = for_driver(url)
    limits: dict[str, Any] = {"timeout": OPEN_WITHIN, "command_timeout": None if patient else COMMAND_WITHIN}
    unnamed: dict[str, Any] = {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": str,
    }
    pool: dict[str, Any] = {"poolclass": NullPool} if patient else {"pool_size": KEPT, "max_overflow": MORE}
    engine = create_async_engine(
        plain,
        hide_parameters=True,  # an error's text reaches the log; values, sealed or not, must not
        connect_args={**arguments, **limits, **unnamed},
        json_serializer=to_text,
        **pool,
    )
    event.listen(engine.sync_engine, "handle_error", _lost_already)
    return engine


def _lost_already(context: ExceptionContext) -> None:
    """Replace a connection that the server has announced to close, which asyncpg has not noticed yet.

    A server that ends a connection says so first. From then on, asyncpg treats every command as one in the middle of
    another, until it sees that the connection is closed.
    """
    if is_out_of_step(context.original_exception):
        context.is_disconnect = True


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, clock: DatabaseClock, *, writing: bool = False, aside: bool = False, revision: str = ""
) -> AsyncIterator[AsyncConnection]:
    """Open a transaction, commit it when the block ends without an error, and roll it back otherwise.

    ``writing`` holds the write turn. ``aside`` needs none, as it decides only by rows it locks. Any other is a
    read-only snapshot. ``clock`` takes in the server's time.

    Raises the driver's errors, and :class:`bot.errors.DatabaseRefused` when a ``writing`` transaction finds another
    revision than ``revision``. A connection on which a command was given up is not used again, not even to roll back:
    the server does that when the connection is gone.
    """
    connection = await _opened(engine, clock, writing=writing or aside)
    try:
        if writing and not revision:
            await _heard(connection, TURN, clock)
        elif writing:
            found = await _heard(connection, _TURN_AND_REVISION, clock)
            if found.version_num != revision:
                raise DatabaseRefused(OTHER_VERSION)
        yield connection
        await connection.commit()
    except TimeoutError:
        await connection.invalidate()
        raise
    finally:
        await connection.close()


async def _opened(engine: AsyncEngine, clock: DatabaseClock, *, writing: bool) -> AsyncConnection:
    """Return a connection with an open transaction, retrying when the pooled one turns out to be closed."""
    for left in reversed(range(TRIES)):
        connection = engine.connect()
        try:
            async with asyncio.timeout(OPEN_WITHIN):
                await connection.start()
                # Set explicitly, whatever the defaults of the server, the database or the user are. A writer must see
                # commits from before its turn: an isolation with a snapshot from before the turn would let it decide by
                # outdated data.
                if writing:
                    await connection.execution_options(isolation_level="READ COMMITTED")
                else:
                    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                await _heard(connection, _BOUNDS, clock)
        except DRIVER_ERRORS as error:
            await _closed(connection)
            if not left or not _try_again(error):
                raise
        except BaseException:
            await _closed(connection)
            raise
        else:
            return connection
    raise RuntimeError("the last try returns or raises")


async def _heard(connection: AsyncConnection, statement: TextClause, clock: DatabaseClock) -> Row[Any]:
    """Execute a statement whose last column is the server's time, and return the row."""
    asked = clock.steady()
    row = (await connection.execute(statement)).one()
    clock.heard(row[-1], asked)
    return row


async def _closed(connection: AsyncConnection) -> None:
    if connection.sync_connection is not None:  # it was there before something went wrong with it
        await connection.close()


def _try_again(error: Exception) -> bool:
    """Tell whether a retry may succeed at once, and nothing was asked yet that could have been done."""
    stale = isinstance(error, DBAPIError) and error.connection_invalidated
    return stale or (isinstance(error, DRIVER_ERRORS) and isinstance(meaning(error), DatabaseConflict))
