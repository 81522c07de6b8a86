"""Keeps the bot's process: starts it, kills it when somebody asks for that, and starts it again."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot.sandbox.bot_process import BotProcess

#: Seconds for which it is gone after a kill, so that people see it.
PAUSE: Final = 1.0
#: How it ends when it was asked to: a Ctrl-C on the terminal goes to it as well.
STOPPED: Final = (0, 130, -signal.SIGINT)
#: Lines of its log that are shown when it has ended by itself.
TAIL: Final = 25


class BotKeeper:
    """One process after the other, with the same configuration and database."""

    def __init__(self, configuration: Mapping[str, str], log: Path) -> None:
        self._configuration = configuration
        self._log = log
        self._process: BotProcess | None = None
        self._watching: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        #: How many processes there have been.
        self.starts = 0

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.runs

    @property
    def restarting(self) -> bool:
        """Whether it was killed and is about to be started again."""
        return self._one_at_a_time.locked()

    async def start(self) -> None:
        """Start a process; call it once, and :meth:`restart` after that."""
        process = BotProcess(self._configuration, self._log)
        await process.start()
        self._process, self._watching = process, asyncio.create_task(self._watch(process))
        self.starts += 1

    async def restart(self) -> None:
        """Kill the process at any point, and start another one; requests meanwhile get the same new one."""
        if self._one_at_a_time.locked():
            return
        async with self._one_at_a_time:
            await self.kill()
            await asyncio.sleep(PAUSE)
            await self.start()

    async def kill(self) -> None:
        """End the process at once, and leave it so."""
        process, self._process = self._process, None
        if process is not None and self._watching is not None:
            await process.kill()
            await self._watching

    async def _watch(self, process: BotProcess) -> None:
        """Log why when the process ends by itself: people who change the bot's code want to know."""
        status = await process.ended()
        if process is self._process and status not in STOPPED:
            tail = "\n".join(process.log().splitlines()[-TAIL:])
            sys.stdout.write(f"\nThe bot ended by itself, with exit status {status}. Its log ends with:\n{tail}\n")
            sys.stdout.flush()
