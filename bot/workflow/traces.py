"""Due work and messages as spans of the trace of their change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from bot.changes.model.change import public_id
from bot.changes.model.messages import OutboxMessage
from bot.store.queue.tasks import Claim, Handler, Task
from bot.telemetry import tracing
from bot.workflow.context import Context

#: Tasks whose subject is a batch, and those of no change.
_OF_BATCHES: Final = frozenset({Task.SUBMIT, Task.RECONCILE, Task.POLL})
_OF_NOBODY: Final = frozenset({Task.PRUNE, Task.EXPORT_VALUES})
#: Delivers one message.
Deliver: TypeAlias = Callable[[OutboxMessage], Awaitable[None]]


class Traces:
    """Puts spans around what the worker does; while traces are off, nothing is asked and nothing is around it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def tasks(self, handlers: Mapping[Task, Handler]) -> Mapping[Task, Handler]:
        """Return the handlers, each with a span around it."""
        return {task: self._traced(handler) for task, handler in handlers.items()}

    def messages(self, deliver: Deliver) -> Deliver:
        """Return the delivery with a span around it."""

        async def traced(message: OutboxMessage) -> None:
            if not tracing.on():
                await deliver(message)
                return
            async with self._context.database.reading() as tx:
                parent = await tx.changes.trace(message.change)
            topic = message.topic.value
            with tracing.span(f"message {topic}", parent, {"change.id": public_id(message.change)}):
                await deliver(message)

        return traced

    def _traced(self, handler: Handler) -> Handler:
        async def traced(claim: Claim) -> None:
            if not tracing.on():
                await handler(claim)
                return
            parent = await self._parent(claim)
            with tracing.span(f"task {claim.task.value}", parent, {"task.attempt": claim.attempts}):
                await handler(claim)

        return traced

    async def _parent(self, claim: Claim) -> str:
        if claim.task in _OF_NOBODY:
            return ""
        async with self._context.database.reading() as tx:
            if claim.task in _OF_BATCHES:
                return await tx.changes.trace_of_batch(claim.subject)
            return await tx.changes.trace(claim.subject)
