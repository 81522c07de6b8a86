"""Opening the database: SQLite by default, PostgreSQL for several replicas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import structlog
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.config.postgres_url import is_postgres
from bot.errors import StoreError
from bot.machine import steady, utc_now
from bot.store.engine import postgres, sqlite
from bot.store.engine.database_clock import DatabaseClock
from bot.store.engine.rehearsal import rehearse, rehearse_migration
from bot.store.engine.sqlite_file import HeldFile, path_of, refuse_no_file, seen_by_others
from bot.store.engine.sqlite_log import WriteAheadLog
from bot.store.engine.trouble import DatabaseTrouble
from bot.store.queue.replicas import prove_life
from bot.store.transaction import Transaction

log = structlog.get_logger(__name__)

#: Bytes that must fit before the database counts as writable again.
PROBE = 65_536
#: Seconds that cancelled tasks have to end, before those that still want to write get their turn.
CANCEL_WITHIN = 0.5


class Database:
    """One open database.

    ``async with Database(url) as database: async with database.transaction() as tx: ...``. A transaction is committed
    when its block ends without an error, and rolled back otherwise. Commits are full: they survive a power cut.

    **Writers take turns**: of all writing transactions on all replicas, one is open at a time, from its first statement
    to its end. So everything that a transaction reads is current, and stays so until it has decided. No decision has to
    name the rows that it depends on, none can forget to, and none can be refused or end in a deadlock because of
    another. SQLite allows nothing else, and on PostgreSQL every such transaction first takes a lock. The price is one
    rule: a transaction must be short, so it never waits for a call over a network. A transaction that falls silent is
    ended. On SQLite, writers also take turns inside the process, so that nobody waits in SQLite's own busy loop.

    Wiped content is overwritten with zeros in SQLite's file and removed from its log; PostgreSQL frees it at its next
    vacuum.

    Raises :class:`bot.errors.DatabaseInUse` when another process holds the same SQLite file. ``beside`` allows that,
    for a few reads and short writes next to a running Linesman; no missing database is made then.

    ``wall`` is our time of day; ``steady`` counts seconds and is never set.

    Driver errors about the database itself, its file or its server are raised as :class:`bot.errors.StoreError`, in
    words for people; all other driver errors are our faults.
    """

    def __init__(
        self,
        url: str,
        *,
        beside: bool = False,
        wall: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] = steady,
    ) -> None:
        parsed = make_url(url)
        self._sqlite = not is_postgres(parsed)
        self._path = path_of(parsed)
        self._url = parsed
        try:
            self._engine = sqlite.make_engine(parsed) if self._sqlite else postgres.make_engine(parsed)
        except ModuleNotFoundError as error:
            raise StoreError(
                f"The database needs the driver {error.name}, which is not installed: "
                "install it with `pip install 'linesman[postgres]'`."
            ) from error
        except ValueError as error:
            raise StoreError(f"DATABASE_URL {error}.") from error
        self._beside = beside
        self._wall = wall
        self._clock = DatabaseClock(wall, steady)
        #: A killed process may have left something in it.
        self._log = WriteAheadLog(to_scrub=self._sqlite and not beside)
        self._writing = asyncio.Lock()
        self._queue = asyncio.Lock()
        self._trouble = DatabaseTrouble(file=self._sqlite, quiet=beside)
        #: The revision that every writing transaction must find; empty while any will do.
        self._revision = ""
        self._held: HeldFile | None = None

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for inspection; only :meth:`connection` explains its errors."""
        return self._engine

    @property
    def clock(self) -> Callable[[], datetime]:
        """The clock for all times in it: its server's, or ours where one process has a file."""
        return self._wall if self._sqlite else self._clock

    @property
    def server_clock(self) -> DatabaseClock | None:
        """The server's clock, compared with ours; None for a file."""
        return None if self._sqlite else self._clock

    @property
    def skew(self) -> str:
        """Why no work may be taken from it: our clock is off. Empty when it is right; :meth:`ping` checks again."""
        return "" if self._sqlite else self._clock.skew

    @property
    def trouble(self) -> str:
        """Why it accepts no writes, for people; empty when it does, as far as anybody has tried."""
        return self._trouble.present

    @property
    def damage(self) -> str:
        """That its file is damaged, for people; empty as far as known. Work on undamaged parts continues."""
        return self._trouble.damage

    @property
    def shared(self) -> bool:
        """Whether other replicas may work on the same database."""
        return not self._sqlite

    def fence(self, revision: str) -> None:
        """Write nothing more once the database has another ``revision``: another version has upgraded it.

        The transaction itself checks that, so no two versions ever write side by side. A file has only one process.
        """
        self._revision = revision

    async def __aenter__(self) -> Self:
        if self._path is not None and self._beside:
            refuse_no_file(self._path)
            if not self._path.exists():
                raise StoreError(f"There is no database {self._path}: check DATABASE_URL.")
        elif self._path is not None:
            self._held = HeldFile(self._path)
            if (seen := seen_by_others(self._path)) is not None:
                log.warning("others on this machine can read the database", file=str(seen), advice="chmod 600")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._engine.dispose()
        if self._held is not None:
            self._held.close()
            self._held = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction below the tables, for migrations and for questions about them: it may take its time."""
        with self._trouble.explained():
            if self._sqlite:
                async with self._engine.begin() as connection:
                    yield connection
                return
            engine = postgres.make_engine(self._url, patient=True)
            try:
                async with engine.begin() as connection:
                    yield connection
            finally:
                await engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a writing transaction; raises :class:`bot.errors.StoreError` if it cannot be opened or committed."""
        async with self._writer() as connection:
            tx = Transaction(connection, writing=True)
            yield tx
            await tx.events.seal()
            self._log.to_scrub = self._log.to_scrub or (tx.secrets.wiped and not self._beside)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for the turn within this process; raises TimeoutError, as the server does for its turn."""
        # While the database is in trouble, wait only OPEN_WITHIN for the turn.
        async with asyncio.timeout(postgres.OPEN_WITHIN if self._trouble.present else postgres.TURN_WITHIN):
            await self._queue.acquire()
        try:
            yield
        finally:
            self._queue.release()

    @asynccontextmanager
    async def _writer(self) -> AsyncIterator[AsyncConnection]:
        with self._trouble.explained(writing=True):
            if not self._sqlite:
                # Only one transaction of this process asks the server at a time: others would only take connections
                # from readers.
                entering = postgres.transaction(self._engine, self._clock, writing=True, revision=self._revision)
                async with self._turn(), entering as connection:
                    yield connection
                return
            async with self._writing, self._engine.connect() as connection:
                await connection.execution_options(**{sqlite.WRITING: True})
                async with connection.begin():
                    yield connection
                if self._log.to_scrub:
                    await self._log.scrub(connection)

    @asynccontextmanager
    async def alive(self, name: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Prove to other replicas that ``name`` lives, until the block or the connection ends.

        Yields a check that raises :class:`bot.errors.StoreError` once the connection is gone. For shared databases
        only.
        """
        with self._trouble.explained():
            engine = postgres.make_engine(self._url, patient=True)
            try:
                async with engine.connect() as connection:
                    async with asyncio.timeout(postgres.OPEN_WITHIN):
                        await prove_life(connection, name)

                    async def proof() -> None:
                        async with asyncio.timeout(postgres.OPEN_WITHIN):
                            await connection.execute(text("SELECT 1"))

                    yield proof
            finally:
                await engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Open a read-only transaction: one consistent moment, and nobody waits for it."""
        # A server that cannot be read accepts no writes either; SQLite's readers may only be blocked by a writer.
        with self._trouble.explained(writing=not self._sqlite):
            if self._sqlite:
                async with self._engine.connect() as connection, connection.begin():
                    yield Transaction(connection)
                return
            async with postgres.transaction(self._engine, self._clock) as connection:
                yield Transaction(connection)

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction on rows that no decision depends on: allowances, which replicas share on PostgreSQL.

        It takes no turn, so that a call to a provider waits for no change; the rows that it depends on must be locked.
        """
        with self._trouble.explained(writing=True):
            async with postgres.transaction(self._engine, self._clock, aside=True) as connection:
                yield connection

    async def cancel(self, tasks: Collection[asyncio.Task[Any]]) -> None:
        """Cancel ``tasks``, none of them in the middle of a write, and wait until they have ended.

        A task cancelled between BEGIN and COMMIT can leave SQLite's write lock on a connection that nobody holds any
        more. While we hold the write turn, no task is there.
        """
        if not tasks:
            return
        async with self._writing:
            for task in tasks:
                task.cancel()
            # A task that writes once more while it ends gets the turn after this.
            await asyncio.wait(tasks, timeout=CANCEL_WITHIN)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def probe(self) -> None:
        """Find out by writing whether it accepts writes again; raises :class:`bot.errors.DatabaseUnavailable`.

        An update of nothing proves nothing, and one in place does not prove that there is room. On a server, one
        writable row does not prove that others are, and a rolled-back write does not prove that it can be committed.
        """
        if self.shared:
            await self.rehearse()
        async with self._writer() as connection:
            if self._sqlite:
                await connection.execute(text("CREATE TABLE linesman_probe (room BLOB)"))
                await connection.execute(text("INSERT INTO linesman_probe VALUES (zeroblob(:room))"), {"room": PROBE})
                await connection.execute(text("DROP TABLE linesman_probe"))
            else:
                await connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        self._trouble.over()

    async def ping(self) -> None:
        """Raise :class:`bot.errors.StoreError` unless the database answers."""
        async with self.reading():
            return

    async def rehearse(self) -> None:
        """Try everything that work needs, and roll it back; raises :class:`bot.errors.StoreError` if not permitted.

        For a database in the form of this version.
        """
        await self._taken_back(rehearse)

    async def rehearse_migration(self) -> None:
        """Try what a migration needs, a table of its own, and roll it back; raises as :meth:`rehearse` does."""
        await self._taken_back(rehearse_migration)

    async def _taken_back(self, work: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        with suppress(_TakenBack):
            async with self._writer() as connection:
                await work(connection)
                raise _TakenBack


class _TakenBack(Exception):
    """The written rows were a rehearsal."""
