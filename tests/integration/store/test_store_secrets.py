"""What is wiped when, in the tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.changes.model.summary import Summary
from bot.changes.model.values import Secret
from bot.changes.planning.plan import PlannedBatch, PlannedNumber
from bot.store.database import Database
from bot.store.migrations import migrate
from tests.integration.store.before import downgrade

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PIN = Secret(fingerprint="f1", sealed="gAAAAA-new")
OLD = Secret(fingerprint="f0", sealed="gAAAAA-old")
DRAFT = Draft(kind="telnyx.settings", chosen=("external_pin",), typed={"external_pin": PIN}, reason="why")


async def planned(database: Database) -> int:
    """Write a change with a plan of one batch that sets a secret."""
    summary = Summary(
        numbers=1, unchanged=0, batches=1, wanted={"external_pin": PIN}, sample=(("+1", {"p": OLD}, {"p": PIN}),)
    )
    async with database.transaction() as tx:
        change = await tx.changes.add(DRAFT, requester="U0ANA", origin="", view="", submission=None, now=NOW)
        await tx.changes.move(change, ChangeState.PLANNED, summary=summary, digest="d")
        number = PlannedNumber(id="1", e164="+1", before={"p": OLD}, after={"p": PIN}, batch=1)
        await tx.operations.add(change, [number])
        await tx.batches.add(change, "telnyx.settings", [PlannedBatch(position=1, values={"p": PIN}, size=1)])
    return change


async def sealed_in(database: Database) -> list[str]:
    """Return where sealed text rests."""
    found = []
    columns = {"changes": "draft summary", "operations": "before after", "batches": "values"}
    async with database.engine.connect() as connection:
        for table, names in columns.items():
            for name in names.split():
                rows = await connection.execute(text(f'SELECT CAST("{name}" AS TEXT) FROM {table}'))  # noqa: S608 - our own names
                found += [f"{table}.{name}" for row in rows if "gAAAAA" in (row[0] or "")]
    return found


async def test_a_plan_is_sealed_only_where_it_has_to_be(database: Database) -> None:
    """The draft, which may be edited, and the batch, which is sent; fingerprints are everywhere."""
    change = await planned(database)

    assert await sealed_in(database) == ["changes.draft", "batches.values"]
    async with database.reading() as tx:
        record = await tx.changes.get(change)
        [operation] = (await tx.operations.planned(change, [1])).values()
    assert record.summary is not None
    assert (record.summary.wanted["external_pin"], operation.before["p"], operation.after["p"]) == (PIN, OLD, PIN)


@pytest.mark.parametrize(
    ("steps", "stays"),
    [
        ([BatchState.SUBMITTING], True),
        ([BatchState.SUBMITTING, BatchState.QUEUED], True),
        ([BatchState.SUBMITTING, BatchState.UNKNOWN], True),
        ([BatchState.SUBMITTING, BatchState.UNKNOWN, BatchState.QUEUED], True),
        ([BatchState.SUBMITTING, BatchState.SUBMITTED], False),
        ([BatchState.SUBMITTING, BatchState.UNKNOWN, BatchState.SUBMITTED], False),
        ([BatchState.SUBMITTING, BatchState.SETTLED], False),
        ([BatchState.SETTLED], False),
    ],
)
async def test_a_batch_keeps_its_secret_for_as_long_as_it_may_be_sent(
    database: Database, steps: list[BatchState], *, stays: bool
) -> None:
    """Sent again it may be until it has become a job, or until it is settled without one."""
    change = await planned(database)
    async with database.transaction() as tx:
        [batch] = await tx.batches.of(change)
        for step in steps:
            await tx.batches.move(batch.id, step)

    assert ("batches.values" in await sealed_in(database)) is stays
    async with database.reading() as tx:
        assert (await tx.batches.get(batch.id)).values == {"p": PIN}


async def test_a_discarded_change_that_is_edited_keeps_its_form(database: Database) -> None:
    """Its draft stays sealed until it is wiped on its own, or until the change that replaced it has a plan."""
    change = await planned(database)
    async with database.transaction() as tx:
        await tx.changes.move(change, ChangeState.DISCARDED, editing=True)
    assert await sealed_in(database) == ["changes.draft"]

    async with database.transaction() as tx:
        fresh = await tx.changes.add(DRAFT, requester="U0ANA", origin="", view="", submission=None, now=NOW)
        await tx.changes.put(change, replaced_by=fresh)
    assert await sealed_in(database) == ["changes.draft"] * 2
    async with database.transaction() as tx:
        await tx.changes.move(fresh, ChangeState.PLANNED)
    assert await sealed_in(database) == ["changes.draft"]
    async with database.transaction() as tx:
        await tx.secrets.wipe_draft(fresh)
    assert await sealed_in(database) == []


async def test_what_older_versions_left_is_wiped_by_the_migration(database: Database) -> None:
    """Plans and ended changes lose their sealed text; what may yet be sent or edited keeps it."""
    await downgrade(database)
    secret = json.dumps({"p": {"$fingerprint": "f", "$sealed": "gAAAAA-x"}})
    draft = json.dumps({"kind": "k", "typed": json.loads(secret)})
    at = NOW if database.shared else "2026-11-21 12:00:00"
    states = [("planned", "queued"), ("running", "unknown"), ("running", "submitted"), ("cancelled", "queued")]
    async with database.engine.begin() as connection:
        for id_, (state, batch) in enumerate(states, start=1):
            values = {"id": id_, "state": state, "batch": batch, "secret": secret, "draft": draft, "at": at}
            for statement in (
                (
                    "INSERT INTO changes (id, kind, state, requester, draft, summary, created_at)"
                    " VALUES (:id, 'k', :state, 'U', :draft, :secret, :at)"
                ),
                (
                    "INSERT INTO operations (change_id, position, number_id, e164, before, after, state)"
                    " VALUES (:id, 0, '1', '+1', :secret, :secret, 'waiting')"
                ),
                (
                    'INSERT INTO batches (id, change_id, position, kind, state, size, "values")'
                    " VALUES (:id, :id, 1, 'k', :batch, 1, :secret)"
                ),
            ):
                await connection.execute(text(statement), values)

    await migrate(database)

    async with database.engine.connect() as connection:
        drafts = await connection.execute(text("SELECT id FROM changes WHERE CAST(draft AS TEXT) LIKE '%gAAAAA%'"))
        statement = """SELECT id FROM batches WHERE CAST("values" AS TEXT) LIKE '%gAAAAA%' ORDER BY id"""
        batches = await connection.execute(text(statement))
        assert (list(drafts.scalars()), list(batches.scalars())) == ([1], [1, 2])
    assert set(await sealed_in(database)) == {"changes.draft", "batches.values"}
