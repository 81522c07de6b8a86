"""Three replicas on one PostgreSQL, and what goes wrong with them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import NullPool, create_engine, insert, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.sandbox.close import CloseStandIn
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn
from bot.store.tables import metadata
from tests.acceptance.faults import hooks
from tests.acceptance.faults.people import People
from tests.acceptance.process_pool import PooledProcess, ProcessPool
from tests.acceptance.replicas.proxy import Proxy
from tests.acceptance.replicas.weather import Replica, Weather
from tests.acceptance.replicas.wishes import OPAL, Everybody, Rules
from tests.acceptance.replicas.workload import REQUESTERS, Workload
from tests.acceptance.stage import API_KEY, APP_TOKEN, BOT_TOKEN, CLOSE_KEY, SIGNING_SECRET, RestartingStage, free_port
from tests.acceptance.stories.staged import MAX, MIA

REPLICAS: Final = 3
#: Seconds for one run: a request that was under way is waited for, and so is a lease.
PATIENCE: Final = 480.0
#: Seconds by which a clock may be off, so that Slack's signatures and tokens still hold.
OFF: Final = (-200, -90, 90, 200)
#: Seconds for which a claim lasts that nobody renews. On a slow machine three replicas need seconds to renew theirs.
LEASE: Final = 15.0
#: Pauses of a replica. With many changes at once shorter ones would only make work.
CALM: Final = {
    "LINESMAN_PROVIDER_TIMEOUT": "5",
    "LINESMAN_POLL_MIN": "0.3",
    "LINESMAN_POLL_MAX": "1",
    "LINESMAN_CARD_SECONDS": "0.5",
}


@dataclass(kw_only=True, repr=False)
class Cluster(RestartingStage):
    """The stage with three replicas, over Socket Mode: Slack sends each click to one of those that are connected."""

    address: str
    chance: random.Random
    #: Changes that each of those asks for who ask.
    each: int
    #: Whether things go wrong with the replicas, and pauses are shorter than in earnest.
    stormy: bool = True
    replicas: list[Replica] = field(default_factory=list)
    #: What happened, for whoever has to understand a failure.
    diary: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.workload = Workload(self, self.chance, each=self.each, varied=self.stormy)
        # What people draw hangs on what happens; the weather of a seed stays the same.
        self._weather = random.Random(self.chance.random())  # noqa: S311 - no secret

    @property
    def starts(self) -> int:
        """How many processes were started."""
        return sum(replica.process.lives for replica in self.replicas)

    def _note(self, what: str) -> None:
        self.diary.append(f"{datetime.now(UTC):%H:%M:%S.%f}: {what}")

    async def enlist(self, stack: AsyncExitStack, pool: ProcessPool) -> None:
        """Set up the replicas, of which at most one has a clock that is off, and have them kept running."""
        url, off = make_url(self.address), self.chance.choice([*OFF, *(0 for _ in OFF)])
        socket = Path(str(url.query["host"])) / ".s.PGSQL.5432"
        for number in range(REPLICAS):
            proxy = await stack.enter_async_context(Proxy(socket))
            place = f"postgresql+asyncpg://postgres@127.0.0.1:{proxy.port}/{url.database}"
            folder = self.folder / f"replica-{number}"
            folder.mkdir()
            changed = {"DATABASE_URL": place, "PORT": str(free_port())}
            if self.stormy:
                changed[hooks.PLAN] = json.dumps(
                    {"folder": str(folder), "skew": off if number == 0 else 0, "lease": LEASE}
                )
            changed |= {**CALM, "LINESMAN_REQUESTERS": ",".join(REQUESTERS)}
            changed |= {"LINESMAN_APPROVERS": f"{MAX},{MIA}", "LINESMAN_OPERATORS": OPAL}
            process = PooledProcess(pool, {**self.process.env, **changed}, folder / "linesman.log")
            self.replicas.append(Replica(str(number), process, proxy))
            stack.push_async_callback(process.close)
        self._note(f"the clock of replica 0 is off by {off} s" if self.stormy else "the weather is fair")
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

    # The story

    async def play(self) -> None:
        """Play all changes to their end while things go wrong, until Linesman has nothing left to do or to say."""
        await self.up.wait()
        async with asyncio.TaskGroup() as group:
            if self.stormy:
                group.create_task(Weather(self.replicas, self._weather, self._note).rage())
            group.create_task(self.workload.play())
        await self._quiet()
        self.locks = await People(self).ask_for_locks()

    async def _quiet(self) -> None:
        waits = text(
            "SELECT (SELECT count(*) FROM tasks WHERE task NOT IN ('discard', 'wipe') OR owner IS NOT NULL) + "
            "(SELECT count(*) FROM outbox WHERE state = 'pending' OR owner IS NOT NULL)"
        )
        engine = create_async_engine(self.address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            while await connection.scalar(waits):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.1)

    async def copy_out(self) -> None:
        """Copy the database into a file of SQLite, and the logs into one, for whoever judges."""
        source = create_async_engine(self.address, poolclass=NullPool)
        target = create_engine(f"sqlite:///{self.database}")
        async with source.connect() as connection:
            with target.begin() as into:
                metadata.create_all(into)
                for table in metadata.sorted_tables:
                    if rows := [row._asdict() for row in await connection.execute(table.select())]:
                        into.execute(insert(table), rows)
        target.dispose()
        self.process.log.write_text("".join(replica.process.written() for replica in self.replicas))


@asynccontextmanager
async def cluster(
    pool: ProcessPool, folder: Path, server: str, chance: random.Random, *, each: int, stormy: bool = True
) -> AsyncIterator[Cluster]:
    """Set the stage with a database of its own on ``server``, and start the replicas."""
    name = f"linesman_{folder.name.replace('-', '_')}"
    admin = create_async_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name}"))
    address = make_url(server).set(database=name).render_as_string(hide_password=False)
    slack = SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN)
    async with (
        slack,
        TelnyxStandIn(api_key=API_KEY, job_seconds=0.5) as telnyx,
        CloseStandIn(api_key=CLOSE_KEY) as close,
    ):
        made = Cluster(
            slack=slack,
            telnyx=telnyx,
            close=close,
            story=Rules() if stormy else Everybody(),
            folder=folder,
            transport="socket",
            address=address,
            chance=chance,
            each=each,
            stormy=stormy,
        )
        async with AsyncExitStack() as stack:
            await made.enlist(stack, pool)
            yield made
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
