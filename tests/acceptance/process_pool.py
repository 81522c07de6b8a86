"""Processes of Linesman that start in a moment, because they are forked: see :mod:`tests.acceptance.fork_server`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.acceptance.process import HERE, PATIENCE, Serving, environment


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


@contextmanager
def fork_server() -> Iterator[Path]:
    """Run the program that processes are forked from, and give the path of its socket."""
    with tempfile.TemporaryDirectory(prefix="fork-server-") as folder:
        path = Path(folder) / "socket"
        command = (sys.executable, "-m", "tests.acceptance.fork_server", str(path))
        program = subprocess.Popen(command, cwd=HERE, env=environment({}))  # noqa: S603 - it is our own
        try:
            yield path
        finally:
            program.terminate()
            program.wait()


class ProcessPool:
    """Starts processes; an asynchronous context manager, at whose end none of them is left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ids = itertools.count(1)
        self._pids: dict[int, asyncio.Future[int]] = {}
        self._ends: dict[int, asyncio.Future[int]] = {}

    async def __aenter__(self) -> Self:
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):  # it is still importing
                    reader, self._writer = await asyncio.open_unix_connection(self._path)
                    break
                await asyncio.sleep(0.02)
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None or self._reading is None:
            return
        self._writer.write_eof()
        await self._reading
        self._writer.close()
        await self._writer.wait_closed()

    async def start(self, env: Mapping[str, str], log: Path) -> Child:
        """Start ``python -m bot serve`` in this environment, writing to this log."""
        if self._writer is None:
            raise RuntimeError("the pool is not open")
        number = next(self._ids)
        loop = asyncio.get_running_loop()
        started, self._ends[number] = self._pids.setdefault(number, loop.create_future()), loop.create_future()
        request = {"id": number, "env": dict(env), "log": str(log)}
        self._writer.write(json.dumps(request).encode() + b"\n")
        return Child(await started, self._ends[number])

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            told = json.loads(line)
            if "pid" in told:
                self._pids.pop(told["id"]).set_result(told["pid"])
            else:
                self._ends.pop(told["id"]).set_result(told["status"])


class PooledProcess(Serving):
    """Linesman as a process of the pool."""

    def __init__(self, pool: ProcessPool, env: Mapping[str, str], log: Path) -> None:
        super().__init__(env, log)
        self._pool = pool

    async def _spawn(self) -> Child:
        return await self._pool.start(environment(self.env), self.log)
