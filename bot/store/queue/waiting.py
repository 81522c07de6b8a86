"""Rescheduling after the clock was set: times that were near are now far, or have come early."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.queue.tasks import Task
from bot.store.tables import batches, events, outbox, runs, tasks

#: Tasks at wall-clock times, which people were told: a deadline, a reminder, a day.
_ON_THE_WALL: Final = (Task.EXPIRE, Task.REMIND, Task.FALLBACK, Task.DISCARD, Task.PRUNE)
#: Tasks that send a message themselves: one that an earlier attempt may have sent is waited for before it is repeated.
_SAYING: Final = (Task.DELEGATION, Task.EXPORT_VALUES)
#: Times of a batch from which pauses are counted.
_COUNTED_FROM: Final = ("attempted_at", "submitted_at", "unanswered_since", "progressed_at", "slot_refused_at")


class Waiting:
    """Due times, leases and the times from which pauses are counted, in all tables."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def latest(self) -> datetime | None:
        """Return the time of the newest event or delivered message, by the clock of that time; None before any."""
        event = select(events.c.at).order_by(events.c.id.desc()).limit(1)
        moments = [
            await self._connection.scalar(event),
            await self._connection.scalar(select(func.max(outbox.c.sent_at))),
        ]
        return max((moment for moment in moments if moment is not None), default=None)

    async def check_again(self, now: datetime, lease: timedelta) -> None:
        """Make waiting work due now, shorten claims to one lease, and move recorded times out of the future.

        Work that is checked too early waits on. A check of numbers dated ahead of now no longer counts, so they are
        checked again before their batch is sent.
        """
        on_the_wall = tasks.c.task.in_([task.value for task in _ON_THE_WALL])
        until = now + lease
        statements = [
            update(tasks).where(tasks.c.due_at > now, tasks.c.owner.is_(None), ~on_the_wall).values(due_at=now),
            update(outbox).where(outbox.c.due_at > now, outbox.c.owner.is_(None)).values(due_at=now),
            update(outbox).where(outbox.c.sent_at > now).values(sent_at=now),
            update(runs).where(runs.c.due_at > now).values(due_at=now),
            *(
                update(table).where(table.c.claimed_until > until).values(claimed_until=until)
                for table in (tasks, outbox, runs)
            ),
            *(update(table).where(table.c.busy_until > until).values(busy_until=until) for table in (tasks, runs)),
            *(update(batches).where(batches.c[name] > now).values({name: now}) for name in _COUNTED_FROM),
            update(batches).where(batches.c.checked_at > now).values(checked_at=null()),
        ]
        for statement in statements:
            await self._connection.execute(statement)

    async def wait_anew(self) -> None:
        """Give Slack the full time again for messages that it may be posting: the previous time may not be over."""
        saying = tasks.c.task.in_([task.value for task in _SAYING])
        await self._connection.execute(update(outbox).where(outbox.c.settled > 0).values(settled=0))
        await self._connection.execute(update(tasks).where(tasks.c.waits > 0, saying).values(waits=0))
