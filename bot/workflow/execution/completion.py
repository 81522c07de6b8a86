"""Concluding a change whose jobs are all over and whose numbers have been read back."""

from __future__ import annotations

from typing import Any

from bot.changes.model.lifecycle import ChangeState
from bot.changes.outcome.outcomes import outcome
from bot.errors import Superseded
from bot.store.queue.tasks import Claim, Task, handles
from bot.workflow.context import Context
from bot.workflow.execution.canary import Canary
from bot.workflow.notifications import Notifications


class Completion:
    """Establishes how changes ended and tells everybody."""

    def __init__(self, context: Context, notifications: Notifications, canary: Canary) -> None:
        self._context = context
        self._notify = notifications
        self._canary = canary

    @handles(Task.FINISH)
    async def finish(self, claim: Claim) -> None:
        """Carry out the task: count the outcomes, close the change, put the results where people look for them.

        After a canary the rest follows instead, or somebody is asked.
        """
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            tally = await tx.operations.tally(claim.subject)
            change = await tx.changes.hold(claim.subject)
            if await self._canary.concluded(tx, change, tally):
                self._context.ring()
                return
            summary = change.summary
            ended = outcome(tally, summary.unchanged if summary else 0)
            try:
                await tx.changes.move(claim.subject, ChangeState.FINISHED, outcome=ended, finished_at=now)
            except Superseded:
                return
            counts: dict[str, Any] = {
                "verified": tally.verified,
                "differs": tally.differs,
                "unverified": tally.unread + tally.unverified,
                "failed": tally.failed,
                "not_attempted": tally.not_attempted,
            }
            await tx.events.add(claim.subject, "finished", at=now, details={"outcome": ended.value, **counts})
            await self._notify.cards(tx, claim.subject)
            await self._notify.line(tx, claim.subject, "finished", **counts)
            await self._notify.results(tx, claim.subject)
            if tally.failed or tally.differs or counts["unverified"]:
                await self._notify.failure(tx, claim.subject, "failed", **counts)
        self._context.ring()
        self._context.operations_ended.update({(change.kind, name): count for name, count in counts.items()})
