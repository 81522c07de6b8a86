"""The loops that do due work: tasks and messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TypeAlias, TypeVar

import structlog

from bot.changes.model.messages import OutboxMessage
from bot.errors import DatabaseUnavailable
from bot.store.engine.driver_errors import repeated
from bot.store.queue.tasks import Claim, Handler, Task
from bot.workflow.alerts import FailureAlerts
from bot.workflow.context import Context, Wakeup
from bot.workflow.loops.claimed_messages import ClaimedMessages
from bot.workflow.loops.claimed_tasks import ClaimedTasks
from bot.workflow.loops.clock_watch import ClockWatch
from bot.workflow.loops.replica_life import ReplicaLife

log = structlog.get_logger(__name__)

#: Most tasks, and most messages, worked on at once.
CONCURRENCY = 16
#: Longest pause between two polls of the table, in seconds; other replicas may have made work due.
IDLE = 1.0
#: How long running work may continue after a stop was requested, in seconds. SIGTERM allows ten for everything.
GRACE = 4.0
#: Longest pause before a database that accepts no writes is tried again, in seconds.
LONGEST_BACKOFF = 15.0

_Item = TypeVar("_Item", Claim, OutboxMessage)
#: The claimed items, and when the next unclaimed one is due; None when there is none.
_Due: TypeAlias = tuple[list[_Item], datetime | None]


class Worker:
    """Claims due tasks and messages and carries them out until it is stopped.

    Claims are renewed while their task runs, so leases can be short and a dead worker's work is soon taken over.
    """

    def __init__(
        self,
        context: Context,
        handlers: Mapping[Task, Handler],
        deliver: Callable[[OutboxMessage], Awaitable[None]],
        *,
        name: str,
    ) -> None:
        self._context = context
        self._name = name
        alerts = FailureAlerts(context)
        self._life = ReplicaLife(context, name=name, pause=IDLE)
        self._clock_watch = ClockWatch(context, pause=IDLE)
        self._tasks = ClaimedTasks(context, handlers, alerts, name=name)
        self._messages = ClaimedMessages(context, deliver, alerts, self._life, name=name)
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        #: How often in a row the database refused to hand out work.
        self._refusals = 0

    async def run(self) -> None:
        """Work until :meth:`stop`; then let running work end within the grace period and give back the rest."""
        if not self._context.database.shared:
            await self._take_over()
        try:
            async with asyncio.TaskGroup() as group:
                renewing = group.create_task(self._renew())
                watching = group.create_task(self._clock_watch.run())
                living = group.create_task(self._life.run())
                loops = (
                    group.create_task(
                        self._loop("claim tasks", self._tasks.claim, self._tasks.do, self._context.task_wakeup)
                    ),
                    group.create_task(
                        self._loop(
                            "claim messages", self._messages.claim, self._messages.send, self._context.outbox_wakeup
                        )
                    ),
                )
                await self._stopping.wait()
                self._context.ring()
                await asyncio.wait(loops)
                await asyncio.wait(self._running or {renewing}, timeout=GRACE if self._running else 0)
                renewing.cancel()
                watching.cancel()
                living.cancel()
        finally:
            await self._cancel_running()
        if not self._context.database.trouble:  # a stop cannot wait for it; the next start takes the claims over
            with suppress(DatabaseUnavailable):
                await self._release(self._name)

    def stop(self) -> None:
        """Ask the worker to stop."""
        self._stopping.set()

    async def _take_over(self) -> None:
        """Free every claim: on SQLite nobody else can be working, so any holder is dead."""
        async with self._context.database.transaction() as tx:
            await tx.tasks.release_all()
            await tx.deliveries.release_all()

    async def _release(self, owner: str, *, at_work: bool = False) -> None:
        """Give back what ``owner`` holds, except work ``at_work``, which another replica would begin again."""
        async with self._context.database.transaction() as tx:
            await tx.tasks.release(owner, self._tasks.ids if at_work else ())
            await tx.deliveries.release(owner, self._messages.ids if at_work else ())

    async def _loop(
        self,
        doing: str,
        claim: Callable[[int], Awaitable[_Due[_Item]]],
        handle: Callable[[_Item], Awaitable[None]],
        wakeup: Wakeup,
    ) -> None:
        mine: set[asyncio.Task[None]] = set()
        while not self._stopping.is_set():
            room = CONCURRENCY - len(mine)
            items, next_due = await self._claimed(doing, claim, room) if room else ([], None)
            for item in items:
                task = asyncio.ensure_future(handle(item))
                for tasks in (mine, self._running):
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                task.add_done_callback(lambda _: wakeup.ring())
            if len(items) < room or not room:  # the other due items are all being worked on, or must wait for room
                await wakeup.wait(self._idle(next_due))

    def _idle(self, next_due: datetime | None) -> float:
        """Return how many seconds to wait: until an item is due, within limits."""
        if next_due is None:
            return IDLE
        # A due item that was not claimed waits for something else, such as a thread for its card.
        remaining = (next_due - self._context.clock()).total_seconds()
        return min(max(remaining, 0.01), IDLE) if remaining > 0 else IDLE / 4

    async def _claimed(self, doing: str, claim: Callable[[int], Awaitable[_Due[_Item]]], room: int) -> _Due[_Item]:
        try:
            if self._context.database.trouble:
                await self._context.database.probe()  # nothing new is begun before the database accepts writes again
                # Claims that could not be given back meanwhile are given back; work in hand is not begun a second time.
                await self._release(self._name, at_work=self._context.database.shared)
            if self._context.database.skew:
                await self._context.database.ping()  # this reads the server's time again
            if self._context.database.skew or not self._life.seen:
                due: _Due[_Item] = [], None
            else:
                due = await repeated(lambda: self._looked(claim, room), self._context.chance)
                self._context.health.went_well(doing)
        except DatabaseUnavailable as error:  # a full disk, a locked or lost database: work stops, and resumes after it
            await self._back_off(error)
            return [], None
        except Exception as error:  # no other error may end the loop: it is tried again
            log.exception("cannot claim work", doing=doing)
            self._context.health.failed(doing, error)
            await asyncio.sleep(IDLE)
            return [], None
        if not self._context.database.trouble:  # the other loop may have met trouble meanwhile
            self._refusals = 0
        return due

    async def _looked(self, claim: Callable[[int], Awaitable[_Due[_Item]]], room: int) -> _Due[_Item]:
        await self._clock_watch.look()
        return await claim(room)

    async def _back_off(self, error: DatabaseUnavailable) -> None:
        """Wait longer after each refusal, but no longer than until a stop."""
        pause = min(IDLE * 2.0 ** min(self._refusals, 10), LONGEST_BACKOFF)
        if not self._refusals:  # no further line until work resumes
            log.error("no new work is started", why=error.message)
        self._refusals += 1
        try:
            async with asyncio.timeout(pause):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _renew(self) -> None:
        """Keep the claims of running tasks alive."""
        lease = self._context.timing.lease
        while True:
            await asyncio.sleep(lease.total_seconds() / 3)
            until, began = self._context.clock() + lease, self._context.steady()
            if not (self._tasks.ids or self._messages.ids):
                self._tasks.renewed(until)
                self._context.health.went_well("renew claims")
                continue
            try:
                async with self._context.database.transaction() as tx:
                    await self._tasks.extend(tx, until)
                    messages = await tx.deliveries.extend(self._messages.ids, self._name, until)
            except DatabaseUnavailable:  # the log has it already; as below
                continue
            except Exception as error:  # as above: try again at the next turn, well within the lease
                log.exception("cannot renew claims")
                self._context.health.failed("renew claims", error)
            else:
                self._context.health.went_well("renew claims")
                self._tasks.renewed(until)
                # Some messages may have been delivered meanwhile.
                self._messages.hold(self._messages.ids & messages, since=began)

    async def _cancel_running(self) -> None:
        await self._context.database.cancel(set(self._running))
