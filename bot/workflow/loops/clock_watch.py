"""Rescheduling waiting work after the clock was set."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from bot.errors import DatabaseUnavailable
from bot.workflow.context import Context
from bot.workflow.loops.clock_steps import TOLERATED, ClockSteps

log = structlog.get_logger(__name__)

_DOING: Final = "reschedule work after the clock was set"


class ClockWatch:
    """Checks the clock every ``pause`` seconds, and whenever it is asked to."""

    def __init__(self, context: Context, *, pause: float) -> None:
        self._context = context
        self._pause = pause
        #: None until the first check.
        self._steps: ClockSteps | None = None
        self._looking = asyncio.Lock()
        #: Whether the clock was set back, or ahead, and the database does not know of it yet.
        self._back = self._ahead = False

    async def run(self) -> None:
        """Look again and again."""
        while True:
            try:
                await self.look()
                self._context.health.went_well(_DOING)
            except DatabaseUnavailable:  # the log has it already; as below
                pass
            except Exception as error:  # no other error may end the watch: it is tried again until it is done
                log.exception("cannot reschedule after the clock was set")
                self._context.health.failed(_DOING, error)
            await asyncio.sleep(self._pause)

    async def look(self) -> None:
        """Reschedule all waiting work if the clock was set.

        A worker that claims work checks first, and takes the time by which work is due at the same moment. Nothing that
        takes time may come in between, as the clock could be set meanwhile.

        After a step back, work would be late by as much. After a step ahead, work comes early: it finds nothing to do
        and waits on, and claims seem to have run out, which :mod:`bot.workflow.loops.claimed_tasks` handles; but a
        message that Slack may be posting would not get its time. A step back while no process ran shows in recorded
        times that are still to come. Raises :class:`bot.errors.DatabaseUnavailable`.
        """
        async with self._looking:
            if self._steps is None:
                steps = ClockSteps(self._context.clock, self._context.steady)
                self._back, self._steps = await self._was_set_back(), steps
            while self._is_set(self._steps.measure()):
                timing = self._context.timing
                async with self._context.database.transaction() as tx:
                    if self._back:
                        await tx.waiting.check_again(self._context.clock(), max(timing.lease, timing.under_way))
                    await tx.waiting.wait_anew()
                if self._back:
                    self._context.ring()
                self._back = self._ahead = False

    def _is_set(self, step: timedelta) -> bool:
        """Note a step of the clock; tell whether there is one that the database does not know of yet."""
        self._back |= step < timedelta(0)
        self._ahead |= step > timedelta(0)
        return self._back or self._ahead

    async def _was_set_back(self) -> bool:
        """Tell whether an event was recorded later than now."""
        async with self._context.database.reading() as tx:
            latest = await tx.waiting.latest()
        ahead = latest - self._context.clock() if latest is not None else timedelta(0)
        if ahead > TOLERATED:
            log.warning("the clock was set back while Linesman was stopped", seconds=round(ahead.total_seconds()))
        return ahead > TOLERATED
