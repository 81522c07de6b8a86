"""The sweep: finds work that is stuck for no reason, and resumes it."""

from __future__ import annotations

from typing import Final

import structlog

from bot.workflow.context import Context
from bot.workflow.execution.settlement import after_settling

log = structlog.get_logger(__name__)

#: Seconds between two sweeps. Nothing should ever be found, so there is no hurry.
PAUSE: Final = 180.0


class Sweep:
    """Finds states that no transaction of Linesman leaves behind: a fault of ours, or a manual edit of the database."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def heal(self) -> int:
        """Resume all stuck work, and return how much there was; history and log tell of each."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            orphans, unended = await tx.orphans.find(), await tx.orphans.unended()
            for orphan in orphans:
                await tx.tasks.ensure(orphan.task, orphan.subject, now)
                await tx.events.add(orphan.change, "healed", at=now, task=orphan.task.value)
            for each in unended:
                await tx.events.add(each, "healed", at=now, task="verify")
                await after_settling(tx, each, self._context)
        healed = [(orphan.change, orphan.task.value) for orphan in orphans]
        healed += [(change, "verify") for change in unended]
        for change, task in healed:
            log.error("stuck work goes on", change=change, task=task)
            self._context.healed[task] += 1
        if healed:
            self._context.ring()
        return len(healed)

    async def sweep(self) -> float:
        """Heal; return the seconds until the next sweep."""
        await self.heal()
        return PAUSE
