"""How soon Linesman is there, and how soon people see what they ask for, with a long past."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.sandbox.slack import Delivery
from tests.acceptance.process import HERE
from tests.benchmarks.carrier import WANTED, Carrier, Terms, numbers
from tests.benchmarks.measure import percentile
from tests.benchmarks.office import APPROVALS, OPS, PATIENCE, Office, csv_of, office, plan

#: Numbers of one change, and how many such changes there were.
NUMBERS: Final = 1000
CHANGES: Final = 1000
#: How often each thing is asked for.
TIMES: Final = 20


@dataclass(frozen=True, kw_only=True)
class Looking:
    """Seconds, and what people ask for -> (median, worst) milliseconds until they see it."""

    operations: int
    help_cpu: float
    #: Until ready, and of CPU: with a new database, and with that of the past.
    first_start: tuple[float, float]
    start: tuple[float, float]
    shown: dict[str, tuple[float, float]] = field(default_factory=dict)


async def measure(changes: int = CHANGES) -> Looking:
    """Carry one change out, let it have happened many times, and look at it."""
    terms = Terms(numbers=NUMBERS, latency=0.0, job_seconds=0.1, number_seconds=0.0)
    people = [f"U0P{at:03}" for at in range(TIMES)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Carrier(terms) as carrier:
            async with office(carrier.url, folder) as here:
                first_start = here.started
                await _carry(here)
            await asyncio.to_thread(_again, folder / "linesman.db", changes)
            async with office(carrier.url, folder, people=people) as here:
                return Looking(
                    operations=NUMBERS * changes,
                    help_cpu=await asyncio.to_thread(_help),
                    first_start=first_start,
                    start=here.started,
                    shown={
                        "/numbers list": await _shown([_typed(here, "list")] * TIMES),
                        "/numbers find": await _shown([_typed(here, f"find {numbers(1)[0]}")] * TIMES),
                        "Home": await _shown([_home(here, person) for person in people]),
                    },
                )


async def _carry(here: Office) -> None:
    rows = ((number, WANTED) for number in numbers(NUMBERS))
    await plan(here.ana, "update", csv_of(("number", "customer_reference"), *rows))
    await here.ana.submit()
    await here.slack.wait_for(lambda: here.slack.messages(APPROVALS), timeout=PATIENCE, what="the request")
    await here.mia.click("approve", message=here.slack.messages(APPROVALS)[0])
    await here.slack.wait_for(
        lambda: any("-results" in file.name for file in here.slack.files), timeout=PATIENCE, what="the results"
    )
    while await here.has_undelivered():  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.02)


def _again(path: Path, times: int) -> None:
    """Let the one change of the database at ``path`` have happened ``times`` times, each time to other numbers."""
    with sqlite3.connect(path) as database:
        changed = _columns(database, "changes", without={"id", "submission"})
        database.execute(
            "WITH RECURSIVE more (at) AS (SELECT 2 UNION ALL SELECT at + 1 FROM more WHERE at < ?) "  # noqa: S608 - our own names
            f"INSERT INTO changes ({changed}) SELECT {changed} FROM changes, more WHERE id = 1",
            (times,),
        )
        kept = _columns(database, "operations", without={"change_id", "number_id", "e164"})
        database.execute(
            f"INSERT INTO operations ({kept}, change_id, number_id, e164) "  # noqa: S608 - as above
            f"SELECT {kept}, later.id, 2000000000000000000 + later.id * 1000 + position, "
            "'+1' || (4000000000 + later.id * 1000 + position) "
            "FROM operations, (SELECT id FROM changes WHERE id > 1) AS later WHERE change_id = 1"
        )
    database.close()


def _columns(database: sqlite3.Connection, table: str, *, without: set[str]) -> str:
    names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    return ", ".join(f'"{name}"' for name in names if name not in without)


def _help() -> float:
    """Return the seconds of CPU that a look at the help takes."""
    process = subprocess.Popen([sys.executable, "-m", "bot", "--help"], cwd=HERE, stdout=subprocess.DEVNULL)
    used = os.wait4(process.pid, 0)[2]
    return used.ru_utime + used.ru_stime


def _typed(here: Office, text: str) -> Callable[[], Awaitable[object]]:
    """Return what types a command and waits for its answer."""

    async def ask() -> None:
        before = len(here.slack.ephemerals("U0ANA"))
        _heard(await here.ana.command("/numbers", text, channel=OPS))
        await here.slack.wait_for(lambda: len(here.slack.ephemerals("U0ANA")) > before, what=f"an answer to {text}")

    return ask


def _home(here: Office, person: str) -> Callable[[], Awaitable[object]]:
    """Return what opens a person's Home tab and waits until it is there."""

    async def ask() -> None:
        _heard(await here.slack.person(person).open_home())
        await here.slack.wait_for(lambda: here.slack.home(person), what="the Home tab")

    return ask


def _heard(delivery: Delivery) -> None:
    if delivery.error:
        raise RuntimeError(f"a click was not answered: {delivery.error}")


async def _shown(asking: list[Callable[[], Awaitable[object]]]) -> tuple[float, float]:
    taken = []
    for ask in asking:
        began = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - began) * 1000)
    return percentile(taken, 0.5), max(taken)
