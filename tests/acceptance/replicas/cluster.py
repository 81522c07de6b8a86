"""Three replicas on one PostgreSQL, and what goes wrong with them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import NullPool, create_engine, insert, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn
from bot.store.tables import metadata
from tests.acceptance.faults import hooks
from tests.acceptance.faults.people import People, Wish
from tests.acceptance.process_pool import PooledProcess, ProcessPool
from tests.acceptance.replicas.proxy import Proxy, Way
from tests.acceptance.stage import API_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Stage, free_port

REPLICAS: Final = 3
#: Seconds for one run: a request that was under way is waited for, and so is a lease.
PATIENCE: Final = 120.0
#: Seconds for which things go wrong, and between two of them.
WEATHER: Final = (5.0, 20.0)
PAUSE: Final = (0.3, 3.0)
#: Seconds by which a clock may be off, so that Slack's signatures and tokens still hold.
OFF: Final = (-200, -90, 90, 200)


class Replica:
    """One process, its way to the database, and whether anybody starts it again."""

    def __init__(self, name: str, process: PooledProcess, proxy: Proxy) -> None:
        self.name = name
        self.process = process
        self.proxy = proxy
        self.ready = asyncio.Event()

    async def keep(self) -> None:
        """Start the process, and start it again whenever it has ended, as whatever runs it would."""
        while True:
            with contextlib.suppress(RuntimeError, TimeoutError):  # it ended, or was stopped, before it was ready
                await self.process.start()
                self.ready.set()
            await self.process.gone(within=None)
            self.ready.clear()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; the process may have gone."""
        self.process.struck = False
        self.process.strike(number)


@dataclass(kw_only=True, repr=False)
class Cluster(Stage):
    """The stage with three replicas, over Socket Mode: Slack sends each click to one of those that are connected."""

    address: str
    replicas: list[Replica] = field(default_factory=list)
    #: Set while at least one replica is ready.
    up: asyncio.Event = field(default_factory=asyncio.Event)
    #: What happened, for whoever has to understand a failure.
    diary: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.people = People(self)  # type: ignore[arg-type]  # it needs what every stage has, and ``up``

    async def enlist(self, stack: AsyncExitStack, pool: ProcessPool, chance: random.Random) -> None:
        """Set up the replicas, of which at most one has a clock that is off, and have them kept running."""
        url, off = make_url(self.address), chance.choice([*OFF, *(0 for _ in OFF)])
        socket = Path(str(url.query["host"])) / ".s.PGSQL.5432"
        for number in range(REPLICAS):
            proxy = await stack.enter_async_context(Proxy(socket))
            place = f"postgresql+asyncpg://postgres@127.0.0.1:{proxy.port}/{url.database}"
            folder = self.folder / f"replica-{number}"
            folder.mkdir()
            plan = json.dumps({"folder": str(folder), "skew": off if number == 0 else 0})
            changed = {"DATABASE_URL": place, "PORT": str(free_port()), hooks.PLAN: plan}
            changed["LINESMAN_PROVIDER_TIMEOUT"] = "3"
            process = PooledProcess(pool, {**self.process.env, **changed}, folder / "linesman.log")
            self.replicas.append(Replica(str(number), process, proxy))
            stack.push_async_callback(process.close)
        self.diary.append(f"the clock of replica 0 is off by {off} s")
        stack.enter_context(self._kept())

    @contextmanager
    def _kept(self) -> Iterator[None]:
        keeping = [asyncio.create_task(replica.keep()) for replica in self.replicas]
        keeping.append(asyncio.create_task(self._watch()))
        try:
            yield
        finally:
            for task in keeping:
                task.cancel()

    async def _watch(self) -> None:
        while True:
            if any(replica.ready.is_set() for replica in self.replicas) and self.slack.sockets:
                self.up.set()
            else:
                self.up.clear()
            await asyncio.sleep(0.02)

    # What goes wrong

    async def disturb(self, chance: random.Random) -> None:
        """Do something to a replica every now and then for a while; then all is well again."""
        clear = chance.uniform(*WEATHER)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(clear), asyncio.TaskGroup() as group:
                while True:
                    await asyncio.sleep(chance.uniform(*PAUSE))
                    group.create_task(self._one(chance))
        for replica in self.replicas:
            replica.send(signal.SIGCONT)
            replica.proxy.become(Way.OPEN)
        self.diary.append(f"{datetime.now(UTC):%H:%M:%S.%f}: the weather has cleared up")

    async def _one(self, chance: random.Random) -> None:
        replica, what, seconds = (
            chance.choice(self.replicas),
            chance.choice(_KINDS),
            chance.choice((0.3, 1.0, 3.0, 10.0)),
        )
        self.diary.append(f"{datetime.now(UTC):%H:%M:%S.%f}: {what} replica {replica.name}, {seconds} s")
        match what:
            case "kill":
                replica.send(signal.SIGKILL)
            case "terminate":
                replica.send(signal.SIGTERM)
            case "stop":
                replica.send(signal.SIGSTOP)
                await asyncio.sleep(seconds)
                replica.send(signal.SIGCONT)
            case "cut" | "silence":
                replica.proxy.become(Way.CUT if what == "cut" else Way.SILENT)
                await asyncio.sleep(seconds)
                replica.proxy.become(Way.OPEN)

    # The story

    async def play(self, chance: random.Random) -> None:
        """Play the story to its end while things go wrong, and wait until Linesman has nothing left to do or to say."""
        await self.up.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.disturb(chance))
            name = await self.people.ask(Wish(self.asked, self.story.wanted, self.story.command))
            assert name is not None
            await self.people.approve(name)
        await self.slack.wait_for(self.sheets, timeout=PATIENCE, what="the results")
        while await self._something_waits():  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.1)
        await self._copy_out()

    async def _something_waits(self) -> bool:
        engine = create_async_engine(self.address, poolclass=NullPool)
        waits = "SELECT (SELECT count(*) FROM tasks WHERE task NOT IN ('discard', 'wipe') OR owner IS NOT NULL) + "
        waits += "(SELECT count(*) FROM outbox WHERE state = 'pending' OR owner IS NOT NULL)"
        async with engine.connect() as connection:
            return bool(await connection.scalar(text(waits)))

    async def _copy_out(self) -> None:
        """Copy the database into a file of SQLite, and the logs into one, for whoever judges."""
        source = create_async_engine(self.address, poolclass=NullPool)
        target = create_engine(f"sqlite:///{self.database}")
        metadata.create_all(target)
        async with source.connect() as connection:
            for table in metadata.sorted_tables:
                rows = [row._asdict() for row in await connection.execute(table.select())]
                with target.begin() as into:
                    if rows:
                        into.execute(insert(table), rows)
        target.dispose()
        self.process.log.write_text("".join(replica.process.written() for replica in self.replicas))


_KINDS: Final = ("kill", "kill", "terminate", "stop", "stop", "cut", "silence")


@asynccontextmanager
async def cluster(pool: ProcessPool, folder: Path, server: str, chance: random.Random) -> AsyncIterator[Cluster]:
    """Set the stage with a database of its own on ``server``, and start the replicas."""
    name = f"linesman_{folder.name.replace('-', '_')}"
    admin = create_async_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name}"))
    address = make_url(server).set(database=name).render_as_string(hide_password=False)
    slack = SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN)
    async with slack, TelnyxStandIn(api_key=API_KEY, job_seconds=0.5) as telnyx:
        made = Cluster(slack=slack, telnyx=telnyx, folder=folder, transport="socket", address=address)
        made.stock(batches=4, each=2)
        async with AsyncExitStack() as stack:
            await made.enlist(stack, pool, chance)
            yield made
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
