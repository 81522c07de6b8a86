"""Trying in advance everything that work needs of the tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, false, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import metadata, tasks

#: Long ago, and on nothing: even if such a row were ever committed as due work, it would do no harm.
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


async def rehearse(connection: AsyncConnection) -> None:
    """Read, write, change and delete in every table; the caller rolls it back.

    The first row shows whether anything can be written at all. The rest matches no row: a database checks permissions
    before it looks for rows, so missing permissions show here and not in the middle of a change.
    """
    await connection.execute(tasks.insert().values(task="check", subject=-1, due_at=_LONG_AGO))
    for table in metadata.sorted_tables:
        column, no_row = table.columns[0], false()
        await connection.execute(select(column).where(no_row))
        await connection.execute(table.insert().from_select([column], select(column).where(no_row)))
        await connection.execute(update(table).values({column: column}).where(no_row))
        await connection.execute(delete(table).where(no_row))


async def rehearse_migration(connection: AsyncConnection) -> None:
    """Make a table, as a migration does; the caller rolls it back."""
    await connection.execute(text("CREATE TABLE linesman_check (id integer)"))
