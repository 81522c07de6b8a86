"""Locks on numbers, which two changes never touch at once; and freezes, under which nothing is submitted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.locks import Freeze, Held, Lock
from bot.errors import Superseded
from bot.store.tables import changes, freezes, locks, operations

#: Stands for all ids in a change whose numbers nobody knows before they are changed.
EVERY: Final = "*"
#: Numbers read or written in one statement; SQLite allows at most 32,766 parameters.
CHUNK = 500
_TAKEN: Final = "Some of these numbers were locked by another change in the meantime. Plan again to see which."


class Locks:
    """The table of locks. A change holds its locks from the request for approval to its end, whatever that is.

    A temporary change ends when its numbers have been restored; the restore works under its locks.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, change: int, provider: str, numbers: Collection[str], now: datetime) -> None:
        """Lock ``numbers`` (provider ids) for ``change``: all of them, or none and Superseded.

        :data:`EVERY` stands for all numbers of the provider: it is granted only while nobody holds any.
        """
        async with self._taking(change, provider, every=EVERY in numbers):
            for chunk in _chunks(numbers):
                rows = [{"provider": provider, "number_id": n, "change_id": change, "at": now} for n in chunk]
                await self._connection.execute(locks.insert(), rows)

    async def take_planned(self, change: int, provider: str, now: datetime) -> None:
        """Lock the numbers that the plan of ``change`` changes, as :meth:`take` does, without reading them."""
        planned = select(
            literal(provider), operations.c.number_id, operations.c.change_id, literal(now, locks.c.at.type)
        ).where(operations.c.change_id == change, operations.c.batch.is_not(None))
        columns = [locks.c.provider, locks.c.number_id, locks.c.change_id, locks.c.at]
        async with self._taking(change, provider):
            await self._connection.execute(locks.insert().from_select(columns, planned))

    @asynccontextmanager
    async def _taking(self, change: int, provider: str, *, every: bool = False) -> AsyncIterator[None]:
        """Take locks in the block, all or none: raise Superseded when another change holds one of them."""
        # Another change with a lock on every number is in the way; a request for every number conflicts with any lock.
        others = select(func.count()).where(locks.c.provider == provider, locks.c.change_id != change)
        if not every:
            others = others.where(locks.c.number_id == EVERY)
        if await self._connection.scalar(others):
            raise Superseded(_TAKEN)
        try:
            async with self._connection.begin_nested():
                yield
        except IntegrityError as error:
            raise Superseded(_TAKEN) from error

    async def everything(self, provider: str, *, besides: int) -> Mapping[int, int]:
        """Return change -> how many numbers of ``provider`` it holds, for every other change with locks."""
        statement = (
            select(locks.c.change_id, func.count().label("numbers"))
            .where(locks.c.provider == provider, locks.c.change_id != besides)
            .group_by(locks.c.change_id)
        )
        return {row.change_id: row.numbers for row in await self._connection.execute(statement)}

    async def holders(self, provider: str, numbers: Collection[str], *, besides: int) -> Mapping[str, int]:
        """Return number id -> the change that holds it, for those of ``numbers`` that other changes hold."""
        held: dict[str, int] = {}
        others = (locks.c.provider == provider, locks.c.change_id != besides)
        if await self._connection.scalar(select(locks.c.change_id).where(*others).limit(1)) is None:
            return held
        every = await self._connection.scalar(select(locks.c.change_id).where(*others, locks.c.number_id == EVERY))
        if every is not None:
            return dict.fromkeys(numbers, every)
        for chunk in _chunks(numbers):
            statement = select(locks.c.number_id, locks.c.change_id).where(*others, locks.c.number_id.in_(chunk))
            for row in await self._connection.execute(statement):
                held[row.number_id] = row.change_id
        return held

    async def holder(self, provider: str, number: str) -> Held | None:
        """Return the change that holds one number (by id), and since when; None when none does."""
        statement = (
            select(locks.c.change_id, locks.c.at, changes.c.requester, changes.c.ends_at)
            .join(changes, changes.c.id == locks.c.change_id)
            .where(locks.c.provider == provider, locks.c.number_id.in_([number, EVERY]))
        )
        row = (await self._connection.execute(statement)).first()
        if row is None:
            return None
        return Held(change=row.change_id, requester=row.requester, since=row.at, numbers=1, until=row.ends_at)

    async def held(self, change: int) -> bool:
        """Tell whether ``change`` holds its numbers. They are taken together and released together.

        A part of a temporary change uses the locks of that change.
        """
        whole = select(func.coalesce(changes.c.part_of, changes.c.id)).where(changes.c.id == change).scalar_subquery()
        statement = select(locks.c.change_id).where(locks.c.change_id == whole).limit(1)
        return (await self._connection.execute(statement)).first() is not None

    async def release(self, change: int) -> int:
        """Release everything that ``change`` holds, and return how many numbers that was."""
        return (await self._connection.execute(delete(locks).where(locks.c.change_id == change))).rowcount

    async def list(self) -> Sequence[Lock]:
        """Return who holds how many numbers since when, the oldest first."""
        about = (changes.c.requester, changes.c.state, changes.c.starts_at, changes.c.ends_at)
        statement = (
            select(
                locks.c.change_id,
                locks.c.provider,
                func.count().label("numbers"),
                func.min(locks.c.at).label("since"),
                *about,
            )
            .join(changes, changes.c.id == locks.c.change_id)
            .group_by(locks.c.change_id, locks.c.provider, *about)
            .order_by(func.min(locks.c.at), locks.c.change_id)
        )
        return [
            Lock(
                change=row.change_id,
                provider=row.provider,
                numbers=row.numbers,
                since=row.since,
                requester=row.requester,
                state=ChangeState(row.state),
                starts=row.starts_at,
                until=row.ends_at,
            )
            for row in await self._connection.execute(statement)
        ]


def _chunks(numbers: Collection[str]) -> Iterator[list[str]]:
    rest = iter(numbers)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


class Freezes:
    """The table of freezes; at most one is in force."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def current(self) -> Freeze | None:
        """Return the freeze in force; None when there is none."""
        statement = select(freezes).where(freezes.c.lifted_at.is_(None)).order_by(freezes.c.id.desc()).limit(1)
        row = (await self._connection.execute(statement)).first()
        return Freeze(by=row.by, reason=row.reason, at=row.at) if row is not None else None

    async def add(self, freeze: Freeze) -> None:
        """Put a freeze into force."""
        await self._connection.execute(freezes.insert().values(by=freeze.by, reason=freeze.reason, at=freeze.at))

    async def lift(self, by: str, now: datetime) -> bool:
        """Lift the freeze in force; False when there was none."""
        statement = update(freezes).where(freezes.c.lifted_at.is_(None)).values(lifted_by=by, lifted_at=now)
        return (await self._connection.execute(statement)).rowcount > 0
