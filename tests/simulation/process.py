"""The bot as a process: started, killed wherever it is, and started again from what was durable."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from bot.config import load
from bot.wiring import Running, running
from tests.simulation.lives import LIFE, Life

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Seconds until whatever runs it starts it again.
PAUSE: Final = 2.0


class Process:
    """The process of one world, from one life to the next."""

    def __init__(self, world: World, env: dict[str, str]) -> None:
        self._world = world
        self._env = env
        self.life = Life(0)
        #: Set while it takes clicks.
        self.up = asyncio.Event()
        self._ended = asyncio.Event()
        self._stop = asyncio.Event()
        self.running: Running | None = None

    async def keep(self) -> None:
        """Start it, and start it again whenever it has ended."""
        world = self._world
        while True:
            context = contextvars.copy_context()
            context.run(LIFE.set, self.life)
            self._ended, self._stop = asyncio.Event(), asyncio.Event()
            world.trace.add(f"life {self.life.number} begins")
            task = asyncio.get_running_loop().create_task(self._live(), context=context)
            await self._ended.wait()
            self.up.clear()
            self.running = None
            world.slack.deliver_http("http://127.0.0.1:1/")
            if not self.life.over:
                await asyncio.wait({task})
                error = None if task.cancelled() else task.exception()
                world.trace.add(f"the process ended: {error!r}")
            await asyncio.sleep(PAUSE * (0.5 + world.random.random()))
            self.life = Life(self.life.number + 1)
            world.disk.leave(self.life.number)

    async def _live(self) -> None:
        settings = load({**self._env, "DATABASE_URL": f"sqlite+aiosqlite:///{self._world.disk.path}"})
        name = f"bot-{self.life.number}"
        try:
            async with running(settings, replica=name, machine=self._world.nature.machine()) as bot:
                self.running = bot
                self._world.slack.deliver_http(f"http://127.0.0.1:{bot.port}/slack/events")
                self.up.set()
                stopping = asyncio.create_task(self._stop.wait())
                await asyncio.wait({stopping, bot.working}, return_when=asyncio.FIRST_COMPLETED)
                stopping.cancel()
                bot.retire()
        finally:
            self._ended.set()

    def kill(self, why: str) -> None:
        """End it at this very moment."""
        if self.life.over:
            return
        world = self._world
        world.trace.add(f"life {self.life.number} is killed {why}")
        world.modals.killed()
        world.nature.loop.bury(self.life)
        self._ended.set()

    def stop(self) -> None:
        """Ask it to stop, as SIGTERM does."""
        self._world.trace.add(f"life {self.life.number} is asked to stop")
        self._stop.set()

    async def close(self) -> None:
        """Stop it for good."""
        self._stop.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(30):
                await self._ended.wait()
