"""The retention: what ended long ago is reduced to its summary, and the trail can still be proven."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from bot.errors import AuditLogBroken
from bot.store.records import pruning
from bot.store.tables import metadata
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_values import values

DAY = 86_400


def rows(stage: Stage, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with closing(sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


async def until(stage: Stage, query: str, wanted: list[tuple[Any, ...]]) -> None:
    """Wait until the database answers ``query`` with ``wanted``."""
    async with asyncio.timeout(60):
        while rows(stage, query) != wanted:  # noqa: ASYNC110 - a database signals nobody
            await asyncio.sleep(0.03)


async def proof(stage: Stage) -> tuple[int, int]:
    """Prove the trail; return how many events it has, and how many were pruned."""
    assert stage.bot is not None
    async with stage.bot.worker._context.database.reading() as tx:
        proven = await tx.events.verify()
    return proven.events, proven.pruned


async def test_an_old_change_is_reduced_to_its_summary(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows go, in portions; who asked, why, what, who decided, the digest and the counts stay and are shown."""
    stage = idle
    monkeypatch.setattr(pruning, "PORTION", 3)
    await stage.start(LINESMAN_RETENTION_DAYS="30")
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(7, start="+13035550000")]
    stage.telnyx.fail(numbers[6], detail="No.")
    change = await stage.run(numbers, reason="Moving the Denver desk")
    [(digest,)] = rows(stage, "SELECT digest FROM changes")

    stage.clock.advance(31 * DAY)
    await until(stage, "SELECT pruned_at IS NOT NULL FROM changes", [(1,)])

    for table in ("operations", "batches", "outbox", "locks"):
        assert rows(stage, f"SELECT count(*) FROM {table}") == [(0,)], table  # noqa: S608 - our own names
    [(draft, kept)] = rows(stage, "SELECT draft || summary, kept FROM changes")
    assert [number for number in numbers if number in draft] == []
    assert {name: count for name, count in json.loads(kept).items() if count} == {"verified": 6, "failed": 1}
    assert rows(stage, "SELECT person, verb, digest FROM decisions") == [("U0MAX", "approve", digest)]
    shown = await stage.command(f"status CHG-{change}")
    for words in ("Old data was removed", "Moving the Denver desk", "Customer reference → Denver", "6 verified"):
        assert words in shown
    assert digest[:12] in shown
    assert "CHG-1" in await stage.command("list")


async def test_nothing_that_was_pasted_stays_in_any_table(idle: Stage) -> None:
    """Whatever a number was asked about, it is nowhere in the database once that is older than the retention."""
    stage = idle
    await stage.start(LINESMAN_RETENTION_DAYS="30")
    [number] = stage.telnyx.add_numbers(1, start="+13035550000")
    await values(stage, f"update {number.phone_number}")
    await stage.run([number.phone_number])
    stage.clock.advance(31 * DAY)
    await until(stage, "SELECT pruned_at IS NOT NULL FROM changes", [(1,)])
    await until(stage, "SELECT count(*) FROM value_exports", [(0,)])

    for table in metadata.tables:
        held = rows(stage, f"SELECT * FROM {table}")  # noqa: S608 - our own names
        assert number.phone_number[1:] not in str(held), table


async def test_ids_go_on_and_young_changes_stay(idle: Stage) -> None:
    """What ended lately keeps all its rows, and a pruned id is never given again."""
    stage = idle
    await stage.start(LINESMAN_RETENTION_DAYS="30")
    one, two, three = [n.phone_number for n in stage.telnyx.add_numbers(3, start="+13035550000")]
    await stage.run([one])
    stage.clock.advance(20 * DAY)
    await stage.run([two])
    stage.clock.advance(11 * DAY)
    await until(stage, "SELECT pruned_at IS NOT NULL FROM changes ORDER BY id", [(1,), (0,)])

    assert await stage.run([three]) == 3
    assert rows(stage, "SELECT change_id, e164 FROM operations ORDER BY 1") == [(2, two), (3, three)]


async def test_old_events_go_and_the_rest_is_still_proven(idle: Stage) -> None:
    """One event stands for those that went: how many, up to which, and the hash that the trail goes on from."""
    stage = idle
    await stage.start(LINESMAN_RETENTION_DAYS="30")
    one, two = [n.phone_number for n in stage.telnyx.add_numbers(2, start="+13035550000")]
    await stage.run([one])
    stage.clock.advance(20 * DAY)
    await stage.run([two])
    events, pruned = await proof(stage)
    assert pruned == 0

    stage.clock.advance(11 * DAY)
    await until(stage, "SELECT count(*) FROM events WHERE what = 'events_pruned'", [(1,)])
    [(told,)] = rows(stage, "SELECT details FROM events WHERE what = 'events_pruned'")
    gone = json.loads(told)["events"]
    assert (json.loads(told)["first"], json.loads(told)["last"], gone) == (1, gone, events // 2)
    # What is new are the words about the pruning of the change and of the events.
    assert await proof(stage) == (events - gone + 2, gone)

    stage.clock.advance(60 * DAY)
    await until(stage, "SELECT count(*) FROM events WHERE what NOT IN ('pruned', 'events_pruned')", [(0,)])
    left, pruned = await proof(stage)
    [(last,)] = rows(stage, "SELECT last FROM audit_head")
    assert left + pruned == last
    assert "CHG-1" in await stage.command("status CHG-1")


async def test_a_audit_log_that_somebody_touched_is_not_pruned(idle: Stage) -> None:
    """The proof that an event was edited is not removed with it."""
    stage = idle
    await stage.start(LINESMAN_RETENTION_DAYS="30")
    await stage.run([stage.telnyx.add_number("+13035550000").phone_number])
    await stage.tamper("UPDATE events SET actor = 'U0EVE' WHERE id = 4")

    stage.clock.advance(31 * DAY)
    await until(stage, "SELECT pruned_at IS NOT NULL FROM changes", [(1,)])
    await until(stage, "SELECT count(*) FROM tasks WHERE task = 'prune' AND owner IS NULL AND attempts > 2", [(1,)])

    assert rows(stage, "SELECT count(*) FROM events WHERE what = 'events_pruned'") == [(0,)]
    with pytest.raises(AuditLogBroken, match="breaks at event 4"):
        await proof(stage)


async def test_a_pruned_change_is_not_planned_again(idle: Stage) -> None:
    """A button on an old card is answered: there is nothing left to plan."""
    stage = idle
    await stage.start(LINESMAN_RETENTION_DAYS="1")
    number = stage.telnyx.add_number("+13035550000")
    change = await stage.ask([number.phone_number])
    number.customer_reference = "somebody else's"
    await stage.approve(change)
    await card_says(stage, change, "Stale")
    await stage.quiet()
    stage.clock.advance(2 * DAY)
    await until(stage, "SELECT pruned_at IS NOT NULL FROM changes", [(1,)])

    await stage.ana.click("plan_again", message=stage.card(change))

    said = "CHG-1 ended so long ago that its numbers were pruned; start a new change."
    await stage.ana.wait_for_view(lambda view: said in stage.read(view))


async def test_without_a_retention_everything_is_kept(idle: Stage) -> None:
    """The default loses nothing, and taking the setting back stops the pruning."""
    stage = idle
    number = stage.telnyx.add_number("+13035550000").phone_number
    await stage.start(LINESMAN_RETENTION_DAYS="3000")
    await stage.run([number])
    assert rows(stage, "SELECT count(*) FROM tasks WHERE task = 'prune'") == [(1,)]
    await stage.stop()
    await stage.start(LINESMAN_RETENTION_DAYS="")
    assert rows(stage, "SELECT count(*) FROM tasks WHERE task = 'prune'") == [(0,)]

    stage.clock.advance(4000 * DAY)
    await stage.command("list")
    await stage.quiet()

    assert rows(stage, "SELECT count(*) FROM operations") == [(1,)]
