"""Due work: which task, on what, when, and who has claimed it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Delete, Update, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import ClaimLost
from bot.store.queue.claims import claim_due, claiming
from bot.store.tables import tasks


class Task(Enum):
    """The tasks. The subject is the id of a change, a batch, a value export or a delegation."""

    PLAN = "plan"  #: read the provider and make the plan of a change
    DISCARD = "discard"  #: give up a plan for which nobody requested approval
    EXPIRE = "expire"  #: end an undecided request
    REMIND = "remind"  #: remind approvers who have not answered
    FALLBACK = "fallback"  #: ask the fallback approvers of a stage whose request has waited too long
    START = "start"  #: begin an approved change at its time; tell approvers if the time comes before a decision
    SUBMIT = "submit"  #: send a batch
    RECONCILE = "reconcile"  #: find out whether an unanswered submission made a job
    POLL = "poll"  #: poll a batch's job
    ESCALATE = "escalate"  #: tell operators that a change waits for them
    VERIFY = "verify"  #: read back the numbers of a change whose batches have all settled
    FINISH = "finish"  #: determine the outcome of a change whose numbers have been read back
    END = "end"  #: restore the numbers of a temporary change at its end, then conclude it
    WIPE = "wipe"  #: wipe the secrets of a discarded change whose form was open again
    PRUNE = "prune"  #: reduce what ended long ago to its summary; the subject is 0
    EXPORT_VALUES = "export_values"  #: read current values for somebody who wants them as a sheet
    DELEGATION = "delegation"  #: tell the delegate of a delegation, and note its end at its time


#: Tasks on a batch, and those that belong to no change; all others are on a change.
ON_BATCHES: Final = frozenset({Task.SUBMIT, Task.RECONCILE, Task.POLL})
ON_NO_CHANGE: Final = frozenset({Task.PRUNE, Task.EXPORT_VALUES, Task.DELEGATION})
#: The columns of an unclaimed task.
_FREE: Final = {"owner": None, "claimed_until": None, "busy_until": None}
#: A task of another version is left to that version: this one could not even read the row.
_KNOWN: Final = tasks.c.task.in_([task.value for task in Task])
_CLAIMING: Final = claiming(tasks, condition=_KNOWN)
_NEXT_DUE: Final = select(func.min(tasks.c.due_at)).where(tasks.c.owner.is_(None), _KNOWN)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one task on one subject until the lease ends."""

    id: int
    task: Task
    subject: int
    #: How often it was claimed since it was made due, this time included; distinguishes claims.
    attempts: int
    #: The worker whose right it is.
    owner: str
    #: How many of the earlier attempts found only that they must wait.
    waits: int = 0

    @property
    def key(self) -> str:
        """The work itself, independent of the claim."""
        return f"{self.task.value}:{self.subject}"

    @property
    def tries(self) -> int:
        """How often it was really tried, this time included."""
        return self.attempts - self.waits


Handler: TypeAlias = Callable[[Claim], Awaitable[None]]
_Method = TypeVar("_Method", bound=Callable[..., Awaitable[None]])
#: Attribute of a method with its task.
_HANDLES: Final = "handles"


def handles(task: Task) -> Callable[[_Method], _Method]:
    """Mark the method below as the handler of ``task``."""

    def mark(method: _Method) -> _Method:
        setattr(method, _HANDLES, task)
        return method

    return mark


def handlers_of(*parts: object) -> Mapping[Task, Handler]:
    """Return the handler of each task, found in ``parts``; raises ValueError unless each task has exactly one."""
    found = [
        (task, getattr(part, name))
        for part in parts
        for name, method in vars(type(part)).items()
        if (task := getattr(method, _HANDLES, None)) is not None
    ]
    if sorted(task.value for task, _ in found) != sorted(task.value for task in Task):
        raise ValueError(f"each task has one handler, but these were given: {[task.value for task, _ in found]}")
    return dict(found)


class Tasks:
    """The table of due work."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, task: Task, subject: int, due_at: datetime) -> None:
        """Make ``task`` due on ``subject``; if it is already there, move it to the new time and free it."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(tasks).values(task=task.value, subject=subject, due_at=due_at)
        fresh = {"due_at": due_at, **_FREE, "attempts": 0, "waits": 0}
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["task", "subject"], set_=fresh))

    async def ensure(self, task: Task, subject: int, due_at: datetime) -> None:
        """Make ``task`` due on ``subject``, unless it is already there, due at any time."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(tasks).values(task=task.value, subject=subject, due_at=due_at)
        await self._connection.execute(statement.on_conflict_do_nothing(index_elements=["task", "subject"]))

    async def add_many(self, task: Task, subjects: Iterable[int], due_at: datetime) -> None:
        """Make ``task`` due on each of ``subjects``, none of which has it yet."""
        rows = [{"task": task.value, "subject": subject, "due_at": due_at} for subject in subjects]
        if rows:
            await self._connection.execute(tasks.insert(), rows)

    async def claim(self, *, owner: str, now: datetime, lease: timedelta, limit: int) -> list[Claim]:
        """Claim up to ``limit`` due tasks; see :mod:`bot.store.queue.claims` for which can be claimed."""
        rows = await claim_due(self._connection, _CLAIMING, owner=owner, now=now, lease=lease, limit=limit)
        return [
            Claim(
                id=row.id,
                task=Task(row.task),
                subject=row.subject,
                attempts=row.attempts,
                owner=owner,
                waits=row.waits,
            )
            for row in rows
        ]

    async def leave(self, claims: Iterable[Claim]) -> None:
        """Undo ``claims`` that nobody has started: each task is due again as before."""
        for claim in claims:
            statement = update(tasks).where(_claimed(claim))
            await self._connection.execute(statement.values(**_FREE, attempts=tasks.c.attempts - 1))

    async def busy(self, claim: Claim, until: datetime) -> None:
        """Note that a request for the task is about to go out, so nobody may take it over before ``until``."""
        await self._connection.execute(update(tasks).where(_claimed(claim)).values(busy_until=until))

    async def held(self, claim: Claim) -> bool:
        """Tell whether ``claim`` still holds; asked inside the transaction that acts on it."""
        return (await self._connection.execute(select(tasks.c.id).where(_claimed(claim)))).first() is not None

    async def done(self, claim: Claim) -> None:
        """Remove the finished task.

        Raises :class:`bot.errors.ClaimLost` when it has been taken over, removed or made due again since. Unless that
        is caught, the transaction writes nothing: the task's new holder does the work.
        """
        await self._end(claim, delete(tasks))

    async def again(self, claim: Claim, due_at: datetime, *, waited: bool = False) -> None:
        """Give the claim back and make the task due at ``due_at``; raises ClaimLost as :meth:`done` does.

        A task that only ``waited``, for example for a free slot, has not failed: the next failure counts as the first.
        """
        statement = update(tasks).values(due_at=due_at, **_FREE)
        await self._end(claim, statement.values(waits=tasks.c.attempts) if waited else statement)

    async def _end(self, claim: Claim, statement: Update | Delete) -> None:
        if (await self._connection.execute(statement.where(_claimed(claim)))).rowcount == 0:
            raise ClaimLost

    async def remove(self, task: Task, subjects: Iterable[int]) -> None:
        """Remove ``task`` on ``subjects``."""
        statement = delete(tasks).where(tasks.c.task == task.value, tasks.c.subject.in_(list(subjects)))
        await self._connection.execute(statement)

    async def stop_waiting(self, change: int) -> None:
        """Remove the tasks of a request for approval that has been decided."""
        for task in (Task.EXPIRE, Task.REMIND, Task.FALLBACK, Task.START):
            await self.remove(task, [change])

    async def extend(self, ids: Iterable[int], owner: str, until: datetime) -> None:
        """Extend those of the claims that ``owner`` still holds to ``until``."""
        statement = update(tasks).where(tasks.c.id.in_(list(ids)), tasks.c.owner == owner).values(claimed_until=until)
        await self._connection.execute(statement)

    async def release_all(self) -> None:
        """Free every claim, whoever holds it; only for a database that nobody else can be using."""
        await self._connection.execute(update(tasks).values(**_FREE))

    async def release(self, owner: str, but: Collection[int] = ()) -> None:
        """Give back everything that ``owner`` holds, ``but`` these."""
        statement = update(tasks).where(tasks.c.owner == owner, tasks.c.id.not_in(list(but)))
        await self._connection.execute(statement.values(**_FREE))

    async def hasten(self, task: Task, now: datetime, subjects: Iterable[int]) -> None:
        """Make ``task`` due now on those of ``subjects`` where it waits unclaimed for a later time."""
        if not (waiting := list(subjects)):
            return
        statement = (
            update(tasks)
            .where(
                tasks.c.task == task.value,
                tasks.c.subject.in_(waiting),
                tasks.c.owner.is_(None),
                tasks.c.due_at > now,
            )
            .values(due_at=now)
        )
        await self._connection.execute(statement)

    async def hasten_all(self, task: Task, now: datetime) -> None:
        """Make ``task`` due now wherever it waits unclaimed for a later time."""
        statement = (
            update(tasks)
            .where(tasks.c.task == task.value, tasks.c.owner.is_(None), tasks.c.due_at > now)
            .values(due_at=now)
        )
        await self._connection.execute(statement)

    async def next_due(self) -> datetime | None:
        """Return when the next unclaimed task is due; None when there is none."""
        due: datetime | None = (await self._connection.execute(_NEXT_DUE)).scalar()
        return due

    async def unknown(self) -> list[str]:
        """Return the names of tasks that this version does not know: nobody carries them out."""
        statement = select(tasks.c.task).where(~_KNOWN).distinct().order_by(tasks.c.task)
        return list((await self._connection.execute(statement)).scalars())

    async def count(self, task: Task) -> int:
        """Return how many subjects have ``task`` due, now or later."""
        statement = select(func.count()).select_from(tasks).where(tasks.c.task == task.value)
        return (await self._connection.execute(statement)).scalar_one()


def _claimed(claim: Claim) -> ColumnElement[bool]:
    """Return the condition that a row is still the claimed one.

    The id alone is not enough: SQLite gives the id of a deleted row to the next one, and a task that was made due
    again, or taken over, keeps its row.
    """
    return and_(
        tasks.c.id == claim.id,
        tasks.c.task == claim.task.value,
        tasks.c.subject == claim.subject,
        tasks.c.attempts == claim.attempts,
        tasks.c.owner == claim.owner,
    )
