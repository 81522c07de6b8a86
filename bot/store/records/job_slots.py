"""The slots that a provider has for jobs: which batches hold one, and which wait for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.lifecycle import BatchState
from bot.store.queue.tasks import Task
from bot.store.records.batches import UNDECIDED
from bot.store.tables import batches, tasks


class JobSlots:
    """The table of batches as their providers see it: by kind, across all changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def in_flight(self, kind: str) -> int:
        """Return how many batches of ``kind`` may hold one of the provider's slots, of all changes."""
        holding = [BatchState.SUBMITTING.value, BatchState.SUBMITTED.value, BatchState.UNKNOWN.value]
        statement = (
            select(func.count()).select_from(batches).where(batches.c.kind == kind, batches.c.state.in_(holding))
        )
        return (await self._connection.execute(statement)).scalar_one()

    async def being_sent(self, kind: str) -> int:
        """Return how many batches of ``kind`` are being sent right now."""
        statement = (
            select(func.count())
            .select_from(batches)
            .where(batches.c.kind == kind, batches.c.state == BatchState.SUBMITTING.value)
        )
        return (await self._connection.execute(statement)).scalar_one()

    async def queued(self, kind: str, limit: int) -> list[int]:
        """Return the ids of the oldest queued batches of ``kind`` that are to be sent, not of those held back.

        Nor of those that wait with the rest of their change for an operator's word.
        """
        undecided = select(batches.c.change_id).where(batches.c.kind == kind, *UNDECIDED)
        to_be_sent = exists().where(tasks.c.task == Task.SUBMIT.value, tasks.c.subject == batches.c.id)
        statement = (
            select(batches.c.id)
            .where(
                batches.c.kind == kind,
                batches.c.state == BatchState.QUEUED.value,
                batches.c.change_id.not_in(undecided),
                to_be_sent,
            )
            .order_by(batches.c.id)
            .limit(limit)
        )
        return list((await self._connection.execute(statement)).scalars())

    async def refused(self, kind: str, since: datetime) -> datetime | None:
        """Return when the provider last refused a queued batch of ``kind`` for want of a free slot.

        None when it refused none since ``since``: what is older, of a batch that waits for something else, is no news.
        """
        statement = select(func.max(batches.c.slot_refused_at)).where(
            batches.c.kind == kind, batches.c.state == BatchState.QUEUED.value, batches.c.slot_refused_at >= since
        )
        refused: datetime | None = (await self._connection.execute(statement)).scalar()
        return refused

    async def freed(self, kind: str, refused_before: datetime) -> None:
        """Note that a slot has become free: refusals of queued batches of ``kind`` count as older than they are."""
        statement = (
            update(batches)
            .where(
                batches.c.kind == kind,
                batches.c.state == BatchState.QUEUED.value,
                batches.c.slot_refused_at > refused_before,
            )
            .values(slot_refused_at=refused_before)
        )
        await self._connection.execute(statement)

    async def watched(self, provider: str) -> int:
        """Return how many jobs of ``provider``, of all its kinds, are watched: they share one budget of polls."""
        statement = (
            select(func.count())
            .select_from(batches)
            .where(batches.c.kind.startswith(f"{provider}."), batches.c.state == BatchState.SUBMITTED.value)
        )
        return (await self._connection.execute(statement)).scalar_one()

    async def submitted(self, kinds: Sequence[str]) -> list[int]:
        """Return the ids of the batches of ``kinds`` whose jobs are being worked on."""
        statement = select(batches.c.id).where(
            batches.c.kind.in_(list(kinds)), batches.c.state == BatchState.SUBMITTED.value
        )
        return list((await self._connection.execute(statement)).scalars())
