"""What goes wrong with replicas, at random, for a while."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from tests.acceptance.process_pool import PooledProcess
from tests.acceptance.replicas.proxy import Proxy, Way

#: Seconds for which things go wrong, and between two of them.
LASTS: Final = (3.0, 9.0)
PAUSE: Final = (0.2, 2.0)
#: Seconds for which a replica is stopped or cut off; the longest is longer than its claims last.
FOR: Final = (0.3, 1.0, 3.0, 18.0)

_KINDS: Final = ("kill", "kill", "terminate", "stop", "stop", "cut", "silence")


class Replica:
    """One process, its way to the database, and whether anybody starts it again."""

    def __init__(self, name: str, process: PooledProcess, proxy: Proxy) -> None:
        self.name = name
        self.process = process
        self.proxy = proxy
        self.ready = asyncio.Event()
        #: When each of its processes was killed, by process id.
        self.killed: dict[int, datetime] = {}

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

    def kill(self) -> None:
        """Kill the process, and write down when; one that is dead already was killed before."""
        if self.process.pid is not None:
            self.killed.setdefault(self.process.pid, datetime.now(UTC))
        self.send(signal.SIGKILL)


class Weather:
    """Does something to one of ``replicas`` every now and then, and tells ``note`` what."""

    def __init__(self, replicas: Sequence[Replica], chance: random.Random, note: Callable[[str], None]) -> None:
        self._replicas = replicas
        self._chance = chance
        self._note = note

    async def rage(self) -> None:
        """Let things go wrong for a while, each to its end; then all is well again."""
        async with asyncio.TaskGroup() as group:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._chance.uniform(*LASTS)):
                    while True:
                        await asyncio.sleep(self._chance.uniform(*PAUSE))
                        group.create_task(self._strike())
        for replica in self._replicas:
            replica.send(signal.SIGCONT)
            replica.proxy.become(Way.OPEN)
        self._note("the weather has cleared up")

    async def _strike(self) -> None:
        replica, what, seconds = (self._chance.choice(each) for each in (self._replicas, _KINDS, FOR))
        self._note(f"{what} replica {replica.name}, {seconds} s")
        match what:
            case "kill":
                replica.kill()
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
