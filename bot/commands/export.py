"""``linesman export``: writing or proving the audit log, even while Linesman runs."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from bot.changes.audit.export import AuditFormat, Span, read_span
from bot.changes.text.counts import counted
from bot.commands import FAILED, OK, environment
from bot.config import Storage
from bot.errors import InputError, LinesmanError
from bot.machine import utc_now
from bot.store.database import Database
from bot.store.engine.sqlite_file import private
from bot.store.migrations import require_current
from bot.workflow.queries.audit_export import note_export, portions


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the days, the format, and the target."""
    parser.add_argument(
        "--from", dest="since", metavar="DATE", default="", help="first day, in UTC (default: the first event)"
    )
    parser.add_argument(
        "--to",
        dest="until",
        metavar="DATE",
        default="",
        help="end, in UTC: the day or moment itself is left out (default: now)",
    )
    parser.add_argument(
        "--format", dest="form", choices=[form.value for form in AuditFormat], default=AuditFormat.CSV.value
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="file to write (default: standard output)")
    parser.add_argument("--verify", action="store_true", help="write no file; check the whole chain of events")


def run(parsed: argparse.Namespace) -> int:
    """Write the events, or prove that nobody changed one."""
    if parsed.verify:
        if parsed.since or parsed.until or parsed.output:
            raise InputError(
                {"verify": "--verify checks the whole audit log and writes no file: leave out --from, --to, --output."}
            )
        sys.stdout.write(f"✓ {asyncio.run(_verify(environment.storage()))}\n")
        return OK
    now = utc_now()
    span = read_span(parsed.since, parsed.until, now)
    storage = environment.storage()
    try:
        with _sink(parsed.output) as sink:
            events = asyncio.run(_export(storage, span, AuditFormat(parsed.form), sink.write, now))
    except BrokenPipeError:  # the reader has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        raise LinesmanError(f"Cannot write {error.filename or 'the file'}: {error.strerror}.") from error
    sys.stderr.write(f"✓ {counted(events, 'event')} {span.words}.\n")
    return OK


@contextmanager
def _sink(path: Path | None) -> Iterator[BinaryIO]:
    """Yield the output; a file gets its name once it is complete."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.is_dir():  # before anything is exported, and before the audit log says so
        raise LinesmanError(f"{path} is a folder, not a file: give --output a file in it.")
    if path.exists() and not path.is_file():  # a device would be replaced by a file
        raise LinesmanError(f"{path} is not a file: give --output one, or leave it out for standard output.")
    path = path.resolve() if path.is_symlink() else path  # the target of a link is written, and the link stays
    part = path.with_name(f"{path.name}.part")
    try:
        # Private to its owner, whatever the umask: it says who did what, to which numbers.
        part.unlink(missing_ok=True)
        with open(part, "xb", opener=private) as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


async def _export(
    storage: Storage, span: Span, form: AuditFormat, write: Callable[[bytes], object], now: datetime
) -> int:
    """Write the events of ``span`` and return how many there are; ``write`` receives the file in portions.

    Before the first byte is written, the audit log says that they are exported, and to whom on this machine.
    """
    async with _beside(storage) as database:
        async with database.transaction() as tx:
            events = await tx.events.count(span.since, span.until)
            await note_export(tx, span, form, by=environment.who(), events=events, now=now)
        async for portion in portions(database, span, form, events):
            write(portion)
    return events


async def _verify(storage: Storage) -> str:
    """Follow the whole chain and return a sentence about it; raises :class:`bot.errors.AuditLogBroken`."""
    async with _beside(storage) as database, database.reading() as tx:
        proof = await tx.events.verify()
    if not proof.head.last:
        return "The audit log is intact, and still empty."
    events = counted(proof.events, "event")
    pruned = f" Retention has deleted {proof.pruned:,} older ones." if proof.pruned else ""
    return (
        f"The audit log is intact: {events}, each linked to the one before it.{pruned}\n"
        f"It ends with event {proof.head.last}, whose hash is {proof.head.hash}. "
        "Note it outside the database: it proves everything up to that event."
    )


@asynccontextmanager
async def _beside(storage: Storage) -> AsyncIterator[Database]:
    """Open the database, which another Linesman may be using; it must have this version's form."""
    async with Database(storage.database_url.get_secret_value(), beside=True) as database:
        await require_current(database)
        yield database
