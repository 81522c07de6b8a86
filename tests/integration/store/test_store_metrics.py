"""What the figures of the whole database rest on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.changes.model.draft import Draft
from bot.changes.model.messages import Topic
from bot.store.database import Database

NOW = datetime(2026, 11, 28, tzinfo=UTC)
LATER, LEASE = NOW + timedelta(hours=1), timedelta(minutes=1)


async def waiting_since(database: Database) -> datetime | None:
    """Return since when the oldest message waits."""
    async with database.reading() as tx:
        return await tx.outbox.waiting_since()


async def test_a_message_waits_from_its_decision_to_its_delivery(database: Database) -> None:
    """Attempts in vain make it no younger; one that is to be brought up to date again waits anew."""
    async with database.transaction() as tx:
        change = await tx.changes.add(
            Draft(kind="telnyx.settings", reason="why"), requester="U0", origin="", view="", submission=None, now=NOW
        )
        assert await tx.outbox.waiting_since() is None
        await tx.outbox.show(change, Topic.CARD, now=NOW)
        [message] = await tx.deliveries.claim(owner="me", now=NOW, lease=LEASE, limit=1)
        await tx.deliveries.postpone(message, owner="me", until=LATER, error="no answer", surely_unsent=False)
    assert await waiting_since(database) == NOW
    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.CARD, now=LATER)
    assert await waiting_since(database) == NOW

    async with database.transaction() as tx:
        [message] = await tx.deliveries.claim(owner="me", now=LATER, lease=LEASE, limit=1)
        await tx.deliveries.sent(message, owner="me", now=LATER, pause=timedelta(0))
    assert await waiting_since(database) is None
    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.CARD, now=LATER, pause=LEASE)
    assert await waiting_since(database) == LATER + LEASE


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_one_replica_reports_for_all(database: Database) -> None:
    """Whoever began goes on; another takes over when it leaves or dies, or has not been asked for a while."""

    async def reports(name: str) -> bool:
        async with database.transaction() as tx:
            return await tx.reporter.take(name)

    assert [await reports(name) for name in ("a", "b", "a", "b")] == [True, False, True, False]
    async with database.transaction() as tx:
        await tx.reporter.leave("b")  # which does not report
        await tx.reporter.leave("a")
    assert [await reports(name) for name in ("b", "a")] == [True, False]
    async with database.connection() as connection:
        await connection.execute(text("UPDATE reporter SET claimed_until = now() - interval '1 second'"))
    assert [await reports(name) for name in ("a", "b")] == [True, False]
    async with database.transaction() as tx:
        assert await tx.replicas.dead(besides="b") == ["a"]  # nobody proves that it lives
        await tx.replicas.release("a", NOW)
    assert [await reports(name) for name in ("b", "a")] == [True, False]
