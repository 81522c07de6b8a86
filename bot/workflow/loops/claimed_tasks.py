"""The tasks that a worker has claimed, from the claim to the end of each."""

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
        #: Until when the claims of tasks at work hold at least.
        self._renewed_until = context.clock() + context.timing.lease

    @property
    def ids(self) -> list[int]:
        """Ids of the tasks at work."""
        return [id_ for id_, _, _ in self._present]

    async def claim(self, room: int) -> tuple[list[Claim], datetime | None]:
        """Return up to ``room`` due tasks, and when the next that nobody holds is due; None when there is none."""
        lease, now = self._context.timing.lease, self._context.clock()
        async with self._context.database.transaction() as tx:
            if self._renewed_until < now:
                # After a jump of the clock, or a time in which no claim could be renewed, one's own claims look like a
                # dead worker's. Whoever is at work on them still is, and would lose them.
                await self.extend(tx, now + lease)
            claims = await tx.tasks.claim(owner=self._name, now=now, lease=lease, limit=room)
            # What was made due again while somebody is at work on it is not begun a second time, but left for when they
            # are done: kept, it would look like their own claim, and their end of it would be the end of what is due
            # since. The id alone does not tell it: SQLite gives that of a task that was forgotten while at work to the
            # next one.
            fresh = [claim for claim in claims if _key(claim) not in self._present]
            await tx.tasks.leave(claim for claim in claims if claim not in fresh)
            next_due = await tx.tasks.next_due()
        self._present.update({_key(claim): claim for claim in fresh})
        return fresh, next_due

    async def extend(self, tx: Transaction, until: datetime) -> None:
        """Keep the claims of tasks at work until then; :meth:`renewed` once it is committed."""
        await tx.tasks.extend(self.ids, self._name, until)

    def renewed(self, until: datetime) -> None:
        """Note that the claims of all tasks at work hold until then."""
        self._renewed_until = until

    async def do(self, claim: Claim) -> None:
        """Carry out a task; whatever fails is told and tried again."""
        tracing.begin()
        try:
            await repeated(lambda: self._handlers[claim.task](claim), self._context.chance)
        except ClaimLost:  # whoever has the task now does all of it
            log.info("task was taken over or taken away", task=claim.task.value, subject=claim.subject)
            self._context.task_failures.end(claim.key)
        except DatabaseUnavailable as error:  # it is in the log already; the task is resumed later
            log.warning("task interrupted", task=claim.task.value, subject=claim.subject, why=error.message)
            if isinstance(error, DatabaseDamaged):
                await self._alerts.task_failed(claim, error)
            await self._retry(claim)
        except (ProviderError, DeliveryError) as error:  # a fault of theirs: a line, and it is tried again
            log.warning("task is tried again", task=claim.task.value, subject=claim.subject, why=error.message)
            await self._alerts.task_failed(claim, error)
            await self._retry(claim)
        except Exception as error:  # one task's fault must not stop the others; it is logged, told and tried again
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
        except Exception:  # the lease runs out by itself; the loop goes on
            log.exception("cannot release a task", task=claim.task.value, subject=claim.subject)


def _key(claim: Claim) -> tuple[int, Task, int]:
    return claim.id, claim.task, claim.subject
