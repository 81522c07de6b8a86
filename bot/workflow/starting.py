"""Beginning an approved change."""

from __future__ import annotations

import asyncio

from bot.changes.lifecycle import ChangeState
from bot.changes.plans import PlannedBatch, PlannedNumber, digest
from bot.changes.records import Change
from bot.store.transaction import Transaction
from bot.store.work import Claim, Task
from bot.workflow.announcements import Announcements
from bot.workflow.context import Context


class Starting:
    """Starts changes whose stored plan is the one that was approved."""

    def __init__(self, context: Context, announcements: Announcements) -> None:
        self._context = context
        self._say = announcements

    async def start(self, claim: Claim) -> None:
        """Carry out the task: begin an approved change, if what is stored is exactly what was approved."""
        stored = await self._stored_digest(claim.subject)
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.APPROVED:
                return
            decided = {decision.digest for decision in await tx.decisions.of(change.id)}
            if decided != {change.digest} or stored != change.digest:
                await self._refuse_start(tx, change)
            else:
                await tx.changes.move(change.id, ChangeState.RUNNING, started_at=now)
                batches = await tx.batches.of(change.id)
                await tx.work.add_many(Task.SUBMIT, [batch.id for batch in batches], now)
                await tx.events.add(change.id, "started", at=now, digest=change.digest, batches=len(batches))
            await self._say.cards(tx, change.id)
        self._context.ring()

    async def _stored_digest(self, change_id: int) -> str:
        """Return the digest of the plan as it lies in the database now."""
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
            batches = [
                PlannedBatch(position=batch.position, values=batch.values, size=batch.size)
                for batch in await tx.batches.of(change_id)
            ]
            numbers = [
                PlannedNumber(id=o.number_id, e164=o.e164, before=o.before, after=o.after, batch=o.batch)
                async for o in tx.operations.stream(change_id)
            ]
        return await asyncio.to_thread(digest, change.kind, numbers, batches)

    async def _refuse_start(self, tx: Transaction, change: Change) -> None:
        problem = "The stored plan is not the one that was approved, so nothing was sent. Ask for the change again."
        now = self._context.clock()
        await tx.changes.move(change.id, ChangeState.CANCELLED, problem=problem, finished_at=now)
        await tx.events.add(change.id, "digest_mismatch", at=now, digest=change.digest)
        await self._say.line(tx, change.id, "cancelled")
        await self._say.failure(tx, change.id, "digest_mismatch")
