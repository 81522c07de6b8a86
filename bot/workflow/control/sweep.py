"""The sweep: whatever is stuck although nothing keeps it is found, and goes on."""

from __future__ import annotations

from typing import Final

import structlog

from bot.workflow.context import Context
from bot.workflow.execution.settlement import after_settling

log = structlog.get_logger(__name__)

#: Seconds between two sweeps. Nothing should ever be found, so it need not be found at once.
PAUSE: Final = 180.0


class Sweep:
    """Finds what no transaction of Linesman leaves behind: a fault of ours, or somebody's hand in the database."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def heal(self) -> int:
        """Let everything go on that is stuck, and return how much that was; each is told in the history and the log."""
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
