"""The loops that do what is due: tasks, and messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

import structlog

from bot.changes.model.messages import OutboxMessage
from bot.errors import ClaimLost, DatabaseDamaged, DatabaseUnavailable, DeliveryError, ProviderError
from bot.store.engine.driver_errors import repeated
from bot.store.queue.tasks import Claim, Handler, Task
from bot.telemetry import tracing
from bot.workflow import claim_lease
from bot.workflow.alerts import FailureAlerts
from bot.workflow.clock_steps import TOLERATED, ClockSteps
from bot.workflow.context import Context, Wakeup
from bot.workflow.health import Health

log = structlog.get_logger(__name__)

#: Most tasks, and most messages, at work at once.
CONCURRENCY = 16
#: Longest pause between two looks at the table, in seconds; other replicas may have made work due.
IDLE = 1.0
#: How long running work may go on after a stop was asked for, in seconds. SIGTERM allows ten for everything.
GRACE = 4.0
#: Longest pause before a database that takes no writes is tried again, in seconds.
LONGEST_BACKOFF = 15.0
#: Pauses after a task that failed for a reason nobody foresaw.
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=5)

_Item = TypeVar("_Item", Claim, OutboxMessage)
#: What was claimed, and when the next that nobody holds is due; None when there is none.
_Due: TypeAlias = tuple[list[_Item], datetime | None]


class Worker:
    """Claims due tasks and messages and sees to them until it is stopped.

    Claims are renewed while their task runs, so a lease can be short and a dead worker's work is soon taken over.
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
        self._handlers = handlers
        self._deliver = deliver
        self._name = name
        self._alerts = FailureAlerts(context)
        self._stopping = asyncio.Event()
        self._tasks: dict[tuple[int, Task, int], Claim] = {}
        #: Id of each message at work -> until when nobody else takes it over, in seconds that are never set.
        self._messages: dict[int, float] = {}
        self._running: set[asyncio.Task[None]] = set()
        #: Until when the claims of tasks at work hold at least.
        self._renewed_until = context.clock() + context.timing.lease
        #: How often in a row the database refused to give work out.
        self._refusals = 0
        #: Whether others can see that this worker lives; where there are none, nobody has to.
        self._living = not context.database.shared

    async def run(self) -> None:
        """Work until :meth:`stop`, then let running work end within the grace and give back the rest."""
        if not self._context.database.shared:
            await self._take_over()
        try:
            async with asyncio.TaskGroup() as group:
                renewing = group.create_task(self._renew())
                watching = group.create_task(self._watch_clock())
                living = group.create_task(self._live())
                loops = (
                    group.create_task(self._loop(self._claim_tasks, self._do, self._context.task_wakeup)),
                    group.create_task(self._loop(self._claim_messages, self._send, self._context.outbox_wakeup)),
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
        if not self._context.database.trouble:  # a stop has no time to wait for it; the next start takes claims over
            with suppress(DatabaseUnavailable):
                await self._release(self._name)

    def stop(self) -> None:
        """Ask the worker to stop."""
        self._stopping.set()

    async def _take_over(self) -> None:
        """Free every claim: on SQLite nobody else can be working, so whoever holds one is dead."""
        async with self._context.database.transaction() as tx:
            await tx.tasks.release_all()
            await tx.outbox.release_all()

    async def _release(self, owner: str, *, at_work: bool = False) -> None:
        """Give back what ``owner`` holds, but for what is ``at_work``, which another replica would begin again."""
        async with self._context.database.transaction() as tx:
            await tx.tasks.release(owner, [id_ for id_, _, _ in self._tasks] if at_work else ())
            await tx.outbox.release(owner, self._messages if at_work else ())

    async def _loop(
        self, claim: Callable[[int], Awaitable[_Due[_Item]]], handle: Callable[[_Item], Awaitable[None]], wakeup: Wakeup
    ) -> None:
        mine: set[asyncio.Task[None]] = set()
        while not self._stopping.is_set():
            room = CONCURRENCY - len(mine)
            items, next_due = await self._claimed(claim, room) if room else ([], None)
            for item in items:
                task = asyncio.ensure_future(handle(item))
                for tasks in (mine, self._running):
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                task.add_done_callback(lambda _: wakeup.ring())
            if len(items) < room or not room:  # what else is due is all being done, or has to wait for room
                await wakeup.wait(self._idle(next_due))

    def _idle(self, next_due: datetime | None) -> float:
        """Return how many seconds to wait: until something is due, a little at the most."""
        if next_due is None:
            return IDLE
        # What is due and yet was not claimed waits for something else, a thread for its card say.
        remaining = (next_due - self._context.clock()).total_seconds()
        return min(max(remaining, 0.01), IDLE) if remaining > 0 else IDLE / 4

    async def _claimed(self, claim: Callable[[int], Awaitable[_Due[_Item]]], room: int) -> _Due[_Item]:
        try:
            if self._context.database.trouble:
                await self._context.database.probe()  # nothing new is begun before it takes writes again
                # What could not be given back meanwhile is; what is at work is not begun a second time, see below.
                await self._release(self._name, at_work=self._context.database.shared)
            if self._context.database.skew:
                await self._context.database.ping()  # it hears the server's time again
            waits = self._context.database.skew or not self._living
            due = ([], None) if waits else await repeated(lambda: claim(room), self._context.chance)
        except DatabaseUnavailable as error:  # a full disk, a locked or lost database: work stops, and goes on after it
            await self._back_off(error)
            return [], None
        except Exception:  # whatever else it is must not end the loop: it is tried again
            log.exception("cannot claim work")
            await asyncio.sleep(IDLE)
            return [], None
        if not self._context.database.trouble:  # which the other loop may have met meanwhile
            self._refusals = 0
        return due

    async def _back_off(self, error: DatabaseUnavailable) -> None:
        """Wait longer with each refusal, but not beyond a stop."""
        pause = min(IDLE * 2.0 ** min(self._refusals, 10), LONGEST_BACKOFF)
        if not self._refusals:  # and then nothing more until it goes on
            log.error("no new work is started", why=error.message)
        self._refusals += 1
        try:
            async with asyncio.timeout(pause):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _claim_tasks(self, room: int) -> _Due[Claim]:
        lease, now = self._context.timing.lease, self._context.clock()
        async with self._context.database.transaction() as tx:
            if self._renewed_until < now:
                # After a jump of the clock, or a time in which no claim could be renewed, one's own claims look like a
                # dead worker's. Whoever is at work on them still is, and would lose them.
                await tx.tasks.extend([id_ for id_, _, _ in self._tasks], self._name, now + lease)
            claims = await tx.tasks.claim(owner=self._name, now=now, lease=lease, limit=room)
            # What was made due again while somebody is at work on it is not begun a second time, but left for when they
            # are done: kept, it would look like their own claim, and their end of it would be the end of what is due
            # since. The id alone does not tell it: SQLite gives that of a task that was forgotten while at work to the
            # next one.
            fresh = [claim for claim in claims if _key(claim) not in self._tasks]
            await tx.tasks.leave(claim for claim in claims if claim not in fresh)
            next_due = await tx.tasks.next_due()
        self._tasks.update({_key(claim): claim for claim in fresh})
        return fresh, next_due

    async def _claim_messages(self, room: int) -> _Due[OutboxMessage]:
        began = self._context.steady()
        async with self._context.database.transaction() as tx:
            messages = await tx.outbox.claim(
                owner=self._name,
                now=self._context.clock(),
                lease=self._context.timing.lease,
                limit=room,
                floor=self._context.slack_time,
            )
            next_due = await tx.outbox.next_due()
        fresh = [message for message in messages if message.id not in self._messages]  # as above
        self._hold((message.id for message in messages), since=began)
        return fresh, next_due

    async def _do(self, claim: Claim) -> None:
        tracing.begin()
        try:
            await repeated(lambda: self._handlers[claim.task](claim), self._context.chance)
        except ClaimLost:  # whoever has the task now does all of it
            log.info("task was taken over or taken away", task=claim.task.value, subject=claim.subject)
            self._context.task_failures.end(claim.key)
        except DatabaseUnavailable as error:  # it is in the log already; the task is resumed later
            log.warning("task interrupted", task=claim.task.value, subject=claim.subject, why=error.message)
            if isinstance(error, DatabaseDamaged):
                await self._alerts.task_failed(claim, error)
            await self._retry(claim)
        except (ProviderError, DeliveryError) as error:  # a fault of theirs: a line, and it is tried again
            log.warning("task is tried again", task=claim.task.value, subject=claim.subject, why=error.message)
            await self._alerts.task_failed(claim, error)
            await self._retry(claim)
        except Exception as error:  # one task's fault must not stop the others; it is logged, told and tried again
            log.exception("task failed", task=claim.task.value, subject=claim.subject, attempts=claim.attempts)
            await self._alerts.task_failed(claim, error)
            await self._retry(claim)
        else:
            self._context.task_failures.end(claim.key)
        finally:
            self._tasks.pop(_key(claim), None)

    async def _retry(self, claim: Claim) -> None:
        pause = min(FIRST_RETRY * 2 ** min(claim.tries, 10), LONGEST_RETRY)
        try:
            async with self._context.database.transaction() as tx:
                await tx.tasks.again(claim, self._context.clock() + pause)
        except ClaimLost:  # as above
            return
        except DatabaseUnavailable:
            log.warning("a task is released later", task=claim.task.value, subject=claim.subject)
        except Exception:  # the lease runs out by itself; the loop goes on
            log.exception("cannot release a task", task=claim.task.value, subject=claim.subject)

    def _hold(self, messages: Iterable[int], *, since: float) -> None:
        """Note that messages were claimed, or their claims renewed, not before ``since``."""
        until = since + self._context.timing.lease.total_seconds()
        self._messages.update(dict.fromkeys(messages, until))

    def _is_held(self, message: int) -> bool:
        """Tell whether nobody else can have taken the message over."""
        if not self._context.database.shared:
            return True
        return self._living and self._context.steady() < self._messages.get(message, 0.0)

    async def _send(self, message: OutboxMessage) -> None:
        tracing.begin(message.change)
        claim_lease.begin(lambda: self._is_held(message.id))
        try:
            await repeated(lambda: self._deliver(message), self._context.chance)
        except DatabaseUnavailable as error:  # it is in the log already; the message may have arrived
            log.warning("message interrupted", key=message.key, why=error.message)
            if isinstance(error, DatabaseDamaged):
                await self._alerts.message_failed(message, error)
            await self._postpone(message)
        except DeliveryError as error:  # as above
            log.warning("message is tried again", key=message.key, why=error.message)
            await self._alerts.message_failed(message, error)
            await self._postpone(message)
        except Exception as error:  # as above: a message that cannot be delivered must not stop the others
            log.exception("delivery failed", key=message.key, attempts=message.attempts)
            await self._alerts.message_failed(message, error)
            await self._postpone(message)
        else:
            self._context.task_failures.end(message.key)
        finally:
            self._messages.pop(message.id, None)

    async def _postpone(self, message: OutboxMessage) -> None:
        pause = min(FIRST_RETRY * 2 ** min(message.attempts, 10), LONGEST_RETRY)
        try:
            async with self._context.database.transaction() as tx:
                await tx.outbox.postpone(
                    message,
                    owner=self._name,
                    until=self._context.clock() + pause,
                    error="an unexpected error; see the log",
                    surely_unsent=False,
                    settled=False,
                )
        except DatabaseUnavailable:
            log.warning("a message is released later", key=message.key)
        except Exception:  # as above
            log.exception("cannot release a message", key=message.key)

    async def _renew(self) -> None:
        """Keep the claims of running tasks alive."""
        lease = self._context.timing.lease
        while True:
            await asyncio.sleep(lease.total_seconds() / 3)
            until, began = self._context.clock() + lease, self._context.steady()
            if not (self._tasks or self._messages):
                self._renewed_until = until
                continue
            try:
                async with self._context.database.transaction() as tx:
                    await tx.tasks.extend([id_ for id_, _, _ in self._tasks], self._name, until)
                    messages = await tx.outbox.extend(self._messages, self._name, until)
            except DatabaseUnavailable:  # it is in the log already; as below
                continue
            except Exception:  # as above: try again at the next turn, well within the lease
                log.exception("cannot renew claims")
            else:
                self._renewed_until = until
                self._hold(self._messages.keys() & messages, since=began)  # some may have been delivered meanwhile

    async def _live(self) -> None:
        """Prove to the other replicas that this one lives, and free what dead ones hold."""
        while self._context.database.shared:
            try:
                async with self._context.database.alive(self._name) as proof:
                    self._living = True
                    self._context.health.end(Health.DATABASE)
                    self._context.ring()
                    while True:
                        await proof()
                        await self._free_the_dead()
                        await asyncio.sleep(IDLE)
            except DatabaseUnavailable as error:
                self._is_unseen(error)
            except Exception:  # as above
                log.exception("cannot prove that this replica lives")
            self._living = False
            await asyncio.sleep(IDLE)

    def _is_unseen(self, error: DatabaseUnavailable) -> None:
        """Tell that no work is taken, unless the next attempt or the database's own trouble says it all."""
        if self._living:
            log.warning("others cannot see that this replica lives", why=error.message)
        elif not self._context.database.trouble and Health.DATABASE not in self._context.health.present:
            what = f"This replica takes no work, for others cannot see that it lives. {error.message}"
            self._context.health.begin(Health.DATABASE, what)

    async def _free_the_dead(self) -> None:
        with suppress(DatabaseUnavailable):  # it is in the log already, and no sign that others cannot see this one
            await self._free_all_dead()

    async def _free_all_dead(self) -> None:
        async with self._context.database.reading() as tx:
            dead = await tx.replicas.dead(besides=self._name)
        for name in dead:
            async with self._context.database.transaction() as tx:
                # It may have come back, or another replica may have been quicker.
                if name not in await tx.replicas.dead(besides=self._name):
                    continue
                freed = await tx.replicas.release(name, self._context.clock())
            if freed:
                log.warning("work of a dead replica is taken over", dead=name, claims=freed)
                self._context.ring()

    async def _watch_clock(self) -> None:
        """Look at everything again that waits, once the clock was set back: its time would come late by as much.

        A step ahead makes work due early, which asks in vain and waits on, and claims seem to have run out: see above.
        A step back while no process was there to see it shows in moments that were written down and are still to come.
        """
        steps = ClockSteps(self._context.clock, self._context.steady)
        behind, begun = False, False
        while True:
            try:
                if not begun:
                    behind, begun = await self._was_set_back(), True
                behind = steps.measure() < timedelta(0) or behind
                if behind:
                    async with self._context.database.transaction() as tx:
                        timing = self._context.timing
                        await tx.waiting.check_again(self._context.clock(), max(timing.lease, timing.under_way))
            except DatabaseUnavailable:  # it is in the log already; as below
                pass
            except Exception:  # as above: it is tried again until it is done
                log.exception("cannot reschedule after the clock was set")
            else:
                if behind:
                    self._context.ring()
                behind = False
            await asyncio.sleep(IDLE)

    async def _was_set_back(self) -> bool:
        """Tell whether something happened, by its own word, later than it is now."""
        async with self._context.database.reading() as tx:
            latest = await tx.waiting.latest()
        ahead = latest - self._context.clock() if latest is not None else timedelta(0)
        if ahead > TOLERATED:
            log.warning("the clock was set back while Linesman was stopped", seconds=round(ahead.total_seconds()))
        return ahead > TOLERATED

    async def _cancel_running(self) -> None:
        await self._context.database.cancel(set(self._running))


def _key(claim: Claim) -> tuple[int, Task, int]:
    return claim.id, claim.task, claim.subject
