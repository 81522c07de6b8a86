"""The background task for runs: it claims them, renews the claims, and ends in an orderly way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from bot.changes.model.batches import Batch
from bot.changes.model.kinds import Kind
from bot.errors import DatabaseUnavailable
from bot.providers.close.execution import RunExecution
from bot.providers.close.updates import Updates
from bot.providers.runs import Runs
from bot.telemetry import tracing

log = logging.getLogger(__name__)

#: Runs at work at once. They share one pace; a run of one number must not wait for a run of a thousand.
AT_ONCE: Final = 8
#: Seconds between two renewals of the claims. Half the work renews them anyway.
RENEWAL: Final = 5.0
#: Seconds that requests under way have to end before they are cut off. SIGTERM allows ten for everything.
GRACE: Final = 2.5


class Driver:
    """Carries out runs from the first :meth:`wake` until :meth:`close`.

    It sleeps until it is woken: by a new run, by every poll of an open one, and by the end of one of its own. So a run
    that another process left behind is resumed when its job is polled next. ``owner`` is a unique name, under which its
    claims are held.
    """

    def __init__(self, runs: Runs, updates: Updates, kind: Callable[[str], Kind], *, owner: str) -> None:
        self._runs = runs
        self._updates = updates
        self._kind = kind
        self._owner = owner
        self._wakeup = asyncio.Event()
        self._closing = False
        self._loop: asyncio.Task[None] | None = None
        self._carried: dict[asyncio.Task[None], RunExecution] = {}

    def wake(self) -> None:
        """Look for runs that can be claimed."""
        if self._closing:
            return
        self._wakeup.set()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Start nothing more, let requests under way end within the grace period, and give every run back."""
        self._closing = True
        self._wakeup.set()
        for carrying in self._carried.values():
            carrying.leave()
        if self._carried:
            await asyncio.wait(self._carried, timeout=GRACE)
        for carrying in self._carried.values():
            carrying.cut_off()
        if self._loop is not None:
            await self._loop

    async def _run(self) -> None:
        """Claim and carry out runs until closed. Store errors are logged; the next wake-up claims again."""
        while not self._closing:
            self._wakeup.clear()
            try:
                await self._claim()
                if self._carried:
                    await self._runs.renew(self._owner)
            except DatabaseUnavailable:  # the log has it already, and the next wake-up tries again
                pass
            except Exception:
                log.exception("cannot search for runs")
            await self._wait()
        if self._carried:
            await asyncio.wait(self._carried)
        try:
            await self._runs.release(self._owner)
        except DatabaseUnavailable as error:
            log.warning("runs are not released; their claims expire: %s", error.message)
        except Exception:
            log.exception("cannot release runs; their claims expire")

    async def _claim(self) -> None:
        room = AT_ONCE - len(self._carried)
        for id_ in await self._runs.claim(self._owner, room) if room else ():
            try:
                await self._take_up(id_)
            except DatabaseUnavailable:
                raise
            except Exception:  # an unreadable run must not keep the others from being carried out
                log.exception("cannot take up run %s; it is tried again when its claim expires", id_)

    async def _take_up(self, id_: str) -> None:
        """Start carrying out a claimed run, unless this process already does."""
        # After a jump of the clock, our own claims look like a dead owner's, although the run is still at work here.
        held = any(carrying.run == id_ for carrying in self._carried.values())
        run = None if held else await self._runs.read(id_)
        if run is None or self._closing:
            return
        carrying = RunExecution(self._runs, run, self._owner, self._kind(run.kind), self._updates)
        task = asyncio.create_task(self._carry(carrying, Batch.change_of(run.reference), run.trace))
        self._carried[task] = carrying
        task.add_done_callback(self._carried_out)

    async def _carry(self, carrying: RunExecution, change: int | None, trace: str) -> None:
        tracing.begin(change)
        try:
            with tracing.span("run", trace):
                await carrying.carry()
        except DatabaseUnavailable as error:
            log.warning("a run was interrupted; it resumes when its claim expires: %s", error.message)
        except Exception:
            log.exception("a run was interrupted; it resumes when its claim expires")

    def _carried_out(self, task: asyncio.Task[None]) -> None:
        del self._carried[task]
        self._wakeup.set()

    async def _wait(self) -> None:
        """Wait to be woken; while runs are at work, no longer than their claims may go without renewal."""
        try:
            async with asyncio.timeout(RENEWAL if self._carried else None):
                await self._wakeup.wait()
        except TimeoutError:
            return
