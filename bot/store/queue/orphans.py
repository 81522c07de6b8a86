"""Forgotten work: a change, a batch or a delegation whose state requires a task that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, exists, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.store.queue.tasks import Task
from bot.store.tables import batches, changes, delegations, tasks


@dataclass(frozen=True, slots=True)
class Orphan:
    """A required task that is missing."""

    #: The change that it belongs to; None for a delegation, which belongs to none.
    change: int | None
    task: Task
    subject: int


#: State of a change -> tasks, one of which must be there.
_OF_CHANGES: Final[Mapping[ChangeState, Sequence[Task]]] = {
    ChangeState.PLANNING: (Task.PLAN,),
    ChangeState.AWAITING_APPROVAL: (Task.EXPIRE,),
    ChangeState.CHANGES_REQUESTED: (Task.EXPIRE,),
    ChangeState.APPROVED: (Task.START,),
    ChangeState.VERIFYING: (Task.VERIFY, Task.FINISH),
    ChangeState.PAUSED: (Task.START,),
    ChangeState.IN_EFFECT: (Task.END,),
}
#: Waves not yet released are held back, and so is a released wave until its start has checked it.
_RELEASED: Final = and_(
    batches.c.wave <= changes.c.wave,
    ~exists().where(tasks.c.subject == changes.c.id, tasks.c.task == Task.START.value),
)
#: State of a batch of a running change -> the required task, and the condition.
_OF_BATCHES: Final[Mapping[BatchState, tuple[Task, ColumnElement[bool]]]] = {
    BatchState.QUEUED: (Task.SUBMIT, and_(_RELEASED, changes.c.stopped_at.is_(None))),
    BatchState.SUBMITTING: (Task.SUBMIT, true()),
    BatchState.UNKNOWN: (Task.RECONCILE, batches.c.escalated_at.is_(None)),  # otherwise an operator must decide
    BatchState.SUBMITTED: (Task.POLL, true()),
}


class Orphans:
    """Searches all tables for them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self) -> list[Orphan]:
        """Return the missing tasks, oldest change first."""
        found = []
        for state, wanted in _OF_CHANGES.items():
            there = exists().where(tasks.c.subject == changes.c.id, tasks.c.task.in_([task.value for task in wanted]))
            statement = select(changes.c.id).where(changes.c.state == state.value, ~there)
            if state is ChangeState.PAUSED:
                statement = statement.where(changes.c.resumes_at.is_not(None))  # otherwise somebody must decide
            found += [Orphan(id_, wanted[0], id_) for id_ in (await self._connection.execute(statement)).scalars()]
        for of, (task, when) in _OF_BATCHES.items():
            there = exists().where(tasks.c.subject == batches.c.id, tasks.c.task == task.value)
            running = and_(changes.c.id == batches.c.change_id, changes.c.state == ChangeState.RUNNING.value)
            statement = select(batches.c.change_id, batches.c.id, changes.c.continued_at).join(changes, running)
            rows = await self._connection.execute(statement.where(batches.c.state == of.value, when, ~there))
            found += [_of_batch(row, of, task) for row in rows]
        found += await self._of_delegations()
        return sorted(set(found), key=lambda orphan: (orphan.change or 0, orphan.subject))

    async def _of_delegations(self) -> list[Orphan]:
        """Return the missing tasks of delegations that have not ended, or whose end was not told."""
        there = exists().where(tasks.c.subject == delegations.c.id, tasks.c.task == Task.DELEGATION.value)
        open_ = or_(
            delegations.c.ended_at.is_(None),
            and_(delegations.c.ended_by != "", delegations.c.told < delegations.c.version),
        )
        ids = (await self._connection.execute(select(delegations.c.id).where(open_, ~there))).scalars()
        return [Orphan(None, Task.DELEGATION, id_) for id_ in ids]

    async def unended(self) -> list[int]:
        """Return the running changes whose released batches have all settled."""
        left = exists().where(
            batches.c.change_id == changes.c.id,
            batches.c.state != BatchState.SETTLED.value,
            batches.c.wave <= changes.c.wave,
        )
        any_at_all = exists().where(batches.c.change_id == changes.c.id)
        statement = select(changes.c.id).where(changes.c.state == ChangeState.RUNNING.value, any_at_all, ~left)
        return list((await self._connection.execute(statement.order_by(changes.c.id))).scalars())


def _of_batch(row: Row[Any], state: BatchState, task: Task) -> Orphan:
    """Return the missing task of a batch; a batch of a later wave is left to the start of its wave.

    That start checks whether the wave may go at all, in its window and with its approvals.
    """
    if state is BatchState.QUEUED and row.continued_at is not None:
        return Orphan(row.change_id, Task.START, row.change_id)
    return Orphan(row.change_id, task, row.id)
