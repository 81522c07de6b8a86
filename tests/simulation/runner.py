"""Playing many worlds, each in a process of its own, which it changes for good."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

import httpx

from bot.store.database import Database
from bot.store.migrations import migrate
from tests.simulation.report import Report
from tests.simulation.script import Order
from tests.simulation.world import World

#: Where the files of worlds are, if there is such a place: nothing of them needs a real disk.
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
#: Seconds of CPU for one world.
LONGEST: Final = 240
#: Files that a world may have open: every life leaves some.
FILES: Final = 4096


@contextmanager
def template() -> Iterator[Path]:
    """Give an empty database of this version, in a folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=MEMORY if MEMORY.is_dir() else None))
    httpx.AsyncClient()  # reads its certificates and imports the rest of it: once here, not once in each world

    async def make() -> None:
        async with Database(f"sqlite+aiosqlite:///{folder / 'template.db'}") as database:
            await migrate(database)

    try:
        asyncio.run(make())
        yield folder / "template.db"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def play(orders: Iterable[Order], *, jobs: int = 1, seconds: float | None = None) -> Iterator[Report]:
    """Play worlds, ``jobs`` at a time, and yield how each went; begin no more after ``seconds``."""
    end = None if seconds is None else time.monotonic() + seconds
    context = multiprocessing.get_context("fork")
    with template() as file, context.Pool(jobs, maxtasksperchild=1) as pool:
        reports = pool.imap_unordered(partial(_play, file, end), _until(end, orders), chunksize=1)
        yield from (report for report in reports if report is not None)


def _until(end: float | None, orders: Iterable[Order]) -> Iterator[Order]:
    for order in orders:
        if end is not None and time.monotonic() >= end:
            return
        yield order


def _play(file: Path, end: float | None, order: Order) -> Report | None:
    """Play one world in this process; none when it is later than ``end``: the pool takes in orders long before."""
    if end is not None and time.monotonic() >= end:
        return None
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most), most))
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    folder = Path(tempfile.mkdtemp(prefix=f"world-{order.seed}-", dir=file.parent))
    out = Path(order.trace).open("w", encoding="utf-8") if order.trace else None  # noqa: SIM115 - until this process ends
    try:
        return World(order, folder, file, out=out).play()
    except BaseException:  # noqa: BLE001 - the world itself broke, and whoever plays it is told
        return Report(seed=order.seed, steps=0, hash="", seconds=0.0, cpu=0.0, faults=[traceback.format_exc()])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        if out is not None:
            out.close()
        shutil.rmtree(folder, ignore_errors=True)


def _too_long(_: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"the world took more than {LONGEST} s of CPU; it is at {frame}")


def cores() -> int:
    """Return how many worlds can be played at a time."""
    return os.cpu_count() or 1
