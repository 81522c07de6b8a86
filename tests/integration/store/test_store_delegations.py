"""Delegations: one of each pair at a time, and gone with the retention."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.start import End
from bot.errors import NotFound
from bot.store.database import Database
from bot.store.queue.tasks import Task
from bot.store.tables import changes
from tests.integration.store.test_store_records import decision, planned

NOW = datetime(2026, 12, 2, 11, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = End(at=NOW + HOUR, zone="Europe/Berlin")


async def test_what_is_lent_now_is_found_by_either_side(database: Database) -> None:
    """Until its time, or until somebody ends it; the row is as it was written."""
    async with database.transaction() as tx:
        lent = await tx.delegations.add("U0DANA", "U0MAX", END, now=NOW, floor="1.0")
        other = await tx.delegations.add("U0ERIK", "U0MAX", END, now=NOW, floor="")
    async with database.reading() as tx:
        assert await tx.delegations.to("U0MAX", NOW) == [lent, other]
        assert await tx.delegations.by(["U0DANA", "U0MAX"], NOW) == [lent]
        assert await tx.delegations.about("U0DANA", NOW) == [lent]
        assert await tx.delegations.all(NOW) == [lent, other]
        assert await tx.delegations.of_pair("U0DANA", "U0MAX") == lent
        assert await tx.delegations.all(END.at) == []
    async with database.transaction() as tx:
        await tx.delegations.end(other, NOW, by="U0ERIK", floor="")
        assert await tx.delegations.to("U0MAX", NOW) == [lent]
        ended = await tx.delegations.get(other.id)

    assert (lent.until, lent.floor, lent.told, lent.version) == (END, "1.0", 0, 1)
    assert (ended.ended_at, ended.ended_by, ended.version) == (NOW, "U0ERIK", 2)


async def test_what_is_said_anew_is_to_be_told_anew(database: Database) -> None:
    """Another end is another version of the same row, and being told is of one version."""
    async with database.transaction() as tx:
        lent = await tx.delegations.add("U0DANA", "U0MAX", END, now=NOW, floor="")
        await tx.delegations.note_told(lent)
        moved = await tx.delegations.move_end(lent, End(at=NOW + 2 * HOUR, zone="UTC"), floor="2.0")

    assert (moved.id, moved.told, moved.version, moved.until.zone) == (lent.id, 1, 2, "UTC")


async def test_what_ended_before_the_retention_is_forgotten(database: Database) -> None:
    """What ended later, or has not, stays; no id is given twice."""
    async with database.transaction() as tx:
        old = await tx.delegations.add("U0DANA", "U0MAX", END, now=NOW, floor="")
        await tx.delegations.lapse(old)
        young = await tx.delegations.add("U0DANA", "U0MAX", END, now=NOW, floor="")
        assert await tx.delegations.forget(END.at) == 0
        assert await tx.delegations.forget(END.at + HOUR) == 1
        with pytest.raises(NotFound, match="This delegation no longer exists"):
            await tx.delegations.get(old.id)
        assert (await tx.delegations.get(young.id)).ended_at is None
        await tx.delegations.lapse(young)
        await tx.delegations.forget(END.at + HOUR)
        assert (await tx.delegations.add("U0DANA", "U0MAX", END, now=NOW, floor="")).id > young.id


async def test_approvals_that_may_still_let_something_go_are_found(database: Database) -> None:
    """Of a change that has not begun, and of one that has while a wave of it is held back, be it read back just now."""
    change = await planned(database)
    async with database.transaction() as tx:
        batches = await tx.batches.of(change)
        await tx.decisions.add(replace(decision(change, "U0MAX"), on_behalf_of="U0DANA"))

    async def found(*sent: int) -> set[ChangeState]:
        states = set()
        for state in ChangeState:
            async with database.engine.begin() as connection:
                await connection.execute(update(changes).values(state=state.value))
            async with database.transaction() as tx:
                await tx.tasks.add_many(Task.SUBMIT, sent, NOW)
                if await tx.decisions.lent("U0DANA", "U0MAX"):
                    states.add(state)
                await tx.tasks.remove(Task.SUBMIT, sent)
        return states

    unsent = {ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED}
    begun = {ChangeState.RUNNING, ChangeState.VERIFYING, ChangeState.PAUSED}
    first, second = (batch.id for batch in batches)
    assert await found(first) == unsent | begun
    assert await found(first, second) == unsent
