"""The messages that a worker has claimed, from the claim to the delivery."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, KeysView
from datetime import datetime

import structlog

from bot.changes.model.messages import OutboxMessage
from bot.errors import DatabaseDamaged, DatabaseUnavailable, DeliveryError
from bot.store.engine.driver_errors import repeated
from bot.telemetry import tracing
from bot.workflow import claim_lease
from bot.workflow.alerts import FailureAlerts
from bot.workflow.context import Context
from bot.workflow.loops.replica_life import ReplicaLife
from bot.workflow.loops.retries import retry_pause

log = structlog.get_logger(__name__)


class ClaimedMessages:
    """Claims due messages for the worker called ``name`` and has them delivered."""

    def __init__(
        self,
        context: Context,
        deliver: Callable[[OutboxMessage], Awaitable[None]],
        alerts: FailureAlerts,
        life: ReplicaLife,
        *,
        name: str,
    ) -> None:
        self._context = context
        self._deliver = deliver
        self._alerts = alerts
        self._life = life
        self._name = name
        #: Id of each message at work -> until when nobody else takes it over, in steady seconds.
        self._present: dict[int, float] = {}

    @property
    def ids(self) -> KeysView[int]:
        """Ids of the messages at work."""
        return self._present.keys()

    async def claim(self, room: int) -> tuple[list[OutboxMessage], datetime | None]:
        """Return up to ``room`` due messages, and when the next unclaimed one is due; None when there is none."""
        began, now = self._context.steady(), self._context.clock()
        async with self._context.database.transaction() as tx:
            messages = await tx.deliveries.claim(
                owner=self._name,
                now=now,
                lease=self._context.timing.lease,
                limit=room,
                floor=self._context.slack_time,
            )
            next_due = await tx.deliveries.next_due()
        fresh = [message for message in messages if message.id not in self._present]  # as in ClaimedTasks
        self.hold((message.id for message in messages), since=began)
        return fresh, next_due

    def hold(self, messages: Iterable[int], *, since: float) -> None:
        """Note that messages were claimed, or their claims renewed, no earlier than ``since``, in steady seconds."""
        until = since + self._context.timing.lease.total_seconds()
        self._present.update(dict.fromkeys(messages, until))

    def _is_held(self, message: int) -> bool:
        """Tell whether nobody else can have taken the message over."""
        if not self._context.database.shared:
            return True
        return self._life.seen and self._context.steady() < self._present.get(message, 0.0)

    async def send(self, message: OutboxMessage) -> None:
        """Have a message delivered; every failure is reported and tried again."""
        tracing.begin(message.change)
        claim_lease.begin(lambda: self._is_held(message.id))
        try:
            await repeated(lambda: self._deliver(message), self._context.chance)
        except DatabaseUnavailable as error:  # the log has it already; the message may have arrived
            log.warning("message interrupted", key=message.key, why=error.message)
            if isinstance(error, DatabaseDamaged):
                await self._alerts.message_failed(message, error)
            await self._postpone(message)
        except DeliveryError as error:  # a fault of theirs: one line in the log, and it is tried again
            log.warning("message is tried again", key=message.key, why=error.message)
            await self._alerts.message_failed(message, error)
            await self._postpone(message)
        except Exception as error:  # a message that cannot be delivered must not stop the others
            log.exception("delivery failed", key=message.key, attempts=message.attempts)
            await self._alerts.message_failed(message, error)
            await self._postpone(message)
        else:
            self._context.task_failures.end(message.key)
        finally:
            self._present.pop(message.id, None)

    async def _postpone(self, message: OutboxMessage) -> None:
        pause = retry_pause(message.attempts)
        try:
            async with self._context.database.transaction() as tx:
                await tx.deliveries.postpone(
                    message,
                    owner=self._name,
                    until=self._context.clock() + pause,
                    error="an unexpected error; see the log",
                    surely_unsent=False,
                    settled=False,
                )
        except DatabaseUnavailable:
            log.warning("a message is released later", key=message.key)
        except Exception:  # the lease runs out by itself; the loop continues
            log.exception("cannot release a message", key=message.key)
