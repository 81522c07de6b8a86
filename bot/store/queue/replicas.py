"""The living replicas, and freeing the work of dead ones.

A replica proves that it lives with a connection on which it keeps a transaction open, holding a lock on its name. The
end of the process ends the connection and so the lock: at once after kill -9, after a few seconds when the machine or
the network is gone. A process that is only stopped keeps both, and its claims until they expire.

One of the living replicas reports the figures of the whole database.
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
#: Tables with a replica's name in ``owner``: due work, and the reporter of the figures.
_HELD: Final = (tasks, runs, outbox, reporter)
#: The server must not end this transaction for its silence, and must notice within seconds that the client is gone.
_KEPT: Final = text(
    "SELECT set_config('idle_in_transaction_session_timeout', '0', true), "
    "set_config('tcp_keepalives_idle', '2', true), "
    "set_config('tcp_keepalives_interval', '1', true), "
    "set_config('tcp_keepalives_count', '2', true)"
)


async def prove_life(connection: AsyncConnection, name: str) -> None:
    """Take the lock on ``name``, which lasts as long as the transaction. An earlier holder of the name may linger."""
    await connection.execute(_KEPT)
    await connection.execute(select(func.pg_advisory_xact_lock_shared(_NAMES, func.hashtext(name))))


class Replicas:
    """The replicas that hold claims."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def dead(self, *, besides: str) -> list[str]:
        """Return the names with claims whose replicas no longer live; for PostgreSQL only."""
        held = union(*(select(table.c.owner).where(table.c.owner.is_not(None)) for table in _HELD))
        names = [name for name in (await self._connection.execute(held)).scalars() if name != besides]
        free = func.pg_try_advisory_xact_lock
        return [name for name in names if await self._connection.scalar(select(free(_NAMES, func.hashtext(name))))]

    async def release(self, name: str, now: datetime) -> int:
        """Free the claims of ``name`` and return how many; not yet where a request of it may still be under way."""
        freed = 0
        for table in _HELD:
            mine = table.c.owner == name
            if "busy_until" in table.c:
                mine &= or_(table.c.busy_until.is_(None), table.c.busy_until < now)
            result = await self._connection.execute(update(table).where(mine).values(owner=None, claimed_until=None))
            freed += result.rowcount
        return freed


#: How long after a report no other replica reports: longer than the usual interval of Prometheus.
TERM: Final = timedelta(seconds=90)
_ROW: Final = 1


class Reporter:
    """The table of the replica that reports; on PostgreSQL only, by its clock."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def leave(self, name: str) -> None:
        """Let another replica report from now on, if ``name`` does."""
        await self._connection.execute(update(reporter).where(reporter.c.owner == name).values(owner=None))

    async def take(self, name: str) -> bool:
        """Tell whether ``name`` reports now: no other replica does, or did recently."""
        until = func.now() + TERM
        taking = insert(reporter).values(id=_ROW, owner=name, claimed_until=until)
        statement = taking.on_conflict_do_update(
            index_elements=[reporter.c.id],
            set_={"owner": name, "claimed_until": until},
            where=or_(reporter.c.owner == name, reporter.c.owner.is_(None), reporter.c.claimed_until < func.now()),
        ).returning(reporter.c.owner)
        return (await self._connection.execute(statement)).first() is not None
