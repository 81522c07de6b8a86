"""aiosqlite with one trip to its thread for each statement, where its own cursors make four.

A trip wakes the thread and then the loop, which costs more than most statements: making a cursor, executing, fetching
and closing in separate trips takes a third of a large change's computing time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

import aiosqlite
from aiosqlite.context import contextmanager

#: Rows returned with the execution of a statement; most have fewer. Streaming callers ask for about as many.
AHEAD: Final = 1000
#: As in :func:`aiosqlite.connect`: rows per trip when iterating over a cursor.
_CHUNK: Final = 64


class PromptCursor(aiosqlite.Cursor):
    """A cursor that returns its first rows with the trip that executes the statement."""

    def __init__(self, connection: PromptConnection, cursor: sqlite3.Cursor) -> None:
        super().__init__(connection, cursor)
        self._rows: list[Any] = []
        self._more = False

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> PromptCursor:
        """Execute the statement; raises the errors of :mod:`sqlite3`, also for its first rows."""
        await self._execute(self._executed, sql, tuple(parameters or ()))  # type: ignore[no-untyped-call] # aiosqlite's
        return self

    def _executed(self, sql: str, parameters: tuple[Any, ...]) -> None:
        self._rows, self._more = [], False
        self._cursor.execute(sql, parameters)
        if self._cursor.description is not None:
            self._rows = self._cursor.fetchmany(AHEAD)
            self._more = len(self._rows) == AHEAD

    async def fetchone(self) -> sqlite3.Row | None:
        """Return the next row; None when there is none."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        """Return the next ``size`` rows, or fewer at the end."""
        size = size or self._cursor.arraysize
        rows, self._rows = self._rows[:size], self._rows[size:]
        if len(rows) < size and self._more:
            found = await super().fetchmany(size - len(rows))
            self._more = bool(found)
            rows += found
        return rows

    async def fetchall(self) -> Sequence[Any]:
        """Return all remaining rows."""
        rows, self._rows = self._rows, []
        if self._more:
            self._more = False
            rows += await super().fetchall()
        return rows

    async def close(self) -> None:
        """Release the statement's resources. A finished one has none."""
        self._rows = []
        if self._more:
            self._more = False
            await super().close()


class PromptConnection(aiosqlite.Connection):
    """A connection with such cursors."""

    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        """Return a cursor, without a trip."""
        # SQLAlchemy's check_same_thread=False allows making it on this thread.
        return PromptCursor(self, self._conn.cursor())


def connect(database: str, **given: Any) -> PromptConnection:  # noqa: ANN401 - sqlite3 has many
    """Return a connection that is opened when it is awaited; ``given`` is what :func:`sqlite3.connect` takes."""
    connection = PromptConnection(partial(sqlite3.connect, database, **given), _CHUNK)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy has it: a process that ends waits for nobody
    return connection
