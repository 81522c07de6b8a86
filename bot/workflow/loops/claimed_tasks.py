"""The tasks that a worker has claimed, from the claim to the end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog

from bot.errors import ClaimLost, DatabaseDamaged, DatabaseUnavailable, DeliveryError, ProviderError
from bot.store.engine.driver_errors import repeated
from bot.store.queue.tasks import Claim, Handler, Task
from bot.store.transaction import Transaction
from bot.telemetry import tracing
from bot.workflow.alerts import FailureAlerts
from bot.workflow.context import Context
from bot.workflow.loops.retries import retry_pause

log = structlog.get_logger(__name__)


class ClaimedTasks:
    """Claims due tasks for the worker called ``name`` and carries them out."""

    def __init__(self, context: Context, handlers: Mapping[Task, Handler], alerts: FailureAlerts, *, name: str) -> None:
        self._context = context
        self._handlers = handlers
        self._alerts = alerts
        self._name = name
        self._present: dict[tuple[int, Task, int], Claim] = {}
        #: The claims of tasks at work are valid at least until this time.
        self._renewed_until = context.clock() + context.timing.lease

    @property
    def ids(self) -> list[int]:
        """Ids of the tasks at work."""
        return [id_ for id_, _, _ in self._present]

    async def claim(self, room: int) -> tuple[list[Claim], datetime | None]:
        """Return up to ``room`` due tasks, and when the next unclaimed one is due; None when there is none."""
        lease, now = self._context.timing.lease, self._context.clock()
        async with self._context.database.transaction() as tx:
            if self._renewed_until < now:
                # After a jump of the clock, or a time in which no claim could be renewed, our own claims look like a
                # dead worker's. The tasks at work would lose them.
                await self.extend(tx, now + lease)
            claims = await tx.tasks.claim(owner=self._name, now=now, lease=lease, limit=room)
            # Leave unclaimed a task made due again while it runs: finishing the running task would otherwise delete the
            # new due work too. Compare keys, not ids: SQLite reuses ids.
            fresh = [claim for claim in claims if _key(claim) not in self._present]
            await tx.tasks.leave(claim for claim in claims if claim not in fresh)
            next_due = await tx.tasks.next_due()
        self._present.update({_key(claim): claim for claim in fresh})
        return fresh, next_due

    async def extend(self, tx: Transaction, until: datetime) -> None:
        """Extend the claims of tasks at work to ``until``; call :meth:`renewed` once that is committed."""
        await tx.tasks.extend(self.ids, self._name, until)

    def renewed(self, until: datetime) -> None:
        """Note that the claims of all tasks at work are valid until then."""
        self._renewed_until = until

    async def do(self, claim: Claim) -> None:
        """Carry out a task; every failure is reported and tried again."""
        tracing.begin()
        try:
            await repeated(lambda: self._handlers[claim.task](claim), self._context.chance)
        except ClaimLost:  # another worker has the task now, and does all of it
            log.info("task was taken over or taken away", task=claim.task.value, subject=claim.subject)
            self._context.task_failures.end(claim.key)
        except DatabaseUnavailable as error:  # the log has it already; the task is resumed later
            log.warning("task interrupted", task=claim.task.value, subject=claim.subject, why=error.message)
            if isinstance(error, DatabaseDamaged):
                await self._alerts.task_failed(claim, error)
            await self._retry(claim)
        except (ProviderError, DeliveryError) as error:  # a fault of theirs: one line in the log, and it is tried again
            log.warning("task is tried again", task=claim.task.value, subject=claim.subject, why=error.message)
            await self._alerts.task_failed(claim, error)
            await self._retry(claim)
        except Exception as error:  # one task's fault must not stop the others; it is logged, reported and tried again
            log.exception("task failed", task=claim.task.value, subject=claim.subject, attempts=claim.attempts)
            await self._alerts.task_failed(claim, error)
            await self._retry(claim)
        else:
            self._context.task_failures.end(claim.key)
        finally:
            self._present.pop(_key(claim), None)

    async def _retry(self, claim: Claim) -> None:
        pause = retry_pause(claim.tries)
        try:
            async with self._context.database.transaction() as tx:
                await tx.tasks.again(claim, self._context.clock() + pause)
        except ClaimLost:  # as above
            return
        except DatabaseUnavailable:
            log.warning("a task is released later", task=claim.task.value, subject=claim.subject)
        except Exception:  # the lease runs out by itself; the loop continues
            log.exception("cannot release a task", task=claim.task.value, subject=claim.subject)


def _key(claim: Claim) -> tuple[int, Task, int]:
    return claim.id, claim.task, claim.subject
