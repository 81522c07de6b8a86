"""Handing out the audit log, which is itself an event in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.changes.audit.export import AuditFormat, Span, header, line, read_words
from bot.errors import InputError, Superseded
from bot.store.database import Database
from bot.store.engine.driver_errors import repeatable
from bot.store.transaction import Transaction
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions

#: Most events in a file for Slack, which is held in memory; a few dozen megabytes.
MOST: Final = 100_000
#: How far back a file for Slack goes unless told otherwise.
USUAL: Final = timedelta(days=30)
#: Events that are read at once.
PORTION: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFile:
    """A part of the audit log as a file."""

    name: str
    content: bytes
    events: int
    #: The part, as people read it.
    words: str


class AuditExport:
    """Makes files of the audit log for operators."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._context = context
        self._authorization = authorization
        self._refusals = DeniedActions(context)

    @repeatable
    async def export(self, words: str, *, by: str) -> AuditFile:
        """Return the part of the audit log that ``words`` (``[FROM] [TO] [csv|jsonl]``) name.

        The export is written to the audit log before the file is made. Raises NotAuthorized, or InputError when the
        words cannot be read or name more than a file for Slack can hold.
        """
        async with self._refusals.noting("export", by=by):
            await self._authorization.operate(by)
        database, now = self._context.database, self._context.clock()
        span, form = read_words(words.split(), since=f"{now - USUAL:%Y-%m-%d}", now=now)
        async with database.transaction() as tx:
            events = await tx.events.count(span.since, span.until)
            if events > MOST:
                raise InputError(
                    {
                        "dates": f"These are {events:,} events; the limit for a file in Slack is {MOST:,}. "
                        "Choose fewer days, or run linesman export on the machine."
                    }
                )
            await note_export(tx, span, form, by=by, events=events, now=now)
        content = b"".join([portion async for portion in portions(database, span, form, events)])
        return AuditFile(name=span.file_name(form), content=content, events=events, words=span.words)


async def note_export(tx: Transaction, span: Span, form: AuditFormat, *, by: str, events: int, now: datetime) -> None:
    """Write into the audit log that ``by`` receives a part of it."""
    since = span.since.isoformat() if span.since else None
    details = {"from": since, "to": span.until.isoformat(), "format": form.value, "events": events}
    await tx.events.add(None, "exported", at=now, actor=by, details=details)


async def portions(database: Database, span: Span, form: AuditFormat, events: int) -> AsyncIterator[bytes]:
    """Yield the file of all ``events`` in portions; few are in memory, however many there are.

    Each event is read by itself, so that no transaction is open while a portion is written: the reader may be slow, a
    server ends silent transactions, and in a file nothing could be wiped meanwhile. Raises Superseded when events were
    deleted before they were read.
    """
    yield header(form)
    last = told = 0
    while told < events:
        gathered = bytearray()
        async with database.reading() as tx:
            async for event in tx.events.stream(span.since, span.until, after=last, most=PORTION):
                gathered += line(form, event)
                last, told = event.id, told + 1
        if not gathered:
            raise Superseded(
                "Old events were deleted (LINESMAN_RETENTION_DAYS) while these were exported, so some are missing: "
                "export them again."
            )
        yield bytes(gathered)
