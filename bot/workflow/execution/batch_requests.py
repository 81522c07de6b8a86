"""What is sent for a batch."""

from __future__ import annotations

from bot.changes.model.batches import Batch
from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.policy import OnStale
from bot.providers.base import BatchRequest
from bot.workflow.context import Context


async def request_of(context: Context, batch: Batch, kind: Kind) -> BatchRequest:
    """Return what is sent for ``batch``: its numbers as they were approved, and its values."""
    async with context.database.reading() as tx:
        change = await tx.changes.get(batch.change)
        operations = await tx.operations.of_batch(batch.change, batch.position)
    numbers = tuple((operation.number_id, operation.e164) for operation in operations)
    return BatchRequest(
        kind=kind,
        numbers=numbers,
        values=batch.values,
        handed=batch.handed,
        reference=batch.reference,
        before={operation.number_id: operation.before for operation in operations},
        on_stale=on_stale(context, change),
    )


def on_stale(context: Context, change: Change) -> OnStale:
    """Return what follows when numbers of ``change`` are stale, by the policy of now; stop when no rule governs it."""
    summary = change.summary
    policy = context.policies.governing(change.kind, summary.size if summary else 0, summary.names if summary else ())
    return policy.on_stale if policy else OnStale.STOP
