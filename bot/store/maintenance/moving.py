"""Moving an installation from SQLite to PostgreSQL: everything in one transaction, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    func,
    inspect,
    select,
    text,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.changes.audit.events import ChainProof
from bot.errors import StoreError
from bot.store.database import Database
from bot.store.migrations import MOVED, require_current, take_turn, upgrade
from bot.store.records.events import UNREADABLE
from bot.store.tables import metadata
from bot.store.transaction import Transaction

#: Rows that are in memory at a time.
PORTION: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """The result of a move."""

    rows: int
    proof: ChainProof


async def move(source: Database, target: Database, *, by: str, now: datetime) -> Moved:
    """Copy everything in ``source``, which nobody else may hold, into the empty ``target``, and prove it there.

    Nothing may be done twice, so no Linesman can start on ``source`` any more: that is written into it first, and
    committed right after ``target``. Raises :class:`bot.errors.StoreError`; then both are unchanged.
    """
    await require_current(source)
    async with source.connection() as old, target.connection() as new:
        await old.execute(text("UPDATE alembic_version SET version_num = :moved"), {"moved": MOVED})  # now it is ours
        await _refuse_strangers(old)
        await new.run_sync(take_turn)
        await _refuse_full(new)
        await new.run_sync(upgrade)
        for table in reversed(metadata.sorted_tables):
            await new.execute(table.delete())  # the migrations begin an audit log of their own
        rows = 0
        for table in metadata.sorted_tables:
            rows += await _copy(old, new, table)
        await _count_on(old, new)
        return Moved(rows=rows, proof=await _prove(old, new, by=by, now=now))


async def _refuse_strangers(old: AsyncConnection) -> None:
    """Raise when the source has a table that would be left behind."""
    present = {*await old.run_sync(lambda connection: inspect(connection).get_table_names())}
    if strange := sorted(present - {*metadata.tables, "alembic_version"}):
        raise StoreError(f"The database has tables that are not Linesman's ({', '.join(strange)}): remove them first.")


async def _refuse_full(new: AsyncConnection) -> None:
    """Raise when the target has any table."""
    if present := sorted(await new.run_sync(lambda connection: inspect(connection).get_table_names())):
        raise StoreError(
            f"The database to move to is not empty, it has {len(present)} tables ({present[0]}, …): create a new one. "
            "Nothing was moved."
        )


async def _copy(old: AsyncConnection, new: AsyncConnection, table: Table) -> int:
    """Copy the rows of ``table``, JSON verbatim, and return how many there are."""
    wanted: list[ColumnElement[Any]] = [
        type_coerce(column, Text).label(column.name) if isinstance(column.type, JSON) else column for column in table.c
    ]
    texts = [column.name for column in table.c if isinstance(column.type, JSON)]
    # The holders of claims are gone, as the source is ours.
    freed = dict.fromkeys(("owner", "claimed_until")) if "claimed_until" in table.c else {}
    statement, rows = _insert(table), 0
    try:
        found = await old.stream(select(*wanted).order_by(*table.primary_key.columns))
        async for portion in found.partitions(PORTION):
            values = [{**row._asdict(), **freed} for row in portion]
            for value in values:
                value.update({name: _json(value[name]) for name in texts})
            await new.execute(statement, [{f"v_{name}": one for name, one in value.items()} for value in values])
            rows += len(values)
    except UNREADABLE as error:
        raise StoreError(f"Table {table.name} has a row that cannot be read. Nothing was moved.") from error
    except DBAPIError as error:
        if (getattr(error.orig, "sqlstate", None) or "")[:2] not in {"22", "23"}:
            raise
        raise StoreError(
            f"Table {table.name} has a row that PostgreSQL does not take ({error.orig}). Nothing was moved."
        ) from error
    copied = await new.scalar(select(func.count()).select_from(table))
    if copied != rows:
        raise StoreError(f"Of the {rows:,} rows of table {table.name} {copied:,} arrived. Nothing was moved.")
    return rows


def _insert(table: Table) -> Insert:
    """Return the statement that adds a row with values named ``v_`` plus the column."""
    return table.insert().values(
        {
            column.name: cast(bindparam(f"v_{column.name}", type_=Text()), JSON)
            if isinstance(column.type, JSON)
            else bindparam(f"v_{column.name}", type_=column.type)
            for column in table.c
        }
    )


def _json(stored: object) -> str | None:
    """Return JSON as text; SQLite keeps a bare number as a number."""
    return stored if stored is None or isinstance(stored, str) else json.dumps(stored)


async def _count_on(old: AsyncConnection, new: AsyncConnection) -> None:
    """Continue the ids where they were; a used id is never given again, even if its row is gone."""
    given = {row.name: int(row.seq) for row in await old.execute(text("SELECT name, seq FROM sqlite_sequence"))}
    for table in metadata.sorted_tables:
        if "id" not in table.c or table.c.id.autoincrement is not True:
            continue
        highest = max(await new.scalar(select(func.max(table.c.id))) or 0, given.get(table.name, 0))
        sequence = func.pg_get_serial_sequence(table.name, "id")
        if await new.scalar(select(func.setval(sequence, max(highest, 1), highest > 0))) is None:
            raise StoreError(f"Table {table.name} counts its ids in an unknown way. Nothing was moved.")


async def _prove(old: AsyncConnection, new: AsyncConnection, *, by: str, now: datetime) -> ChainProof:
    """Follow the audit log in both, note the move in the new one, and follow it once more.

    Raises :class:`bot.errors.AuditLogBroken` when somebody changed it.
    """
    before, moved = await Transaction(old).events.verify(), Transaction(new, writing=True)
    if await moved.events.verify() != before:
        raise StoreError("The audit log did not arrive unchanged. Nothing was moved.")
    await moved.events.add(None, "moved", at=now, actor=by, events=before.events)
    await moved.events.seal()
    return await moved.events.verify()
