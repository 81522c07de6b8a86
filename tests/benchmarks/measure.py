"""What is measured of one run, and how a process is asked for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from tests.benchmarks.carrier import Seen, Terms


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of Linesman or of a peer. Seconds, MiB."""

    who: str
    terms: Terms
    #: From the approval, or the start of a script, to its last word.
    seconds: float
    cpu: float
    memory: float
    seen: Seen
    #: What it said itself of the numbers: how many it takes for changed, None where it says nothing.
    claimed: int | None
    #: Phase -> seconds since the approval at which it was over; only Linesman has these.
    phases: dict[str, float] = field(default_factory=dict)
    #: Seconds of CPU that the plan took, and milliseconds that one step held everything else up at most.
    plan_cpu: float = 0.0
    held: float = 0.0

    @property
    def calls(self) -> int:
        """Calls to the carrier."""
        return sum(self.seen.calls.values())

    @property
    def wrong(self) -> int:
        """Numbers of which it says something else than is true."""
        return 0 if self.claimed is None else abs(self.claimed - self.seen.changed)


class Watchdog:
    """Asks a process all the time whether it lives: what takes longer than the rest is how long it did not listen.

    On a machine with other work it also waits for its turn, so the least of several runs is the better measure.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._asking: asyncio.Task[None] | None = None
        #: Milliseconds.
        self.longest = 0.0

    async def __aenter__(self) -> Self:
        self._asking = asyncio.create_task(self._ask())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking

    async def _ask(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                began = time.perf_counter()
                async with session.get(f"{self._address}/healthz"):
                    self.longest = max(self.longest, (time.perf_counter() - began) * 1000)
                await asyncio.sleep(0.02)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of ``values`` lie."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100  # in ticks, of which Linux has 100 a second


def memory_of(pid: int | str = "self") -> float:
    """Return the most memory that a process had at once, in MiB (``VmHWM``, which Linux keeps)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
