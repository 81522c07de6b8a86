"""The audit log: events, written in the same transaction as the steps that they record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from types import UnionType
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Row, Select, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.audit.events import PRUNED, ChainCheck, ChainProof, Event, Head, link, unreadable
from bot.errors import AuditLogBroken, StoreError
from bot.store.tables import audit_head, events

log = structlog.get_logger(__name__)

#: The actor when nobody clicked.
ITSELF = "linesman"
#: Rows that are read at once.
PORTION = 1000
#: Errors of reading a row into which somebody wrote something that is not JSON, a time or text. JSON with a hundred
#: thousand brackets exceeds Python's recursion limit.
UNREADABLE: Final = (ValueError, TypeError, OverflowError, RecursionError, OperationalError)
_SORTS: Final[Mapping[str, type | UnionType]] = {
    "change_id": int | None,
    "at": datetime,
    "actor": str,
    "what": str,
    "digest": str,
    "details": Mapping,
    "hash": str,
}
#: The id of the row that is the chain's head.
_HEAD = 1


class Events:
    """The table of events. Rows are only ever added, and pruned from the oldest on.

    Added events are written when the transaction ends: they get their place in the chain while the row of the chain's
    head is locked, and a lock that is taken last, and held until the commit, cannot cause a deadlock.
    """

    def __init__(self, connection: AsyncConnection, *, writing: bool) -> None:
        self._connection = connection
        self._writing = writing
        self._added: list[dict[str, Any]] = []

    async def add(
        self,
        change: int | None,
        what: str,
        *,
        at: datetime,
        actor: str = ITSELF,
        digest: str = "",
        details: Mapping[str, str | int | None] | None = None,
        **more: str | int | None,
    ) -> None:
        """Record that ``actor`` did ``what``. Details are ids, counts and words; never a secret or a setting's value.

        Raises :class:`bot.errors.StoreError` in a transaction that only reads.
        """
        if not self._writing:
            raise StoreError("An event belongs into a transaction that writes.")
        told = {**(details or {}), **more}
        self._added.append(
            {"change_id": change, "at": at, "actor": actor, "what": what, "digest": digest, "details": told}
        )

    async def seal(self) -> None:
        """Write the added events, each linked to the previous one; the last step of a transaction."""
        if not self._added:
            return
        head = await self._head()
        if head is None:
            raise StoreError(
                "The head of the audit log is missing, so nothing can be added to it: restore "
                "a backup, or ask those who can write to the database what they did."
            )
        last, newest = head.last, head.hash
        for row in self._added:
            last += 1
            newest = link(newest, _event(id=last, hash="", **row))
            row.update(id=last, hash=newest)
        await self._connection.execute(events.insert(), self._added)
        await self._connection.execute(
            update(audit_head).where(audit_head.c.id == _HEAD).values(last=last, hash=newest)
        )
        for row in self._added:
            # The hashes in the log must match those of a copied or forged audit log.
            log.info(
                "event",
                what=row["what"],
                change=row["change_id"],
                actor=row["actor"],
                details=row["details"],
                id=row["id"],
                hash=row["hash"],
            )
        self._added = []

    async def newest(self) -> int:
        """Return the id of the newest event, 0 without one; it grows with whatever happens."""
        return (await self._connection.scalar(select(func.max(events.c.id)))) or 0

    async def of(self, change: int) -> list[Event]:
        """Return the change's events in order."""
        statement = select(events).where(events.c.change_id == change).order_by(events.c.id)
        return [_read(row) for row in await self._connection.execute(statement)]

    async def stream(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        after: int = 0,
        most: int | None = None,
    ) -> AsyncIterator[Event]:
        """Stream the events from ``since`` on and before ``until`` in order, without holding them all in memory.

        Only those behind the event ``after``, and not more than ``most``.
        Raises :class:`bot.errors.AuditLogBroken` at the first event that cannot be read.
        """
        statement = select(events).where(events.c.id > after, *_between(since, until)).order_by(events.c.id).limit(most)
        found = await self._connection.stream(statement.execution_options(yield_per=PORTION))
        portions = found.partitions()  # row by row, each would cost a switch of greenlets
        last = 0
        while True:
            try:
                portion = await anext(portions, None)
            except UNREADABLE as error:
                async for event in self._singly(statement.where(events.c.id > last), error):
                    yield event
                return
            if portion is None:
                return
            for row in portion:
                event = _read(row)
                last = event.id
                yield event

    async def _singly(self, statement: Select[Any], error: Exception) -> AsyncIterator[Event]:
        """Stream the events of an unreadable portion, up to the one that cannot be read."""
        ids = await self._connection.scalars(statement.with_only_columns(events.c.id).limit(PORTION))
        for event in ids.all():
            try:
                row = (await self._connection.execute(select(events).where(events.c.id == event))).one()
            except UNREADABLE as cause:
                raise AuditLogBroken(unreadable(event)) from cause
            yield _read(row)
        raise error

    async def count(self, since: datetime | None = None, until: datetime | None = None) -> int:
        """Return how many events there are from ``since`` on and before ``until``."""
        statement = select(func.count()).select_from(events).where(*_between(since, until))
        return (await self._connection.execute(statement)).scalar_one()

    async def done_by(self, actor: str, what: str, since: datetime) -> int:
        """Return how often ``actor`` did ``what`` from ``since`` on."""
        statement = select(func.count()).where(events.c.actor == actor, events.c.what == what, events.c.at >= since)
        return (await self._connection.execute(statement)).scalar_one()

    async def verify(self) -> ChainProof:
        """Follow the whole chain and return what that proves.

        Raises :class:`bot.errors.AuditLogBroken`, which names the first event that is not as it was written.
        """
        walk = ChainCheck(await self.pruned())
        async for event in self.stream():
            walk.take(event)
        return walk.end(await self._head())

    async def pruned(self) -> Event | None:
        """Return the newest event that says which events were pruned; None when none were."""
        statement = (
            select(events)
            .where(events.c.actor == ITSELF, events.c.what == PRUNED)
            .order_by(events.c.id.desc())
            .limit(1)
        )
        try:
            row = (await self._connection.execute(statement)).first()
        except UNREADABLE as error:
            newest = await self._connection.scalar(statement.with_only_columns(events.c.id))
            if newest is None:
                raise  # a column is missing
            raise AuditLogBroken(unreadable(newest)) from error
        return _read(row) if row is not None else None

    async def _head(self) -> Head | None:
        statement = select(audit_head.c.last, audit_head.c.hash).where(audit_head.c.id == _HEAD)
        row = (await self._connection.execute(statement)).first()
        if row is None:
            return None
        if not isinstance(row.last, int) or not isinstance(row.hash, str):
            raise AuditLogBroken("The head of the audit log cannot be read: somebody changed it outside Linesman.")
        return Head(last=row.last, hash=row.hash)


def _between(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    wanted = []
    if since is not None:
        wanted.append(events.c.at >= since)
    if until is not None:
        wanted.append(events.c.at < until)
    return wanted


def _read(row: Row[Any]) -> Event:
    """Return the event in a row; raises AuditLogBroken for a column of the wrong type: SQLite accepts anything."""
    columns = row._asdict()
    if not all(isinstance(columns[name], sort) for name, sort in _SORTS.items()):
        raise AuditLogBroken(unreadable(row.id))
    return _event(**columns)


def _event(*, change_id: int | None, **columns: Any) -> Event:  # noqa: ANN401 - column values
    return Event(change=change_id, **columns)
