"""Keeping finished changes for as long as the retention says, and their summaries for ever."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.changes.audit.events import PRUNED, ChainCheck, Event
from bot.changes.model.change import Change
from bot.changes.model.draft import Draft
from bot.errors import AuditLogBroken, Superseded
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.context import Context

log = structlog.get_logger(__name__)

#: The one subject of the task, which finds due changes by itself.
EVERYTHING: Final = 0
#: Pause between two runs.
PAUSE: Final = timedelta(days=1)


class Retention:
    """Prunes one portion per task, so that neither the loop nor the write turn is held for long."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def schedule(self) -> None:
        """Make the task due if there is a retention, and remove it otherwise."""
        async with self._context.database.transaction() as tx:
            if self._context.retention is None:
                await tx.tasks.remove(Task.PRUNE, [EVERYTHING])
            else:
                await tx.tasks.ensure(Task.PRUNE, EVERYTHING, self._context.clock())

    @handles(Task.PRUNE)
    async def prune(self, claim: Claim) -> None:
        """Carry out the task: prune one portion, first changes, then the events that only they needed."""
        retention, now = self._context.retention, self._context.clock()
        async with self._context.database.transaction() as tx:
            if retention is None:
                await tx.tasks.done(claim)
                return
            before = now - retention
            change = await tx.pruning.next_change(before)
            if change is not None:
                await self._prune_change(tx, await tx.changes.hold(change), now)
                more = True
            else:
                more = await self._prune_events(tx, before, now)
                await tx.sent_secrets.forget(before)
                await tx.delegations.forget(before)
                await tx.value_exports.forget(before)
            await tx.tasks.again(claim, now if more else now + PAUSE)
        if more:
            self._context.task_wakeup.ring()

    async def _prune_change(self, tx: Transaction, change: Change, now: datetime) -> None:
        """Reduce the change to its summary, then remove its rows; the last portion marks it as pruned."""
        if change.kept is None:
            tally = await tx.tallies.of(change.id)
            draft = Draft(kind=change.kind, reason=change.draft.reason, base=change.draft.base)
            await tx.changes.put(change.id, kept=tally, draft=draft, unusable=[], foreign_columns=[])
            if change.summary is not None:
                summary = replace(change.summary, sample=(), conditions=(), locked=())
                await tx.changes.put(change.id, summary=summary)
            counts = {"numbers": tally.total, "succeeded": tally.succeeded, "failed": tally.failed}
            outcome = change.outcome.value if change.outcome else change.state.value
            details: dict[str, str | int | None] = {"outcome": outcome, **counts}
            await tx.events.add(change.id, "pruned", at=now, digest=change.digest, details=details)
        if await tx.pruning.remove_rows(change.id):
            await tx.changes.put(change.id, pruned_at=now)

    async def _prune_events(self, tx: Transaction, before: datetime, now: datetime) -> bool:
        """Remove the oldest events; write down how many they were and where the chain continues."""
        going = await tx.pruning.oldest_events(before)
        if not going:
            return False
        first, last = going[0], going[-1]
        earlier = await tx.events.pruned()
        if why := _broken(earlier, going):
            # Pruning would remove the evidence of tampering.
            log.error("audit log broken, nothing pruned", why=why)
            return False
        gone = await tx.pruning.remove_events(last.id)
        if gone != len(going):
            raise Superseded("Another process is pruning the same events.")
        already, origin = (earlier.details["events"], earlier.details["first"]) if earlier else (0, first.id)
        details = {"events": int(already or 0) + gone, "first": origin, "last": last.id, "hash": last.hash}
        await tx.events.add(None, PRUNED, at=now, details=details)
        log.info("events pruned", events=gone, last=last.id)
        return True


def _broken(pruned: Event | None, oldest: Iterable[Event]) -> str:
    """Return why the ``oldest`` events do not follow each other; empty when they do."""
    try:
        walk = ChainCheck(pruned)
        for event in oldest:
            walk.take(event)
    except AuditLogBroken as error:
        return error.message
    return ""
