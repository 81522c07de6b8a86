"""Linesman as a process of its own: started, struck down, waited for."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

import bot

#: Where the package under test lies.
HERE: Final = Path(bot.__file__).parent.parent
#: Seconds for a process to be ready, or a command to end. A machine with other work takes its time over imports.
PATIENCE: Final = 30.0
#: Seconds in which SIGTERM must have ended the process: Docker kills what has not ended by then.
STOPS_WITHIN: Final = 10.0


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return ``variables`` and the two that any process needs; nothing else is inherited."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | dict(variables)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What a command that ended by itself left behind."""

    status: int | None
    out: str
    err: str


async def linesman(*arguments: str, env: Mapping[str, str] | None = None) -> Ended:
    """Run ``python -m bot`` with ``arguments`` to its end."""
    command = (sys.executable, "-m", "bot", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=HERE, env=environment(env or {}), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(status=process.returncode, out=out.decode(), err=err.decode())


class Serving:
    """``linesman serve``, which can be struck down and started again in the same environment.

    All its lives write into one log file. ``module`` is what Python runs, with its arguments.
    """

    def __init__(self, env: Mapping[str, str], log: Path, module: Sequence[str] = ("bot", "serve")) -> None:
        self.env = dict(env)
        self.log = log
        self._module = tuple(module)
        #: How often it was started.
        self.lives = 0
        #: Whether the present life has been sent a signal.
        self.struck = False
        self._process: Process | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def pid(self) -> int | None:
        """The id of the present process, or of the last; None before the first."""
        return self._process.pid if self._process is not None else None

    @property
    def address(self) -> str:
        """The base address of its HTTP server."""
        return f"http://127.0.0.1:{self.env['PORT']}"

    async def launch(self) -> None:
        """Start the process without waiting for anything."""
        self._process = await self._spawn()
        self.lives += 1
        self.struck = False

    async def _spawn(self) -> Process:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *self._module),
                cwd=HERE,
                env=environment(self.env),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def start(self) -> None:
        """Start the process and wait until it says that it is ready."""
        before = self.said("ready")
        await self.launch()
        await self.until_said("ready", times=before + 1)

    async def until_said(self, event: str, *, times: int = 1) -> None:
        """Wait until the log has an entry ``times`` times; raises RuntimeError when the process ended instead."""
        async with asyncio.timeout(PATIENCE):
            while self.said(event) < times:
                if self._process is None or self._process.returncode is not None:
                    raise RuntimeError(f"linesman ended before it said {event!r}")
                await asyncio.sleep(0.01)

    def said(self, event: str) -> int:
        """Return how many entries the log has of this event, over all lives."""
        return self.written().count(f'"event": "{event}"')

    def written(self) -> str:
        """Return the whole log."""
        return self.log.read_text() if self.log.exists() else ""

    def strike(self, number: signal.Signals) -> None:
        """Send a signal to the process; the first one counts, and one that is gone is left alone."""
        if not self.struck and self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
        self.struck = True

    async def gone(self, within: float | None = STOPS_WITHIN) -> int:
        """Wait until the process has ended and return its status; the negative number of the signal that killed it.

        Raises TimeoutError when it is still there after ``within`` seconds; None waits for ever.
        """
        if self._process is None:
            raise RuntimeError("linesman was never started")
        async with asyncio.timeout(within):
            return await self._process.wait()

    async def read(self, path: str) -> tuple[int, str]:
        """Return status and text of a page of its HTTP server."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        async with self._session.get(f"{self.address}{path}") as answer:
            return answer.status, await answer.text()

    async def close(self) -> None:
        """Make sure that nothing is left running."""
        if self._session is not None:
            await self._session.close()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
