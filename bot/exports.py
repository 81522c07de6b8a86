"""``linesman export``: the audit log, written down or proven, also beside a Linesman at work."""

from __future__ import annotations

import getpass
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from bot.changes.audit.export import AuditFormat, Span
from bot.config import Storage
from bot.store.database import Database
from bot.store.migrations import require_current
from bot.workflow.queries.audit_export import note_export, portions


async def export(
    storage: Storage, span: Span, form: AuditFormat, write: Callable[[bytes], object], now: datetime
) -> int:
    """Write the events of ``span`` and return how many they are; ``write`` gets the file in portions.

    That they are handed out, and to whom on this machine, is in the trail before the first byte is written.
    """
    async with _beside(storage) as database:
        async with database.transaction() as tx:
            events = await tx.events.count(span.since, span.until)
            await note_export(tx, span, form, by=_who(), events=events, now=now)
        async for portion in portions(database, span, form):
            write(portion)
    return events


async def verify(storage: Storage) -> str:
    """Follow the whole chain and return a sentence about it; raises :class:`bot.errors.AuditLogBroken`."""
    async with _beside(storage) as database, database.reading() as tx:
        proof = await tx.events.verify()
    if not proof.head.last:
        return "The audit log is intact, and still empty."
    events = f"{proof.events:,} {'event' if proof.events == 1 else 'events'}"
    pruned = f" {proof.pruned:,} older ones were deleted by the retention." if proof.pruned else ""
    return (
        f"The audit log is intact: {events}, each linked to the one before it.{pruned}\n"
        f"It ends with event {proof.head.last}, whose hash is {proof.head.hash}. "
        "Note it outside the database: it proves everything up to that event."
    )


@asynccontextmanager
async def _beside(storage: Storage) -> AsyncIterator[Database]:
    """Open the database, which another Linesman may be working on; it has to have this version's form."""
    async with Database(storage.database_url.get_secret_value(), beside=True) as database:
        await require_current(database)
        yield database


def _who() -> str:
    """Return who acts on this machine, as the trail's actor."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        name = str(os.getuid())
    return f"shell:{name}"[:32]
