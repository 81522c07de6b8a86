"""Telling those who run Linesman of work that fails again and again."""

from __future__ import annotations

import structlog

from bot.changes.model.change import public_id
from bot.changes.model.messages import FAULT, OutboxMessage, Topic
from bot.errors import DatabaseUnavailable
from bot.store.queue.tasks import Claim, Task
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.task_failures import FEW, TaskFailure

log = structlog.get_logger(__name__)

#: Tasks whose subject is a batch, and those whose subject is no change's.
_OF_BATCHES = frozenset({Task.SUBMIT, Task.RECONCILE, Task.POLL})
_OF_NOBODY = frozenset({Task.PRUNE, Task.EXPORT_VALUES})


class FailureAlerts:
    """Counts failures nobody foresaw; after a few in a row operators read of it in the failure channel, once a day."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def task_failed(self, claim: Claim, error: Exception) -> None:
        """Note that a task failed."""
        change = await self._change(claim)
        name = public_id(change) if change else ""
        fault = self._context.task_failures.count(_task(claim), what=claim.task.value, change=name, error=error)
        await self._tell(change, fault)

    def task_went_well(self, claim: Claim) -> None:
        """Note that a task did what it was to do."""
        self._context.task_failures.end(_task(claim))

    async def message_failed(self, message: OutboxMessage, error: Exception) -> None:
        """Note that a message could not be delivered, by a fault of ours."""
        name = public_id(message.change)
        fault = self._context.task_failures.count(message.key, what="message", change=name, error=error)
        if message.topic is not Topic.FAILURE:  # of a notice that cannot be delivered no other notice tells
            await self._tell(message.change, fault)

    def message_went_well(self, message: OutboxMessage) -> None:
        """Note that a message was delivered, or given back for a known reason."""
        self._context.task_failures.end(message.key)

    async def _change(self, claim: Claim) -> int | None:
        if claim.task in _OF_NOBODY:
            return None
        if claim.task not in _OF_BATCHES:
            return claim.subject
        try:
            async with self._context.database.reading() as tx:
                return (await tx.batches.get(claim.subject)).change
        except DatabaseUnavailable:  # it is in the log already
            return None
        except Exception:  # the row itself may be what nobody can read
            log.exception("cannot find the change of a task", task=claim.task.value, subject=claim.subject)
            return None

    async def _tell(self, change: int | None, fault: TaskFailure) -> None:
        if change is None or fault.times < FEW:
            return
        try:
            async with self._context.database.transaction() as tx:
                await self._post(tx, change, fault)
        except DatabaseUnavailable:  # as above
            return
        except Exception:  # /readyz, the metric and the log tell it all the same
            log.exception("operators cannot be notified", change=change, what=fault.what)
            return
        self._context.outbox_wakeup.ring()

    async def _post(self, tx: Transaction, change: int, fault: TaskFailure) -> None:
        now = self._context.clock()
        data = {"what": FAULT, "task": fault.what, "times": fault.times, "why": fault.why}
        await tx.outbox.post(change, Topic.FAILURE, f"{FAULT}:{fault.what}:{now:%Y%m%d}", now=now, data=data)


def _task(claim: Claim) -> str:
    return f"{claim.task.value}:{claim.subject}"
