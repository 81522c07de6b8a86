"""The disk: SQLite without a thread, every commit seen, full at times, and copied as it is when the process dies."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from bot.store.engine import sqlite_driver

#: How often others get a turn between two steps of a transaction, and how long a step takes then at most, in seconds.
YIELDS: Final = 0.15
SLOWEST: Final = 0.01

#: What SQLite says when a commit waits until it is on the disk.
FULL: Final = (2,)

#: What happens just before and just after a commit: told its number and which, returns whether the process is dead.
Watch = Callable[[int, str], bool]
WHEN: Final = ("before", "after")


class _Direct:
    """A queue of work that is done as soon as it is put in."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        """Do it."""
        future, work = item
        result = work()
        if future is not None:
            future.set_result(result)


class _NoThread:
    """The thread that there is not."""

    daemon = True


class InlineConnection(sqlite_driver.PromptConnection):
    """A connection whose calls are made at once."""

    def __init__(self, disk: Disk, connector: Callable[[], sqlite3.Connection]) -> None:
        self._running = True
        self._connection = None
        self._connector = connector
        self._iter_chunk_size = 64
        self._thread: Any = _NoThread()
        self._tx: Any = _Direct()
        self._disk = disk
        self._writing = False

    def __del__(self) -> None:
        """Say nothing: the dead close nothing."""

    def __await__(self) -> Any:
        return self._connect().__await__()

    async def _connect(self) -> InlineConnection:
        if self._connection is None:
            self._connection = self._connector()
        return self

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        name = getattr(fn, "__name__", "")
        if args and str(args[0]).startswith("BEGIN IMMEDIATE"):
            self._writing = True
        await self._disk.turn(writing=self._writing and name not in ("rollback", "close"))
        if name == "commit" and self._writing:
            if self._connection.execute("PRAGMA synchronous").fetchone() != FULL:
                self._disk.unsafe()
            return await self._disk.commit(fn)
        try:
            return fn(*args, **kwargs)
        finally:
            if name == "rollback":
                self._writing = False

    async def commit(self) -> None:
        """Commit, and be no writer any more."""
        try:
            await super().commit()
        finally:
            self._writing = False

    async def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._running = False

    def stop(self) -> None:  # type: ignore[override]
        """Close the file without waiting."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._running = False


class Disk:
    """The files of one world, in ``folder``; each life of the process has a copy of what the one before it left.

    ``unsafe`` is called at each commit that does not wait until it is on the disk.
    """

    def __init__(self, folder: Path, random: Random, *, template: Path, unsafe: Callable[[], None]) -> None:
        self._folder = folder
        self._random = random
        self.unsafe = unsafe
        self.path = self._place(0)
        shutil.copyfile(template, self.path)
        self.path.chmod(0o600)
        #: Commits so far.
        self.commits = 0
        #: Whether nothing fits on it.
        self.full = False
        self.watch: Watch | None = None
        self._reader: sqlite3.Connection | None = None
        sqlite_driver.connect = self._connect  # type: ignore[assignment]

    def _place(self, life: int) -> Path:
        folder = self._folder / str(life)
        folder.mkdir()
        return folder / "linesman.db"

    def leave(self, life: int) -> None:
        """Copy what is durable at this moment for the next life."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        before, self.path = self.path, self._place(life)
        for end in ("", "-wal"):
            source = before.with_name(before.name + end)
            if source.exists():
                shutil.copyfile(source, self.path.with_name(self.path.name + end))
        self.path.chmod(0o600)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query on what is committed."""
        if self._reader is None:
            self._reader = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        return self._reader.execute(query, values).fetchall()

    def _connect(self, database: str, **given: Any) -> InlineConnection:
        return InlineConnection(self, lambda: sqlite3.connect(database, **given))

    async def turn(self, *, writing: bool) -> None:
        """Let others have a turn by chance; raises what SQLite does when nothing fits any more."""
        if self._random.random() < YIELDS:
            await asyncio.sleep(self._random.random() * SLOWEST)
        if writing and self.full:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
            raise error

    async def commit(self, work: Callable[[], None]) -> None:
        """Commit; the process may die just before or just after that."""
        self.commits += 1
        number = self.commits
        if self.watch is not None and self.watch(number, WHEN[0]):
            await asyncio.Event().wait()
        work()
        if self.watch is not None and self.watch(number, WHEN[1]):
            await asyncio.Event().wait()
