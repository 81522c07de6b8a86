"""Connections to an SQLite file: full commits, secure deletion, and immediate write locks."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.store.engine import sqlite_driver
from bot.store.engine.documents import to_text
from bot.store.engine.sqlite_file import path_of

#: Milliseconds that SQLite waits for another writer before it gives up.
BUSY_TIMEOUT: Final = 5000
#: The execution option of a transaction that is going to write.
WRITING: Final = "linesman_write"


def make_engine(url: URL) -> AsyncEngine:
    """Return an engine for ``url``, a file or in memory."""
    driver = {"async_creator_fn": sqlite_driver.connect} if path_of(url) else {}
    # hidden: an error's text reaches the log; values, sealed or not, must not
    engine = create_async_engine(url, hide_parameters=True, connect_args=driver, json_serializer=to_text)
    event.listen(engine.sync_engine, "connect", _configure)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _configure(connection: Any, _: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the DBAPI has no common type
    connection.isolation_level = None  # BEGIN is ours, see below
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={BUSY_TIMEOUT}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A writer takes the write lock at once: upgrading from reading can fail half-way as "busy".
    write = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
