"""Looking at what waits again, once the clock was set back."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from bot.errors import DatabaseUnavailable
from bot.workflow.context import Context
from bot.workflow.loops.clock_steps import TOLERATED, ClockSteps

log = structlog.get_logger(__name__)


class ClockWatch:
    """Looks at the clock every ``pause`` seconds."""

    def __init__(self, context: Context, *, pause: float) -> None:
        self._context = context
        self._pause = pause

    async def run(self) -> None:
        """Look at everything again that waits, once the clock was set back: its time would come late by as much.

        A step ahead makes work due early, which asks in vain and waits on, and claims seem to have run out, which
        :mod:`bot.workflow.loops.claimed_tasks` sees to. A step back while no process was there to see it shows in
        moments that were written down and are still to come.
        """
        steps = ClockSteps(self._context.clock, self._context.steady)
        behind, begun = False, False
        while True:
            try:
                if not begun:
                    behind, begun = await self._was_set_back(), True
                behind = steps.measure() < timedelta(0) or behind
                if behind:
                    async with self._context.database.transaction() as tx:
                        timing = self._context.timing
                        await tx.waiting.check_again(self._context.clock(), max(timing.lease, timing.under_way))
            except DatabaseUnavailable:  # it is in the log already; as below
                pass
            except Exception:  # whatever else it is must not end the watch: it is tried again until it is done
                log.exception("cannot reschedule after the clock was set")
            else:
                if behind:
                    self._context.ring()
                behind = False
            await asyncio.sleep(self._pause)

    async def _was_set_back(self) -> bool:
        """Tell whether something happened, by its own word, later than it is now."""
        async with self._context.database.reading() as tx:
            latest = await tx.waiting.latest()
        ahead = latest - self._context.clock() if latest is not None else timedelta(0)
        if ahead > TOLERATED:
            log.warning("the clock was set back while Linesman was stopped", seconds=round(ahead.total_seconds()))
        return ahead > TOLERATED
