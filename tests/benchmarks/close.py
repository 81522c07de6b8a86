"""Measure how fast Linesman carries a change through at Close, against the least that its rate limit allows.

Run it from the root: ``python -m tests.benchmarks.close [seconds of latency ...]``. A stand-in for Close with a rate
limit and a latency serves in a process of its own; the provider carries 1,000 numbers out with its runs in an SQLite
file. Printed are how long that took, what the rate limit alone needs, their ratio, the calls, and how many of them were
turned away. The budget is that of the design: within 1.1 times the least.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from bot.changes.model.kinds import Kind
from bot.machine import utc_now
from bot.providers.base import BatchRequest
from bot.providers.close.kinds import kinds
from bot.providers.close.provider import Close
from bot.sandbox.close import CloseStandIn, RateLimit
from bot.store.adapters.bulk_run_records import BulkRunRecords
from bot.store.database import Database
from bot.store.migrations import migrate

API_KEY: Final = "api_benchmark"
NUMBERS: Final = 1000
#: Updates in a window, and how long a window lasts in seconds.
LIMIT: Final = 50
WINDOW: Final = 1.0
#: Seconds that an answer takes, when none are given.
LATENCIES: Final = (0.0, 0.1, 0.2)
#: Seconds between two polls of the run: the shortest pause of the workflow.
LOOK: Final = 2.0
BUDGET: Final = 1.1
KIND: Final[Kind] = kinds()[0]


def stand_in(latency: float, pipe: Connection) -> None:
    """Serve the stand-in until the other end of ``pipe`` says something; tell its address and numbers first."""
    asyncio.run(_serve(latency, pipe))


async def _serve(latency: float, pipe: Connection) -> None:
    async with CloseStandIn(api_key=API_KEY) as close:
        close.rate_limit = RateLimit(limit=LIMIT, window=WINDOW)
        if latency:
            close.faults.add(kind="delay", seconds=latency, times=None)
        numbers = tuple((number.id, number.number) for number in close.add_numbers(NUMBERS, start="+13035550000"))
        pipe.send((close.url, numbers))
        await asyncio.to_thread(pipe.recv)


async def carry(url: str, numbers: tuple[tuple[str, str], ...], database: Database) -> tuple[float, Close]:
    """Carry one batch out and return the seconds from its submission to its last outcome."""
    book = BulkRunRecords(database, "close", utc_now)
    async with Close(api_key=API_KEY, runs=book, api_url=url) as provider:
        batch = BatchRequest(kind=KIND, numbers=numbers, values={"label": "Night desk"}, reference="1/1", before={})
        job = await provider.submit(batch)
        while not (job := await provider.poll(job.id)).state.over:  # noqa: ASYNC110 - as the workflow polls
            await asyncio.sleep(LOOK)
        assert len(job.succeeded) == NUMBERS, job.failed[:3]
        run = await book.read(job.id)
        assert run is not None
        assert run.over_at is not None
        return (run.over_at - run.created_at).total_seconds(), provider


async def measure(latency: float) -> None:
    """Print one line about a run at ``latency``."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=stand_in, args=(latency, there), daemon=True)
    process.start()
    url, numbers = await asyncio.to_thread(here.recv)
    with tempfile.TemporaryDirectory() as folder:
        async with Database(f"sqlite+aiosqlite:///{Path(folder)}/linesman.db") as database:
            await migrate(database)
            busy = time.process_time()
            took, provider = await carry(url, numbers, database)
            busy = time.process_time() - busy
    here.send("done")
    process.join()
    least = (NUMBERS / LIMIT - 1) * WINDOW
    calls = sum(provider.calls.counts().values())
    refused = sum(count for call, count in provider.calls.counts().items() if call[-1] == "429")
    verdict = "within" if took <= BUDGET * least else "over"
    print(  # noqa: T201 - what a benchmark is for
        f"latency {latency:.2f} s: {took:5.1f} s, the limit alone {least:.1f} s, ratio {took / least:.2f} "
        f"({verdict} {BUDGET}); {calls} calls, {refused} of them turned away; {busy:.1f} s of CPU"
    )


async def main() -> None:
    """Measure at every latency that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.close", description=__doc__.splitlines()[0])
    parser.add_argument("latency", nargs="*", type=float, default=LATENCIES, help="seconds that an answer takes")
    for latency in parser.parse_args().latency:
        await measure(latency)


if __name__ == "__main__":
    asyncio.run(main())
