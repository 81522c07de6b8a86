"""A stand-in for Telnyx as a process of its own, and what it saw of a run."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, Self

from bot.sandbox.telnyx import RateLimit, TelnyxStandIn

API_KEY: Final = "KEY0benchmark0001"
FIRST: Final = 5_000_000
#: The value that a run gives to the setting ``customer_reference`` of every number.
WANTED: Final = "benchmark"
_ID: Final = re.compile(r"/(?:\d{6,}|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How the stand-in behaves: seconds, calls, and a share of 1."""

    numbers: int
    latency: float = 0.02
    #: What a job takes, and what each of its numbers adds.
    job_seconds: float = 2.0
    number_seconds: float = 0.01
    #: Calls in a window of five seconds; 0 for no limit.
    limit: int = 0
    #: Share of the calls that go wrong: dropped after their effect, answered with 500 before or after it.
    faults: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What became of a run, as the carrier knows it. Moments are seconds since the epoch, None where there was none."""

    calls: dict[str, int]
    refused: int
    first_job: float | None
    last_job: float | None
    last_job_over: float | None
    last_read: float | None
    #: Numbers that have the wanted value, and jobs for numbers that an earlier job had already given it.
    changed: int
    doubled: int
    #: Seconds of CPU, and share of one core while the run lasted.
    cpu: float
    cpu_share: float


def numbers(count: int) -> list[str]:
    """Return the numbers that a stand-in has."""
    return [f"+1303{FIRST + index}" for index in range(count)]


class Carrier:
    """Serves from a process of its own while the block lasts."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._pipe, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(terms, there), daemon=True)
        self.url = ""

    async def __aenter__(self) -> Self:
        self._process.start()
        self.url = await asyncio.to_thread(self._pipe.recv)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        await asyncio.to_thread(self._process.join)

    async def ids(self) -> list[str]:
        """Return the ids of its numbers, in order."""
        self._pipe.send("ids")
        ids: list[str] = await asyncio.to_thread(self._pipe.recv)
        return ids

    async def addresses(self, count: int) -> list[str]:
        """Give it so many addresses and return their ids."""
        self._pipe.send(count)
        ids: list[str] = await asyncio.to_thread(self._pipe.recv)
        return ids

    async def begin(self) -> None:
        """Count from now on."""
        self._pipe.send("begin")
        await asyncio.to_thread(self._pipe.recv)

    async def seen(self) -> Seen:
        """Return what was seen since :meth:`begin`."""
        self._pipe.send("seen")
        return Seen(**await asyncio.to_thread(self._pipe.recv))


def _serve(terms: Terms, pipe: Connection) -> None:
    asyncio.run(_served(terms, pipe))


async def _served(terms: Terms, pipe: Connection) -> None:
    seconds = terms.job_seconds + terms.number_seconds * min(terms.numbers, 1000)
    async with TelnyxStandIn(api_key=API_KEY, job_seconds=seconds) as telnyx:
        telnyx.add_numbers(terms.numbers, start=numbers(1)[0], tags=["benchmark"])
        if terms.limit:
            telnyx.rate_limit = RateLimit(limit=terms.limit, window=5.0)
        _order(telnyx, terms)
        began, busy, first = time.time(), time.process_time(), len(telnyx.calls)
        pipe.send(telnyx.url)
        while True:
            asked = await asyncio.to_thread(pipe.recv)
            if asked == "ids":
                pipe.send([number.id for number in telnyx.numbers.values()])
            elif isinstance(asked, int):
                pipe.send([telnyx.add_address(f"{number} Main St").id for number in range(1, asked + 1)])
            elif asked == "begin":
                began, busy, first = time.time(), time.process_time(), len(telnyx.calls)
                pipe.send("begun")
            else:
                used = time.process_time() - busy
                pipe.send(asdict(_seen(telnyx, first, used, used / (time.time() - began))))


def _order(telnyx: TelnyxStandIn, terms: Terms) -> None:
    """Let one call of ``1 / faults`` go wrong, each in another way than the last, and all take their time."""
    every = round(1 / terms.faults) if terms.faults else 0
    for place in range(1000 if every else 0):
        way = place % 3
        # Each counts the calls that those before it have let pass.
        telnyx.faults.add(
            kind="drop_after" if way == 0 else "status",
            after=(place + 1) * (every - 1),
            effect_first=way < 2,
            seconds=terms.latency,
        )
    telnyx.faults.add(kind="delay", seconds=terms.latency, times=None)


def _seen(telnyx: TelnyxStandIn, first: int, cpu: float, share: float) -> Seen:
    telnyx.catch_up()
    calls = telnyx.calls[first:]
    posts = [call for call in calls if call.method == "POST" and "/jobs" in call.path]
    made = [call.at for call in posts if call.status is not None and call.status < 300]
    over = [job.updated_at for job in telnyx.jobs if job.finished]
    read = [call.at for call in calls if call.method == "GET" and "/jobs" not in call.path]
    named = Counter(key for job in telnyx.jobs for key in job.keys)
    return Seen(
        calls=dict(Counter(f"{call.method} {_ID.sub('/{id}', call.path)}" for call in calls)),
        refused=sum(call.status == 429 for call in calls),
        first_job=_epoch(min(made, default=None)),
        last_job=_epoch(max(made, default=None)),
        last_job_over=_epoch(max(over, default=None)),
        last_read=_epoch(max(read, default=None)),
        changed=sum(number.customer_reference == WANTED for number in telnyx.numbers.values()),
        doubled=sum(times - 1 for times in named.values()),
        cpu=cpu,
        cpu_share=share,
    )


def _epoch(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
