"""Concluding a change whose jobs are all over and whose numbers have been read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.changes.model.batches import Tally
from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.outcome.outcomes import outcome
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.execution.ending import ChangeEnd
from bot.workflow.execution.rollout import RolloutControl
from bot.workflow.notifications import Notifications


class Completion:
    """Determines how changes ended and tells everybody."""

    def __init__(
        self, context: Context, notifications: Notifications, rollout: RolloutControl, change_end: ChangeEnd
    ) -> None:
        self._context = context
        self._change_end = change_end
        self._notify = notifications
        self._rollout = rollout

    @handles(Task.FINISH)
    async def finish(self, claim: Claim) -> None:
        """Carry out the task: count the outcomes, close the change, put the results where people look for them.

        After a wave, the next wave follows instead, or somebody is asked. A temporary change that has changed something
        goes into effect.
        """
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            tally = await tx.tallies.of(claim.subject)
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.VERIFYING:
                return
            if await self._rollout.concluded(tx, change):
                self._context.ring()
                return
            counts = tally.counts
            if not await self._change_end.awaited(tx, change, counts):
                await self._finish(tx, change, tally, counts)
        self._context.ring()
        self._context.operations_ended.update({(change.kind, name): count for name, count in counts.items()})

    async def _finish(self, tx: Transaction, change: Change, tally: Tally, counts: Mapping[str, Any]) -> None:
        ended = outcome(tally, change.summary.unchanged if change.summary else 0)
        now = self._context.clock()
        await tx.changes.move(change.id, ChangeState.FINISHED, outcome=ended, finished_at=now)
        await tx.events.add(change.id, "finished", at=now, details={"outcome": ended.value, **counts})
        await self._notify.cards(tx, change.id)
        if change.part_of is not None:
            return  # the temporary change is concluded now, and reports it
        await self._notify.line(tx, change.id, "finished", **counts)
        await self._notify.results(tx, change.id)
        if tally.failed or tally.differs or counts["unverified"]:
            await self._notify.failure(tx, change.id, "failed", **counts)
