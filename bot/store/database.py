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

#: Bytes that have to find room before the database counts as writable again.
PROBE = 65_536
#: Seconds that cancelled tasks have to end before those that still want to write get their turn.
CANCEL_WITHIN = 0.5


class Database:
    """One open database.

    ``async with Database(url) as database: async with database.transaction() as tx: ...``. A transaction is committed
    when its block ends well and rolled back otherwise. Commits are full, so what was committed survives a power cut.

    **Writers take turns**: of all transactions that write, on any replica, one is open at a time, from its first
    statement to its end. So whatever a transaction reads is as it is, and stays so until it has decided: no decision
    has to name the rows that it depends on, none can forget to, and none can be refused or end in a deadlock because
    of another. SQLite knows nothing else, and PostgreSQL is made to be the same with a lock that every such
    transaction takes first. It is the price of one rule: a transaction has to be short, so nobody is asked anything
    over a network inside one. Whoever falls silent in the middle of one loses it. On SQLite
    writers take turns inside the process too, so that nobody waits in SQLite's own busy loop.

    What is wiped is overwritten with zeros in SQLite's file and taken out of its log; PostgreSQL frees it at its next
    vacuum.

    Raises :class:`bot.errors.DatabaseInUse` when another process holds the same SQLite file. With ``beside`` it may:
    for a few reads and short writes next to a Linesman at work. Nothing is made then where there is no database yet.

    ``wall`` is our time of day, and ``steady`` counts its seconds and is never set.

    What the driver has to say about the database itself, its file or its server is raised as
    :class:`bot.errors.StoreError`, in words for people; what is left of its errors are ours.
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
        #: A process that was killed may have left something in it.
        self._log = WriteAheadLog(to_scrub=self._sqlite and not beside)
        self._writing = asyncio.Lock()
        self._queue = asyncio.Lock()
        self._trouble = DatabaseTrouble(file=self._sqlite, quiet=beside)
        #: The revision that every transaction that writes has to find; empty while any will do.
        self._revision = ""
        self._held: HeldFile | None = None

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for looking into it; what its errors mean is told by :meth:`connection` only."""
        return self._engine

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time by which everything goes that is in it: its server's, or ours where one process has a file."""
        return self._wall if self._sqlite else self._clock

    @property
    def server_clock(self) -> DatabaseClock | None:
        """The server's clock, compared with ours; None for a file."""
        return None if self._sqlite else self._clock

    @property
    def skew(self) -> str:
        """Why no work is to be taken from it: our clock is off. Empty when it is not; asked anew by :meth:`ping`."""
        return "" if self._sqlite else self._clock.skew

    @property
    def trouble(self) -> str:
        """Why it takes no writes, for people; empty when it does, as far as anybody has tried."""
        return self._trouble.present

    @property
    def damage(self) -> str:
        """That its file is damaged, for people; empty as far as anybody has noticed. Work on what is whole goes on."""
        return self._trouble.damage

    @property
    def shared(self) -> bool:
        """Whether other replicas may work on the same database."""
        return not self._sqlite

    def fence(self, revision: str) -> None:
        """Write nothing any more once the database has another ``revision``: another version has upgraded it.

        That is found in the transaction itself, so no two versions ever write side by side. A file has one process.
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
        """Open a transaction that writes; raises :class:`bot.errors.StoreError`, and then nothing is."""
        async with self._writer() as connection:
            tx = Transaction(connection, writing=True)
            yield tx
            await tx.events.seal()
            self._log.to_scrub = self._log.to_scrub or (tx.secrets.wiped and not self._beside)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for the turn within this process; raises TimeoutError as the server does to whoever waits there."""
        # Behind one that hangs nobody waits for as long as behind one that works.
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
                # One of this process asks the server at a time: the others would only keep connections from readers.
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
        """Prove to other replicas that ``name`` lives, until the block ends or the connection does.

        Gives what raises :class:`bot.errors.StoreError` once the connection is gone. For a shared database only.
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
        """Open a transaction that only reads: one consistent moment, and nobody waits for it."""
        # A server that cannot be read from takes no writes either; SQLite's readers may be in a writer's way only.
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

        It takes no turn, so that a call to a provider waits for no change; what it goes by has to be locked.
        """
        with self._trouble.explained(writing=True):
            async with postgres.transaction(self._engine, self._clock, aside=True) as connection:
                yield connection

    async def cancel(self, tasks: Collection[asyncio.Task[Any]]) -> None:
        """Cancel ``tasks``, none of them in the middle of a write, and wait until they have ended.

        A task that is cancelled between BEGIN and COMMIT can leave SQLite's write lock behind on a connection that
        nobody holds any more. While the turn to write is ours, no task is there.
        """
        if not tasks:
            return
        async with self._writing:
            for task in tasks:
                task.cancel()
            # A task that writes once more while it ends gets the turn after this moment.
            await asyncio.wait(tasks, timeout=CANCEL_WITHIN)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def probe(self) -> None:
        """Find out by writing whether it takes writes again; raises :class:`bot.errors.DatabaseUnavailable`.

        An update of nothing proves nothing, and one in place does not prove that there is room. One row of a server's
        does not prove that the others may be written, and what is taken back does not prove that it can be kept.
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
        """Try all that work needs, and take it back; raises :class:`bot.errors.StoreError` for what may not be done.

        For a database whose form is this version's.
        """
        await self._taken_back(rehearse)

    async def rehearse_migration(self) -> None:
        """Try what a migration needs, a table of its own, and take it back; raises as :meth:`rehearse` does."""
        await self._taken_back(rehearse_migration)

    async def _taken_back(self, work: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        with suppress(_TakenBack):
            async with self._writer() as connection:
                await work(connection)
                raise _TakenBack


class _TakenBack(Exception):
    """What was written was a rehearsal."""
