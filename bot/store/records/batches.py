"""Batches, one row each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any, Final

from sqlalchemy import Row, exists, func, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.batches import Batch
from bot.changes.model.filter_fields import conditions_from_json, conditions_to_json
from bot.changes.model.lifecycle import BATCH_STEPS, BatchState, before
from bot.changes.model.values import values_from_json, values_to_json
from bot.changes.planning.plan import PlannedBatch
from bot.errors import NotFound, Superseded
from bot.store.queue.tasks import Task
from bot.store.records.secrets import Secrets
from bot.store.tables import batches, tasks
from bot.telemetry import tracing

#: Batches updated in one statement; SQLite allows at most 32,766 parameters.
CHUNK = 500
#: Conditions of a batch that waits for an operator's decision on an unanswered submission.
UNDECIDED: Final = (batches.c.state == BatchState.UNKNOWN.value, batches.c.escalated_at.is_not(None))


class Batches:
    """The table of batches."""

    def __init__(self, connection: AsyncConnection, secrets: Secrets) -> None:
        self._connection = connection
        self._secrets = secrets

    async def add(self, change: int, kind: str, planned: Sequence[PlannedBatch]) -> None:
        """Write a plan's batches, all queued."""
        rows = [
            {
                "change_id": change,
                "position": batch.position,
                "kind": kind,
                "state": BatchState.QUEUED.value,
                "size": batch.size,
                "values": values_to_json(batch.values),
                "handed": conditions_to_json(batch.handed) or None,
                "wave": batch.wave,
            }
            for batch in planned
        ]
        if rows:
            await self._connection.execute(batches.insert(), rows)

    async def get(self, batch: int) -> Batch:
        """Return the batch; raises NotFound."""
        row = (await self._connection.execute(select(batches).where(batches.c.id == batch))).first()
        if row is None:
            raise NotFound("There is no such batch.")
        tracing.about(row.change_id)
        return _batch(row)

    async def of(self, change: int) -> list[Batch]:
        """Return the change's batches in their order."""
        statement = select(batches).where(batches.c.change_id == change).order_by(batches.c.position)
        return [_batch(row) for row in await self._connection.execute(statement)]

    async def move(self, batch: int, to: BatchState, **columns: Any) -> None:  # noqa: ANN401 - column values
        """Take the batch to state ``to`` in one conditional write.

        Raises Superseded when it cannot go there, or when the given job belongs to another batch.
        """
        origins = [state.value for state in before(BATCH_STEPS, to)]
        statement = (
            update(batches).where(batches.c.id == batch, batches.c.state.in_(origins)).values(state=to.value, **columns)
        )
        try:
            result = await self._connection.execute(statement)
        except IntegrityError as error:
            raise Superseded("That job belongs to another batch.") from error
        if result.rowcount != 1:
            present = (await self.get(batch)).state.value
            raise Superseded(f"The batch is already {present}.")
        if to in {BatchState.SUBMITTED, BatchState.SETTLED}:
            # From here, no step leads back into the queue, so its secrets are never sent again.
            await self._secrets.wipe_batch(batch)

    async def put(self, batch: int, **columns: Any) -> None:  # noqa: ANN401 - column values
        """Write columns that are not part of the lifecycle."""
        await self._connection.execute(update(batches).where(batches.c.id == batch).values(**columns))

    async def states(self, change: int) -> Mapping[BatchState, int]:
        """Return how many of the change's batches are in each state."""
        statement = select(batches.c.state, func.count()).where(batches.c.change_id == change).group_by(batches.c.state)
        return {BatchState(state): count for state, count in await self._connection.execute(statement)}

    async def settled(self, change: int, wave: int) -> bool:
        """Tell whether the change has batches up to ``wave``, and all of them have settled."""
        statement = select(batches.c.state).where(batches.c.change_id == change, batches.c.wave <= wave).distinct()
        return set((await self._connection.execute(statement)).scalars()) == {BatchState.SETTLED.value}

    async def held_back(self, change: int) -> list[Batch]:
        """Return the change's queued batches that are not going to be sent yet: they wait for the end of a wave."""
        to_be_sent = exists().where(tasks.c.task == Task.SUBMIT.value, tasks.c.subject == batches.c.id)
        statement = (
            select(batches)
            .where(batches.c.change_id == change, batches.c.state == BatchState.QUEUED.value, ~to_be_sent)
            .order_by(batches.c.position)
        )
        return [_batch(row) for row in await self._connection.execute(statement)]

    async def due(self, change: int, now: datetime, limit: int) -> list[Batch]:
        """Return the change's first queued batches that are due now, claimed or not."""
        to_be_sent = exists().where(
            tasks.c.task == Task.SUBMIT.value, tasks.c.subject == batches.c.id, tasks.c.due_at <= now
        )
        statement = (
            select(batches)
            .where(batches.c.change_id == change, batches.c.state == BatchState.QUEUED.value, to_be_sent)
            .order_by(batches.c.position)
            .limit(limit)
        )
        return [_batch(row) for row in await self._connection.execute(statement)]

    async def checked(self, ids: Collection[int], at: datetime, problem: str = "") -> None:
        """Note that the numbers of these batches were read again at ``at``, or why they could not be."""
        for start in range(0, len(ids), CHUNK):
            chunk = list(ids)[start : start + CHUNK]
            statement = update(batches).where(batches.c.id.in_(chunk))
            await self._connection.execute(statement.values(checked_at=at, check_problem=problem))

    async def typical_seconds(self, kind: str, *, like: int | None = None) -> float | None:
        """Return how long recent jobs of ``kind`` took, in seconds (the median of 50); None when there were none.

        With ``like``, only jobs with about that many numbers count.
        """
        sizes = true() if like is None else batches.c.size.between(like * 2 // 3, like * 3 // 2)
        ended = batches.c.submitted_at.is_not(None) & batches.c.settled_at.is_not(None)
        statement = (
            select(batches.c.submitted_at, batches.c.settled_at)
            .where(batches.c.kind == kind, ended, sizes)
            .order_by(batches.c.id.desc())
            .limit(50)
        )
        rows = (await self._connection.execute(statement)).all()
        return median((row.settled_at - row.submitted_at).total_seconds() for row in rows) if rows else None

    async def undecided(self, change: int) -> int:
        """Return how many of the change's batches wait for an operator's decision on an unanswered submission."""
        statement = select(func.count()).select_from(batches).where(batches.c.change_id == change, *UNDECIDED)
        return (await self._connection.execute(statement)).scalar_one()

    async def with_job(self, kind: str, job: str) -> Batch | None:
        """Return the batch that ``job`` belongs to; None when it belongs to none."""
        row = (
            await self._connection.execute(select(batches).where(batches.c.kind == kind, batches.c.job == job))
        ).first()
        return _batch(row) if row is not None else None


def _batch(row: Row[Any]) -> Batch:
    return Batch(
        id=row.id,
        change=row.change_id,
        position=row.position,
        state=BatchState(row.state),
        size=row.size,
        values=values_from_json(row.values),
        handed=conditions_from_json(row.handed or []),
        wave=row.wave,
        job=row.job or "",
        attempted_at=row.attempted_at,
        attempted_there=row.attempted_there,
        attempts=row.attempts,
        submitted_at=row.submitted_at,
        settled_at=row.settled_at,
        done_by=row.done_by,
        job_state=row.job_state,
        polls=row.polls,
        final_polls=row.final_polls,
        absences=row.absences,
        unanswered_since=row.unanswered_since,
        unanswered_there=row.unanswered_there,
        resent=row.resent,
        escalated_at=row.escalated_at,
        doubt=row.doubt,
        candidates=tuple(row.candidates or ()),
        progressed_at=row.progressed_at,
        overdue_at=row.overdue_at,
        slot_refused_at=row.slot_refused_at,
        checked_at=row.checked_at,
        check_problem=row.check_problem,
    )
