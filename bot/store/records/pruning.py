"""Reducing long-finished changes to their summaries, a bounded portion at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import Delete, delete, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.audit.events import Event
from bot.changes.model.lifecycle import ChangeState
from bot.store.queue.outbox import PENDING
from bot.store.tables import batches, changes, events, operations, outbox, run_numbers, run_stops, runs

#: Most rows that one transaction removes, so that nobody waits long for the write turn.
PORTION: Final = 1000


class Pruning:
    """Finds and removes rows older than the retention."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def next_change(self, before: datetime) -> int | None:
        """Return the change that ended before ``before`` and still has some of its rows; None without one.

        A change whose last messages have not reached Slack is left until they have.
        """
        over = [state.value for state in ChangeState if state.over]
        waiting = exists().where(outbox.c.change_id == changes.c.id, outbox.c.state == PENDING)
        statement = (
            select(changes.c.id)
            .where(changes.c.pruned_at.is_(None), changes.c.finished_at < before, changes.c.state.in_(over), ~waiting)
            .order_by(changes.c.finished_at)
            .limit(1)
        )
        found: int | None = await self._connection.scalar(statement)
        return found

    async def remove_rows(self, change: int) -> bool:
        """Remove a portion of the operations, batches, messages and runs of ``change``; True when none is left."""
        room = PORTION
        for statement in self._of_runs(change):
            room -= (await self._connection.execute(statement)).rowcount
            if room <= 0:
                return False
        for table, key in ((operations, "position"), (batches, "id"), (outbox, "id")):
            some = select(table.c[key]).where(table.c.change_id == change).order_by(table.c[key]).limit(room)
            statement = delete(table).where(table.c.change_id == change, table.c[key].in_(some))
            room -= (await self._connection.execute(statement)).rowcount
            if room <= 0:
                return False
        return True

    def _of_runs(self, change: int) -> Iterator[Delete]:
        """Yield statements that remove, in order, a portion of the numbers, the runs and the stops of ``change``."""
        ours = runs.c.reference.like(f"{change}/%")
        some = (
            select(run_numbers.c.run_id, run_numbers.c.position)
            .join(runs, runs.c.id == run_numbers.c.run_id)
            .where(ours)
            .limit(PORTION)
        )
        yield delete(run_numbers).where(tuple_(run_numbers.c.run_id, run_numbers.c.position).in_(some))
        left = exists().where(run_numbers.c.run_id == runs.c.id)
        yield delete(runs).where(ours, ~left)
        yield delete(run_stops).where(run_stops.c.reference.like(f"{change}/%"))

    async def oldest_events(self, before: datetime) -> list[Event]:
        """Return a portion of the oldest events that may be removed.

        They are older than ``before``, and so are all events before them. An event of a change that is not pruned
        stays, with all later ones, so that the chain has no gaps.
        """
        statement = (
            select(events, changes.c.pruned_at)
            .outerjoin(changes, changes.c.id == events.c.change_id)
            .order_by(events.c.id)
            .limit(PORTION)
        )
        found: list[Event] = []
        for row in await self._connection.execute(statement):
            if row.at >= before or (row.change_id is not None and row.pruned_at is None):
                break
            columns = {name: value for name, value in row._asdict().items() if name not in {"change_id", "pruned_at"}}
            found.append(Event(change=row.change_id, **columns))
        return found

    async def remove_events(self, last: int) -> int:
        """Remove the events up to the id ``last`` and return how many there were."""
        return (await self._connection.execute(delete(events).where(events.c.id <= last))).rowcount
