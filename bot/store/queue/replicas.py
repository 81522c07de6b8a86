"""Which replicas are there, and what the others do with the work of one that is not.

A replica proves that it lives with a connection on which it keeps a transaction open, and in it a lock on its name.
Whatever ends the process ends the connection, and with it the lock: at once after kill -9, after a few seconds when the
machine or the network is gone. A process that is only stopped keeps both, and its claims until they run out.

One of those that are there reports the figures of the whole database.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select, text, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import outbox, reporter, runs, tasks

#: Any number, the same in every version: the class of the locks on names.
_NAMES: Final = 4_711_044
#: Where a replica's name is in ``owner``: due work, and who reports the figures.
_HELD: Final = (tasks, runs, outbox, reporter)
#: The server must not end this transaction for its silence, and has to notice within seconds that nobody is there.
_KEPT: Final = text(
    "SELECT set_config('idle_in_transaction_session_timeout', '0', true), "
    "set_config('tcp_keepalives_idle', '2', true), "
    "set_config('tcp_keepalives_interval', '1', true), "
    "set_config('tcp_keepalives_count', '2', true)"
)


async def prove_life(connection: AsyncConnection, name: str) -> None:
    """Take the lock on ``name``, which lasts as long as the transaction. An earlier one of the same name may linger."""
    await connection.execute(_KEPT)
    await connection.execute(select(func.pg_advisory_xact_lock_shared(_NAMES, func.hashtext(name))))


class Replicas:
    """The replicas that hold claims."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def dead(self, *, besides: str) -> list[str]:
        """Return those with claims that do not live any more; for PostgreSQL only."""
        held = union(*(select(table.c.owner).where(table.c.owner.is_not(None)) for table in _HELD))
        names = [name for name in (await self._connection.execute(held)).scalars() if name != besides]
        free = func.pg_try_advisory_xact_lock
        return [name for name in names if await self._connection.scalar(select(free(_NAMES, func.hashtext(name))))]

    async def release(self, name: str, now: datetime) -> int:
        """Free what ``name`` holds and return how much; not yet where a request of it may still be under way."""
        freed = 0
        for table in _HELD:
            mine = table.c.owner == name
            if "busy_until" in table.c:
                mine &= or_(table.c.busy_until.is_(None), table.c.busy_until < now)
            result = await self._connection.execute(update(table).where(mine).values(owner=None, claimed_until=None))
            freed += result.rowcount
        return freed


#: For how long nobody else reports after a report: longer than the usual pause between two looks of Prometheus.
TERM: Final = timedelta(seconds=90)
_ROW: Final = 1


class Reporter:
    """The table of the one replica that reports; on PostgreSQL only, by its clock."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def leave(self, name: str) -> None:
        """Let somebody else report from now on, if ``name`` does."""
        await self._connection.execute(update(reporter).where(reporter.c.owner == name).values(owner=None))

    async def take(self, name: str) -> bool:
        """Tell whether ``name`` reports now: nobody else does, or did for a while."""
        until = func.now() + TERM
        taking = insert(reporter).values(id=_ROW, owner=name, claimed_until=until)
        statement = taking.on_conflict_do_update(
            index_elements=[reporter.c.id],
            set_={"owner": name, "claimed_until": until},
            where=or_(reporter.c.owner == name, reporter.c.owner.is_(None), reporter.c.claimed_until < func.now()),
        ).returning(reporter.c.owner)
        return (await self._connection.execute(statement)).first() is not None
