"""Stopping a running change.

Unsent numbers are not sent; numbers at the provider are watched to their end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.changes.model.batches import Batch, StopReach
from bot.changes.model.bulk_runs import NumberState
from bot.changes.model.change import Change
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.changes.outcome.outcomes import STOPPED
from bot.changes.text.counts import counted
from bot.providers.base import Provider
from bot.store.queue.tasks import Task
from bot.store.records.events import ITSELF
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.execution.settlement import CANCELLED, after_settling, stop_batch
from bot.workflow.notifications import Notifications

#: States of a batch that became a job, or may have become one.
_GONE_OUT: Final = frozenset({BatchState.SUBMITTING, BatchState.UNKNOWN, BatchState.SUBMITTED})
#: States in which later waves may wait for the end of a wave.
_BETWEEN: Final = frozenset({ChangeState.VERIFYING, ChangeState.PAUSED})
#: Why a change ends that no longer holds its numbers, and why one of its numbers is not sent.
RELEASED: Final = "An operator released its numbers, so other changes may touch them."
RELEASED_NUMBER: Final = "An operator released the change's numbers before this number was sent."


def untouched(batches: Sequence[Batch]) -> bool:
    """Tell whether surely nothing of a change was sent to the provider: no job, and no attempt without an answer."""
    return all(batch.state is BatchState.QUEUED and batch.unanswered_since is None for batch in batches)


async def reach(tx: Transaction, provider: Provider, batches: Sequence[Batch]) -> StopReach:
    """Return where the unfinished numbers of ``batches`` are."""
    sizes = dict.fromkeys(BatchState, 0)
    for batch in batches:
        sizes[batch.state] += batch.size
    unknown = sizes[BatchState.SUBMITTING] + sizes[BatchState.UNKNOWN]
    if not provider.carries_out:
        return StopReach(unsent=sizes[BatchState.QUEUED], at_provider=sizes[BatchState.SUBMITTED], unknown=unknown)
    running = [batch.reference for batch in batches if batch.state is BatchState.SUBMITTED]
    there = await tx.runs.tally(provider.name, running)
    return StopReach(
        unsent=sizes[BatchState.QUEUED] + there.get(NumberState.WAITING, 0),
        under_way=there.get(NumberState.SENT, 0),
        unknown=unknown,
    )


class ChangeStop:
    """Stops running changes, whoever wants it and for whatever reason."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications

    async def stop(
        self,
        tx: Transaction,
        change: Change,
        *,
        by: str,
        problem: str,
        code: str = STOPPED,
        reason: str = CANCELLED,
        stale: int = 0,
    ) -> str:
        """Give every unsent number its outcome, and return a sentence about those and the others.

        The sentence is empty when nothing is left to stop. The caller holds the change. ``stale`` numbers are the
        reason for the stop, and have their outcome already.
        """
        if change.state in _BETWEEN and (rest := await tx.batches.held_back(change.id)):
            return await self._stop_rest(tx, change, rest, by=by, problem=problem, code=code, reason=reason)
        if change.state is not ChangeState.RUNNING or change.stopped_at is not None:
            return ""
        now = self._context.clock()
        provider = self._context.catalogue.provider(self._context.catalogue.kind(change.kind))
        batches = await tx.batches.of(change.id)
        found = await reach(tx, provider, batches)
        if not found.stoppable and not stale:
            return ""
        queued = [batch for batch in batches if batch.state is BatchState.QUEUED]
        for batch in queued:
            await stop_batch(tx, batch, now, code=code, reason=reason)
        await tx.tasks.remove(Task.SUBMIT, [batch.id for batch in queued])
        await tx.tasks.remove(Task.START, [change.id])
        whole = [batch for batch in queued if not batch.attempts]
        if provider.carries_out:
            whole += await self._call_off(tx, provider, batches, code=code, reason=reason)
        if len(whole) == len(batches):
            ended = ChangeState.STALE if stale else ChangeState.CANCELLED
            await tx.changes.move(change.id, ended, problem=problem, finished_at=now)
            await tx.events.add(change.id, ended.value, at=now, actor=by, digest=change.digest)
            await self._notify.line(tx, change.id, ended.value)
            return f"{change.public_id} is {ended.value}. Nothing was sent to the provider."
        await tx.changes.put(change.id, problem=problem, stopped_at=now)
        await tx.events.add(
            change.id,
            "stopped",
            at=now,
            actor=by,
            digest=change.digest,
            batches=len(queued),
            numbers=found.unsent + stale,
            details={"answer": problem} if by == ITSELF else None,
        )
        told: dict[str, Any] = {"numbers": found.unsent + stale, "stale": stale, "unknown": found.unknown}
        await self._notify.line(tx, change.id, "stopped", **told)
        await after_settling(tx, change.id, self._context)
        return f"{change.public_id} is stopped: {_in_words(found, provider.title)}"

    async def stop_by_itself(
        self, tx: Transaction, change: Change, *, problem: str, reason: str, code: str = STOPPED, stale: int = 0
    ) -> None:
        """Stop a running change without anybody's order, as :meth:`stop` does, and tell everybody if it did."""
        if not await self.stop(tx, change, by=ITSELF, problem=problem, code=code, reason=reason, stale=stale):
            return
        await self._notify.failure(tx, change.id, "stopped")
        await self._notify.cards(tx, change.id)

    async def _stop_rest(
        self,
        tx: Transaction,
        change: Change,
        rest: Sequence[Batch],
        *,
        by: str,
        problem: str,
        code: str,
        reason: str,
    ) -> str:
        """End a change between two waves: the later waves are not sent."""
        now = self._context.clock()
        for batch in rest:
            await stop_batch(tx, batch, now, code=code, reason=reason)
        numbers = sum(batch.size for batch in rest)
        await tx.changes.put(change.id, problem=problem, stopped_at=now)
        await tx.events.add(
            change.id, "stopped", at=now, actor=by, digest=change.digest, batches=len(rest), numbers=numbers
        )
        await self._notify.line(tx, change.id, "stopped", numbers=numbers)
        if change.state is ChangeState.PAUSED:
            for task in (Task.REMIND, Task.START):
                await tx.tasks.remove(task, [change.id])
            await tx.changes.move(change.id, ChangeState.VERIFYING, paused_for=None, resumes_at=None)
            await tx.tasks.add(Task.FINISH, change.id, now)
        return (
            f"{change.public_id} is stopped: {counted(numbers, 'number')} will not be sent. "
            "What was sent stays as it is."
        )

    async def _call_off(
        self, tx: Transaction, provider: Provider, batches: Sequence[Batch], *, code: str, reason: str
    ) -> list[Batch]:
        """Stop our own runs between two numbers; return the batches of which nothing was sent.

        The run of a batch that is being submitted may begin a moment later, so it is stopped beforehand.
        """
        now = self._context.clock()
        gone_out = [batch for batch in batches if batch.state in _GONE_OUT]
        references = [batch.reference for batch in gone_out]
        await tx.runs.call_off(provider.name, references, code=code, reason=reason, now=now)
        untouched = []
        running = [batch for batch in gone_out if batch.state is BatchState.SUBMITTED]
        for batch in running:
            if set(await tx.runs.tally(provider.name, [batch.reference])) == {NumberState.NOT_ATTEMPTED}:
                await stop_batch(tx, batch, now, code=code, reason=reason)
                untouched.append(batch)
        await tx.tasks.remove(Task.POLL, [batch.id for batch in untouched])
        await tx.tasks.hasten(Task.POLL, now, [batch.id for batch in running])
        return untouched


def _in_words(found: StopReach, title: str) -> str:
    """Return in words what a stop keeps back, and what it cannot."""
    said = [f"{counted(found.unsent, 'number')} will not be sent."]
    if found.under_way:
        numbers = counted(found.under_way, "number is", "numbers are")
        said.append(f"{numbers} being sent to {title} right now; that will finish on its own.")
    if found.at_provider:
        numbers = counted(found.at_provider, "number is", "numbers are")
        said.append(
            f"{numbers} already in jobs at {title}, which cannot stop them; Linesman is watching them until "
            "they finish."
        )
    if found.unknown:
        numbers = counted(found.unknown, "number was", "numbers were")
        said.append(f"Whether {numbers} sent is not known yet; those that were not will not be sent.")
    return " ".join(said)
