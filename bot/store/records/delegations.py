"""Delegations, one row each; a pair of people has at most one that has not ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.model.delegation import Delegation
from bot.changes.model.start import End
from bot.errors import NotFound
from bot.store.queue.tasks import Task
from bot.store.tables import delegations, tasks


class Delegations:
    """The table of delegations."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, delegation: int) -> Delegation:
        """Return the delegation; raises NotFound when it ended so long ago that it was removed."""
        return await self._one(select(delegations).where(delegations.c.id == delegation))

    async def hold(self, delegation: int) -> Delegation:
        """Return the delegation and keep other writers from it until the transaction ends; raises as :meth:`get`."""
        return await self._one(select(delegations).where(delegations.c.id == delegation).with_for_update())

    async def add(self, delegator: str, delegate: str, until: End, *, now: datetime, floor: str) -> Delegation:
        """Write a new delegation; ``floor`` is Slack's time before that, as a ``ts``."""
        statement = delegations.insert().values(
            delegator=delegator,
            delegate=delegate,
            ends_at=until.at,
            ends_zone=until.zone,
            created_at=now,
            floor=floor,
        )
        result = await self._connection.execute(statement)
        return await self.get(int(result.inserted_primary_key[0]))  # type: ignore[index]  # an INSERT of one row has a key

    async def move_end(self, delegation: Delegation, until: End, *, floor: str) -> Delegation:
        """Give a delegation another end, which its delegate must be told."""
        await self._put(delegation, ends_at=until.at, ends_zone=until.zone, version=delegation.version + 1, floor=floor)
        return await self.get(delegation.id)

    async def end(self, delegation: Delegation, at: datetime, *, by: str, floor: str) -> None:
        """Note that ``by`` ended a delegation early, which its delegate must be told."""
        await self._put(delegation, ended_at=at, ended_by=by, version=delegation.version + 1, floor=floor)

    async def lapse(self, delegation: Delegation) -> None:
        """Note that a delegation ended by itself at its time."""
        await self._put(delegation, ended_at=delegation.until.at)

    async def note_told(self, delegation: Delegation) -> None:
        """Note that the delegate was told of ``delegation`` in this version."""
        await self._put(delegation, told=delegation.version)

    async def of_pair(self, delegator: str, delegate: str) -> Delegation | None:
        """Return the delegation from ``delegator`` to ``delegate`` that nobody has ended, even if its time is over."""
        pair = (delegations.c.delegator == delegator, delegations.c.delegate == delegate)
        return next(iter(await self._read(_open(*pair))), None)

    async def to(self, delegate: str, now: datetime) -> list[Delegation]:
        """Return the current delegations to ``delegate``, oldest first."""
        return await self._read(_open(delegations.c.delegate == delegate, delegations.c.ends_at > now))

    async def by(self, delegators: Collection[str], now: datetime) -> list[Delegation]:
        """Return the current delegations by any of ``delegators``, oldest first."""
        lent = delegations.c.delegator.in_(sorted(delegators))
        return await self._read(_open(lent, delegations.c.ends_at > now))

    async def about(self, person: str, now: datetime) -> list[Delegation]:
        """Return the current delegations by and to ``person``, oldest first."""
        mine = or_(delegations.c.delegator == person, delegations.c.delegate == person)
        return await self._read(_open(mine, delegations.c.ends_at > now))

    async def all(self, now: datetime) -> list[Delegation]:
        """Return every current delegation, oldest first."""
        return await self._read(_open(delegations.c.ends_at > now))

    async def forget(self, before: datetime) -> int:
        """Remove delegations that ended before ``before`` and were told, and return how many there were.

        Decisions keep the lender of their right.
        """
        at_work = exists().where(tasks.c.task == Task.DELEGATION.value, tasks.c.subject == delegations.c.id)
        statement = delete(delegations).where(delegations.c.ended_at < before, ~at_work)
        return (await self._connection.execute(statement)).rowcount

    async def _one(self, statement: Select[Any]) -> Delegation:
        found = await self._read(statement)
        if not found:
            raise NotFound("This delegation no longer exists; `/numbers delegate` lists the current ones.")
        return found[0]

    async def _read(self, statement: Select[Any]) -> list[Delegation]:
        return [_delegation(row) for row in await self._connection.execute(statement)]

    async def _put(self, delegation: Delegation, **values: object) -> None:
        await self._connection.execute(update(delegations).where(delegations.c.id == delegation.id).values(**values))


def _open(*where: ColumnElement[bool]) -> Select[Any]:
    return select(delegations).where(*where, delegations.c.ended_at.is_(None)).order_by(delegations.c.id)


def _delegation(row: Row[Any]) -> Delegation:
    return Delegation(
        id=row.id,
        delegator=row.delegator,
        delegate=row.delegate,
        until=End(at=row.ends_at, zone=row.ends_zone),
        created_at=row.created_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        version=row.version,
        told=row.told,
        floor=row.floor,
    )
