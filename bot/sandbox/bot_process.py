"""The real bot, as a process of its own: started, watched, stopped as an operator would, and never left behind."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

#: Seconds that the bot has for stopping.
STOPS_WITHIN: Final = 10.0
#: What a process needs from its surroundings to start at all; everything else is given explicitly, so that no
#: variable of the person who watches can change what happens.
_SURROUNDINGS: Final = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT", "TMPDIR")
#: Where the package lies. As the working directory it comes first on the module path, so that the process runs this
#: code, and not a package of the same name in whatever folder it was started from.
_HOME: Final = Path(__file__).parents[2]


class BotEndedError(Exception):
    """The bot stopped on its own."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How the bot stopped."""

    #: Exit status; negative for the signal that killed it.
    status: int
    #: Seconds from SIGTERM to the end.
    seconds: float


class BotProcess:
    """``linesman serve`` with a given configuration; an asynchronous context manager."""

    def __init__(self, configuration: Mapping[str, str], log: Path) -> None:
        self._configuration = configuration
        self._log = log
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def start(self) -> None:
        """Start it without a context: then the caller must see to its end."""
        surroundings = {name: os.environ[name] for name in _SURROUNDINGS if name in os.environ}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bot.sandbox.leash", "serve"),
                cwd=_HOME,
                env={**surroundings, **self._configuration},
                stdin=asyncio.subprocess.PIPE,  # held open, so that it ends when this process is killed
                stdout=log,
                stderr=log,
            )

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._running().returncode is None

    def check(self) -> None:
        """Raise BotEndedError when the bot is no longer running."""
        status = self._running().returncode
        if status is not None:
            raise BotEndedError(f"the bot stopped on its own, with exit status {status}")

    async def stop(self) -> Ending:
        """Send SIGTERM, wait for the end, and kill what does not end in time."""
        process, began = self._running(), time.monotonic()
        try:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOPS_WITHIN):
                    await process.wait()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
        return Ending(status=await process.wait(), seconds=time.monotonic() - began)

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        process = self._running()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()

    async def ended(self) -> int:
        """Wait until it has ended, however that comes, and return its exit status."""
        return await self._running().wait()

    def log(self) -> str:
        """Return everything that the bot has written."""
        return self._log.read_text(errors="replace")

    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError("the bot is started by entering its context")
        return self._process
