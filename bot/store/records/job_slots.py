"""A provider's slots for jobs: which batches hold one, and which wait for one."""

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
    """The table of batches as providers see it: by kind, across all changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def in_flight(self, kind: str) -> int:
        """Return how many batches of ``kind``, of all changes, may hold one of the provider's slots."""
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
        """Return the ids of the oldest queued batches of ``kind`` that may be sent, without those held back.

        Batches that wait with the rest of their change for an operator's decision are left out too.
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
        """Return when the provider last refused a queued batch of ``kind`` for lack of a free slot.

        None when it has refused none since ``since``: an older refusal, of a batch that waits for something else, says
        nothing.
        """
        statement = select(func.max(batches.c.slot_refused_at)).where(
            batches.c.kind == kind, batches.c.state == BatchState.QUEUED.value, batches.c.slot_refused_at >= since
        )
        refused: datetime | None = (await self._connection.execute(statement)).scalar()
        return refused

    async def freed(self, kind: str, refused_before: datetime) -> None:
        """Note that a slot has become free: date back the refusals of queued batches of ``kind``."""
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
        """Return how many jobs of ``provider``, of all kinds, are watched: they share one budget of polls."""
        statement = (
            select(func.count())
            .select_from(batches)
            .where(batches.c.kind.startswith(f"{provider}."), batches.c.state == BatchState.SUBMITTED.value)
        )
        return (await self._connection.execute(statement)).scalar_one()

    async def submitted(self, kinds: Sequence[str]) -> list[int]:
        """Return the ids of the batches of ``kinds`` whose jobs are under way."""
        statement = select(batches.c.id).where(
            batches.c.kind.in_(list(kinds)), batches.c.state == BatchState.SUBMITTED.value
        )
        return list((await self._connection.execute(statement)).scalars())
