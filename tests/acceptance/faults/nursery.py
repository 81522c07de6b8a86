"""Processes of Linesman that start in a moment, because they are forked: see :mod:`tests.acceptance.faults.cradle`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.acceptance.process import HERE, Serving, environment

#: Ports below those that the system hands out by itself, so that nobody is given one between two lives of its owner.
_PORTS: Final = itertools.cycle(range(20_000, 30_000))


class Child:
    """A forked process, with the part of asyncio's Process that :class:`Serving` uses."""

    def __init__(self, pid: int, ended: asyncio.Future[int]) -> None:
        self.pid = pid
        self._ended = ended

    @property
    def returncode(self) -> int | None:
        """The status, or None while it lives."""
        return self._ended.result() if self._ended.done() else None

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for the end and return the status."""
        return await asyncio.shield(self._ended)


class Nursery:
    """Starts processes; an asynchronous context manager."""

    def __init__(self) -> None:
        self._cradle: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)
        self._pids: dict[int, asyncio.Future[int]] = {}
        self._ends: dict[int, asyncio.Future[int]] = {}

    async def __aenter__(self) -> Self:
        self._cradle = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.acceptance.faults.cradle"),
            cwd=HERE,
            env=environment({}),
            stdin=PIPE,
            stdout=PIPE,
        )
        self._reading = asyncio.create_task(self._read(self._cradle))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._cradle is None or self._reading is None or self._cradle.stdin is None:
            return
        self._cradle.stdin.close()
        await self._cradle.wait()
        await self._reading

    async def bear(self, env: Mapping[str, str], log: Path) -> Child:
        """Start ``python -m bot serve`` in this environment, writing to this log."""
        if self._cradle is None or self._cradle.stdin is None:
            raise RuntimeError("the nursery is not open")
        number = next(self._ids)
        loop = asyncio.get_running_loop()
        born, self._ends[number] = self._pids.setdefault(number, loop.create_future()), loop.create_future()
        request = {"id": number, "env": dict(env), "log": str(log)}
        self._cradle.stdin.write(json.dumps(request).encode() + b"\n")
        return Child(await born, self._ends[number])

    async def _read(self, cradle: Process) -> None:
        while cradle.stdout is not None and (line := await cradle.stdout.readline()):
            told = json.loads(line)
            if "pid" in told:
                self._pids.pop(told["id"]).set_result(told["pid"])
            else:
                self._ends.pop(told["id"]).set_result(told["status"])


class Born(Serving):
    """Linesman as a process of the nursery."""

    def __init__(self, nursery: Nursery, env: Mapping[str, str], log: Path) -> None:
        super().__init__(env, log)
        self._nursery = nursery

    async def _spawn(self) -> Child:
        return await self._nursery.bear(environment(self.env), self.log)


def free_port() -> int:
    """Return a loopback port that nobody listens on, and that nobody is given unasked."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
