"""The one statement by which a worker gets the right to act on due rows.

A row can be claimed when all of these hold:

- it is due: its ``due_at`` is not after now;
- its state has work to do;
- nobody holds it: it has no owner, or its owner's claim has expired (so a dead worker's claims are taken over), and so
has the time limit of a request that its owner may have under way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, Table, bindparam, null, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate


def claiming(
    table: Table,
    *,
    condition: ColumnElement[bool] | None = None,
    also: Mapping[str, ColumnElement[Any]] | None = None,
) -> ReturningUpdate[Any]:
    """Return the statement that claims due rows of ``table``, to be executed by :func:`claim_due`.

    ``also`` is written with each claim. It is one conditional UPDATE: of two workers that ask at once, each row goes to
    one. It is built once: workers look for due rows all the time, and building it takes longer than executing it.
    """
    now: BindParameter[datetime] = bindparam("claim_now")
    over, anew = table.c.claimed_until < now, dict(also or {})
    if "busy_until" in table.c:
        anew["busy_until"] = null()
        over &= or_(table.c.busy_until.is_(None), table.c.busy_until < now)
    free = or_(table.c.owner.is_(None), over)
    wanted = condition if condition is not None else true()
    due = (
        select(table.c.id)
        .where(table.c.due_at <= now, free, wanted)
        .order_by(table.c.due_at, table.c.id)
        .limit(bindparam("claim_limit"))
    )
    claim: dict[str, BindParameter[Any]] = {
        "owner": bindparam("claim_owner"),
        "claimed_until": bindparam("claim_until"),
    }
    return (
        update(table)
        .where(table.c.id.in_(due), free)
        .values(**claim, attempts=table.c.attempts + 1, **anew)
        .returning(*table.c)
    )


async def claim_due(
    connection: AsyncConnection,
    statement: ReturningUpdate[Any],
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    **parameters: str,
) -> Sequence[Row[Any]]:
    """Claim up to ``limit`` due rows for ``owner`` until ``now + lease``; return them, oldest due first.

    ``parameters`` are for the values that the statement writes besides.
    """
    claim = {"claim_owner": owner, "claim_now": now, "claim_until": now + lease, "claim_limit": limit}
    rows = (await connection.execute(statement, {**claim, **parameters})).all()
    return sorted(rows, key=lambda row: (row.due_at, row.id))
