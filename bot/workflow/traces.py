"""Due work and messages as spans of the trace of their change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from bot.changes.model.messages import OutboxMessage
from bot.changes.model.public_ids import public_id
from bot.store.queue.tasks import ON_BATCHES, ON_NO_CHANGE, Claim, Handler, Task
from bot.telemetry import tracing
from bot.workflow.context import Context

#: Delivers one message.
Deliver: TypeAlias = Callable[[OutboxMessage], Awaitable[None]]


class Traces:
    """Puts spans around the worker's work; if traces are off when it is made, it adds none."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def tasks(self, handlers: Mapping[Task, Handler]) -> Mapping[Task, Handler]:
        """Return the handlers, each with a span around it."""
        if not tracing.on():
            return handlers
        return {task: self._traced(handler) for task, handler in handlers.items()}

    def messages(self, deliver: Deliver) -> Deliver:
        """Return the delivery with a span around it."""

        async def traced(message: OutboxMessage) -> None:
            async with self._context.database.reading() as tx:
                parent = await tx.changes.trace(message.change)
            topic = message.topic.value
            with tracing.span(f"message {topic}", parent, {"change.id": public_id(message.change)}):
                await deliver(message)

        return traced if tracing.on() else deliver

    def _traced(self, handler: Handler) -> Handler:
        async def traced(claim: Claim) -> None:
            parent = await self._parent(claim)
            with tracing.span(f"task {claim.task.value}", parent, {"task.attempt": claim.attempts}):
                await handler(claim)

        return traced

    async def _parent(self, claim: Claim) -> str:
        if claim.task in ON_NO_CHANGE:
            return ""
        async with self._context.database.reading() as tx:
            if claim.task in ON_BATCHES:
                return await tx.changes.trace_of_batch(claim.subject)
            return await tx.changes.trace(claim.subject)
