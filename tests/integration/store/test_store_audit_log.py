"""The audit log in a real database: chained as it is written, and proven."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.changes.audit.export import AuditFormat, Span, line
from bot.changes.model.draft import Draft
from bot.errors import AuditLogBroken, StoreError, Superseded
from bot.store.database import Database
from bot.store.migrations import migrate
from bot.store.records.events import PORTION
from bot.workflow.queries.audit_export import PORTION as AT_ONCE
from bot.workflow.queries.audit_export import portions
from tests.integration.store.before import downgrade

NOW = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
DRAFT = Draft(kind="telnyx.settings", reason="why")


async def tell(database: Database, count: int = 5) -> None:
    """Write ``count`` events, each in its own transaction, a day apart."""
    for number in range(1, count + 1):
        async with database.transaction() as tx:
            at = NOW + timedelta(days=number - 1)
            await tx.events.add(
                None, f"what_{number}", at=at, actor="U0ANA", digest="d", words="ä\ud83d", number=number
            )


async def tamper(database: Database, statement: str) -> None:
    """Do to the database what only somebody beside Linesman would."""
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))


async def verify(database: Database) -> int:
    """Verify the trail and return how many events it has."""
    async with database.reading() as tx:
        proof = await tx.events.verify()
    assert proof.head.last >= proof.events
    return proof.events


async def test_an_untouched_audit_log_is_proven(database: Database) -> None:
    """What was written in several transactions, several events in some, is one chain; an empty one is proven too."""
    assert await verify(database) == 0

    await tell(database)
    async with database.transaction() as tx:
        await tx.events.add(None, "frozen", at=NOW, reason="x")
        await tx.events.add(None, "unfrozen", at=NOW, count=3, nothing=None)

    assert await verify(database) == 7


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE events SET actor = 'U0EVE' WHERE id = 3", "breaks at event 3"),
        ("UPDATE events SET what = 'other' WHERE id = 1", "breaks at event 1"),
        ("UPDATE events SET digest = '' WHERE id = 5", "breaks at event 5"),
        ("UPDATE events SET details = '{\"number\": 2}' WHERE id = 2", "breaks at event 2"),
        ("UPDATE events SET at = '2026-11-20 12:00:00.123456+00:00' WHERE id = 4", "breaks at event 4"),
        ("UPDATE events SET hash = 'f0' WHERE id = 4", "breaks at event 4"),
        ("DELETE FROM events WHERE id = 3", "breaks at event 4"),
        ("DELETE FROM events WHERE id = 1", "breaks at event 2"),
        ("DELETE FROM events WHERE id = 5", "ends with event 4, and its head names event 5"),
        ("DELETE FROM events", "ends with its beginning"),
        ("UPDATE events SET id = CASE id WHEN 2 THEN 20 ELSE id END", "breaks at event 3"),
        ("UPDATE audit_head SET last = 4", "ends with event 5, which is not what its head says"),
        ("DELETE FROM audit_head", "head of the audit log is missing"),
    ],
)
async def test_whatever_somebody_does_to_the_rows_is_found(database: Database, statement: str, said: str) -> None:
    """Edits, deletions, moves and a cut end are found, and the first event that is wrong is named."""
    await tell(database)
    await tamper(database, statement)

    with pytest.raises(AuditLogBroken, match=said):
        await verify(database)


async def test_what_is_rolled_back_leaves_no_gap(database: Database) -> None:
    """A transaction that fails takes its events with it, and the next event follows the last one that stayed."""

    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.events.add(None, "never", at=NOW)
            raise ZeroDivisionError

    await tell(database, 1)
    with pytest.raises(ZeroDivisionError):
        await fail()
    await tell(database, 1)

    assert await verify(database) == 2
    async with database.reading() as tx:
        assert [event.id async for event in tx.events.stream()] == [1, 2]


async def test_writers_at_once_make_one_chain(database: Database) -> None:
    """Many transactions on the same and on different changes, holding rows of them, end without a deadlock."""
    async with database.transaction() as tx:
        ids = [
            await tx.changes.add(DRAFT, requester="U0ANA", origin="", view="", submission=f"V{i}", now=NOW)
            for i in range(3)
        ]

    async def write(number: int) -> None:
        change = ids[number % 3]
        async with database.transaction() as tx:
            if number % 2:
                await tx.events.add(change, "refused", at=NOW, number=number)
                return
            await tx.events.add(change, "first", at=NOW, number=number)
            await asyncio.sleep(0)
            await tx.changes.hold(change)
            await tx.changes.put(change, problem=str(number))
            await tx.events.add(change, "second", at=NOW, number=number)

    async with asyncio.timeout(60):
        await asyncio.gather(*(write(number) for number in range(40)))

    assert await verify(database) == 60


async def test_a_transaction_that_reads_takes_no_events(database: Database) -> None:
    """An event that would be lost silently is refused loudly."""
    async with database.reading() as tx:
        with pytest.raises(StoreError, match="belongs into a transaction that writes"):
            await tx.events.add(None, "lost", at=NOW)


async def test_nothing_is_added_to_a_audit_log_without_a_head(database: Database) -> None:
    """Linesman does not begin a second chain over a damaged one, and says so."""
    await tamper(database, "DELETE FROM audit_head")

    with pytest.raises(StoreError, match="head of the audit log is missing"):
        await tell(database, 1)


@pytest.mark.parametrize(
    "spoilt",
    [
        "details = 'no JSON'",
        "details = NULL",
        "details = '[1]'",
        "details = x'ff'",
        "details = printf('%.100000c', '[')",
        "at = 'yesterday'",
        "at = 17",
        "at = ''",
        "actor = CAST(x'ff' AS TEXT)",
        "change_id = 'CHG-1'",
        "hash = x'00'",
    ],
)
async def test_an_event_that_cannot_be_read_is_named(tmp_path: Path, spoilt: str) -> None:
    """SQLite takes anything in any column; the first bad event is named, whoever reads it, be it in a later portion."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/linesman.db") as database:
        await migrate(database)
        async with database.transaction() as tx:
            for _ in range(PORTION + 5):
                await tx.events.add(None, "told", at=NOW)
        bad = PORTION + 3
        with closing(sqlite3.connect(tmp_path / "linesman.db")) as beside, beside:
            # The columns of a table can be loosened as well.
            beside.execute("PRAGMA writable_schema = ON")
            beside.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'events'")
        with closing(sqlite3.connect(tmp_path / "linesman.db")) as beside, beside:
            beside.execute(f"UPDATE events SET {spoilt} WHERE id IN (?, ?)", (bad + 1, bad))  # noqa: S608 - from above
        with pytest.raises(AuditLogBroken, match=f"breaks at event {bad}\\b"):
            await verify(database)
        with pytest.raises(AuditLogBroken, match=f"breaks at event {bad}\\b"):
            async with database.reading() as tx:
                assert [line(AuditFormat.CSV, event) async for event in tx.events.stream()] == []
        await tamper(database, "UPDATE events SET what = 'toll' WHERE id = 7")
        with pytest.raises(AuditLogBroken, match=r"breaks at event 7 \(toll"):
            await verify(database)


async def test_a_head_and_a_pruning_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """What the walk begins and ends with can be spoilt as well."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/linesman.db") as database:
        await migrate(database)
        await tell(database, 1)
        async with database.transaction() as tx:
            await tx.events.add(None, "events_pruned", at=NOW, events=0)
        await tamper(database, "UPDATE events SET details = '{' WHERE id = 2")
        with pytest.raises(AuditLogBroken, match="breaks at event 2: it cannot be read"):
            await verify(database)
        await tamper(database, "DELETE FROM events WHERE id = 2")
        await tamper(database, "UPDATE audit_head SET last = 'x'")
        with pytest.raises(AuditLogBroken, match="head of the audit log cannot be read"):
            await verify(database)


async def test_a_missing_column_is_no_fault_of_an_event(tmp_path: Path) -> None:
    """It is told as the missing table is, and no event is named that there is not."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/linesman.db") as database:
        await migrate(database)
        await tell(database, 1)
        await tamper(database, "ALTER TABLE events DROP COLUMN details")
        with pytest.raises(StoreError, match=r"no such column: events.details. Restore a backup"):
            await verify(database)


async def test_the_stream_takes_a_range(database: Database) -> None:
    """From the first moment on, and before the last: a half-open range, which is also counted."""
    await tell(database)
    since, until = NOW + timedelta(days=1), NOW + timedelta(days=3)

    async with database.reading() as tx:
        assert [event.what async for event in tx.events.stream(since, until)] == ["what_2", "what_3"]
        assert await tx.events.count(since, until) == 2
        assert await tx.events.count(until=since) == 1
        assert await tx.events.done_by("U0ANA", "what_4", since) == 1
        assert await tx.events.done_by("U0ANA", "what_1", since) == 0


async def test_events_of_before_the_chain_are_chained(database: Database) -> None:
    """Migrating links what is there, gaps in the ids included; from then on it is proven like the rest."""
    await downgrade(database)
    async with database.engine.begin() as connection:
        statement = text(
            "INSERT INTO events (id, at, actor, what, details) VALUES (:id, :at, 'U0ANA', 'old', '{\"n\": 1}')"
        )
        rows = [{"id": i, "at": NOW if database.shared else str(NOW.replace(tzinfo=None))} for i in (1, 2, 5)]
        for row in [*rows, *({"id": 10 + i, "at": rows[0]["at"]} for i in range(1500))]:
            await connection.execute(statement, row)

    before, _ = await migrate(database)
    await tell(database, 1)

    assert before == "0002"
    assert await verify(database) == 1504
    await tamper(database, "UPDATE events SET actor = 'U0EVE' WHERE id = 1200")
    with pytest.raises(AuditLogBroken, match="breaks at event 1200"):
        await verify(database)


async def many(database: Database) -> Span:
    """Write more events than are read at once, and return the span that they lie in."""
    async with database.transaction() as tx:
        for number in range(2 * AT_ONCE + 1):
            await tx.events.add(None, "frozen", at=NOW, number=number)
    return Span(since=None, until=NOW + timedelta(days=1))


async def unheld(database: Database) -> None:
    """End each transaction that is silent, as a server does in time; in a file, want nobody to read an old state."""
    if database.shared:
        await tamper(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' "
            "AND pid <> pg_backend_pid()",
        )
        return
    await tell(database, 1)
    with closing(sqlite3.connect(str(database.engine.url.database))) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


async def test_whoever_takes_an_export_may_be_slow(database: Database) -> None:
    """No transaction is open while a portion is written, and yet each event comes once and in order."""
    span = await many(database)

    taken = []
    async for portion in portions(database, span, AuditFormat.JSONL, 2 * AT_ONCE + 1):
        taken.append(portion)
        await unheld(database)

    numbers = [json.loads(each)["details"].get("number") for each in b"".join(taken).splitlines()]
    assert numbers[: 2 * AT_ONCE + 1] == list(range(2 * AT_ONCE + 1))
    assert len(taken) > 3


async def test_an_export_that_misses_deleted_events_says_so(database: Database) -> None:
    """What the retention deletes meanwhile is not left out in silence."""
    export = portions(database, await many(database), AuditFormat.JSONL, 2 * AT_ONCE + 1)
    await anext(export)
    await anext(export)
    await tamper(database, "DELETE FROM events")

    with pytest.raises(Superseded, match="export them again"):
        await anext(export)
