"""What is pruned, in which portions, and what has to stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select, text

from bot.changes.model.batches import Tally
from bot.changes.model.bulk_runs import NewNumber
from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.messages import Topic
from bot.changes.planning.plan import PlannedBatch, PlannedNumber
from bot.changes.policy import OnStale
from bot.store.database import Database
from bot.store.migrations import migrate
from bot.store.queue.tasks import Task
from bot.store.records.pruning import PORTION
from bot.store.tables import metadata, run_numbers, run_stops, runs
from tests.integration.store.before import downgrade

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


async def ended(database: Database, at: datetime | None, numbers: int = 1, batches: int = 1) -> int:
    """Write a change with a plan that was discarded at ``at``; None leaves it open."""
    planned = [
        PlannedNumber(id=str(i), e164=f"+1{i:010}", before={}, after={"tags": ("a",)}, batch=1) for i in range(numbers)
    ]
    async with database.transaction() as tx:
        draft = Draft(kind="telnyx.settings", reason="why")
        change = await tx.changes.add(draft, requester="U0ANA", origin="", view="", submission=None, now=NOW)
        await tx.operations.add(change, planned)
        sizes = [PlannedBatch(position=i + 1, values={"tags": ("a",)}, size=1) for i in range(batches)]
        await tx.batches.add(change, "telnyx.settings", sizes)
        await tx.events.add(change, "proposed", at=at or NOW)
        if at is not None:
            await tx.changes.move(change, ChangeState.DISCARDED, finished_at=at)
    return change


#: How each table is kept from growing for ever. A new one has to say so here, and the retention has to keep its word.
SHRINKS: Final = {
    "audit_head": "one row",
    "batches": "with its change",
    "budgets": "one row for each thing that is rationed",
    "changes": "never: each is reduced to its summary",
    "decisions": "never: who decided is part of what stays of a change",
    "delegations": "by the retention",
    "events": "by the retention",
    "freezes": "never: an operator's word, a line each",
    "locks": "when the change ends",
    "operations": "with its change",
    "outbox": "with its change",
    "rate_windows": "one row for each limit that is known",
    "reporter": "one row",
    "run_numbers": "with its change",
    "run_stops": "with its change",
    "runs": "with its change",
    "sent_secrets": "by the retention",
    "tasks": "when the work is done",
    "templates": "when somebody deletes them",
    "turns": "when the turn is over",
    "value_exports": "by the retention",
}


def test_every_table_says_how_it_shrinks() -> None:
    """A table that nobody thought of when it was made would keep what the retention says is gone."""
    assert {table.name for table in metadata.tables.values()} == SHRINKS.keys()


async def test_answered_requests_for_values_are_forgotten(database: Database) -> None:
    """What is young, or is still to be answered, stays; what nobody answers any more goes with the others."""
    draft = Draft(kind="telnyx.settings")
    asked = {"answered": -3 * DAY, "lately": -DAY / 2, "waits": -3 * DAY, "lost": -3 * DAY, "asked lately": -DAY / 2}
    async with database.transaction() as tx:
        ids = {
            name: await tx.value_exports.add(draft, requester="U0ANA", submission=name, now=NOW + at, floor="")
            for name, at in asked.items()
        }
        await tx.value_exports.finish(ids["answered"], NOW - 2 * DAY)
        await tx.value_exports.finish(ids["lately"], NOW)
        await tx.tasks.add(Task.EXPORT_VALUES, ids["waits"], NOW)

    async with database.transaction() as tx:
        assert await tx.value_exports.forget(NOW - DAY) == 2
        left = [name for name in asked if await tx.value_exports.submitted_as(name) is not None]
    assert left == ["lately", "waits", "asked lately"]


async def test_the_oldest_ended_change_is_next(database: Database) -> None:
    """One that is open, too young, pruned already, or whose last words still wait to be delivered is left alone."""
    older, old = await ended(database, NOW - 3 * DAY), await ended(database, NOW - 2 * DAY)
    talking = await ended(database, NOW - 5 * DAY)
    await ended(database, NOW - DAY)
    await ended(database, None)
    async with database.transaction() as tx:
        await tx.outbox.post(talking, Topic.FAILURE, "x", now=NOW)

    async with database.transaction() as tx:
        assert await tx.pruning.next_change(NOW - DAY) == older
        await tx.changes.put(older, pruned_at=NOW)
        assert await tx.pruning.next_change(NOW - DAY) == old
        await tx.changes.put(old, pruned_at=NOW)
        assert await tx.pruning.next_change(NOW - DAY) is None


async def test_rows_go_in_portions(database: Database) -> None:
    """No transaction removes more than a portion, and another change keeps its rows."""
    big = await ended(database, NOW, numbers=2 * PORTION - 10, batches=20)
    other = await ended(database, NOW, numbers=3)

    left = []
    for _ in range(3):
        async with database.transaction() as tx:
            done = await tx.pruning.remove_rows(big)
            left.append(((await tx.tallies.of(big)).total, len(await tx.batches.of(big)), done))

    assert left == [(PORTION - 10, 20, False), (0, 10, False), (0, 0, True)]
    async with database.reading() as tx:
        assert (await tx.tallies.of(other)).total == 3


async def test_runs_go_with_their_change(database: Database) -> None:
    """Their numbers first, in portions, then they and what stopped them; those of another change stay."""
    big, other = await ended(database, NOW), await ended(database, NOW)
    later = int(f"{big}0")  # whose references begin with the same digits
    numbers = [NewNumber(id=str(i), e164=f"+1{i:010}", before={}, wanted={"label": "a"}) for i in range(PORTION + 5)]
    async with database.transaction() as tx:
        for reference, some in ((f"{big}/1", numbers), (f"{big}/2", numbers[:1]), (f"{other}/1", numbers[:3])):
            await tx.runs.add("close", reference, "close.settings", some, on_stale=OnStale.STOP, now=NOW)
        stopped = [f"{big}/1", f"{big}/3", f"{other}/1", f"{later}/1"]
        await tx.runs.call_off("close", stopped, code="linesman.stopped", reason="Cancelled.", now=NOW)

    left = []
    for _ in range(3):
        async with database.transaction() as tx:
            done = await tx.pruning.remove_rows(big)
        left.append((await rows(database), done))

    kept = {"run_numbers": 3, "runs": 1, "run_stops": 2}
    assert left == [
        ({"run_numbers": 9, "runs": 3, "run_stops": 4}, False),
        (kept, True),
        (kept, True),
    ]


#: A change at Close with one run of one number, which was stopped, as version 0018 keeps it.
_BEFORE_0022: Final = """
    INSERT INTO changes (id, kind, state, requester, draft, created_at, pruned_at)
    VALUES ({id}, 'close.settings', 'finished', 'U0ANA', '{{}}', '2026-11-01 12:00:00+00', {pruned_at});
    INSERT INTO runs (id, provider, reference, kind, open, created_at, due_at)
    VALUES ({id}, 'close', '{id}/1', 'close.settings', false, '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00');
    INSERT INTO run_numbers (run_id, position, number_id, e164, before, wanted, state)
    VALUES ({id}, 0, '1', '+13035550100', '{{}}', '{{}}', 'succeeded');
    INSERT INTO run_stops (provider, reference, code, reason, at)
    VALUES ('close', '{id}/1', 'linesman.stopped', 'Cancelled.', '2026-11-01 12:00:00+00')
"""


async def test_an_upgrade_takes_what_changes_that_were_pruned_before_have_left(database: Database) -> None:
    """Versions before pruned changes and left their runs for ever."""
    await downgrade(database, "0018")
    async with database.engine.begin() as connection:
        for id_, pruned_at in ((1, "'2026-11-21 12:00:00+00'"), (2, "NULL")):
            for statement in _BEFORE_0022.format(id=id_, pruned_at=pruned_at).split(";"):
                await connection.execute(text(statement))

    await migrate(database)

    assert await rows(database) == {"run_numbers": 1, "runs": 1, "run_stops": 1}


async def rows(database: Database) -> dict[str, int]:
    """Count the rows of the tables of runs."""
    async with database.engine.connect() as connection:
        return {
            table.name: await connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (run_numbers, runs, run_stops)
        }


async def test_events_go_from_the_oldest_on_and_not_past_a_change_that_is_needed(database: Database) -> None:
    """The first event that is young, or of a change that is not pruned, ends what may go."""
    gone, needed = await ended(database, NOW - 9 * DAY), await ended(database, NOW - 8 * DAY)
    async with database.transaction() as tx:
        await tx.events.add(None, "frozen", at=NOW - 7 * DAY)
        await tx.events.add(None, "unfrozen", at=NOW - DAY)
        await tx.changes.put(gone, pruned_at=NOW)

    async with database.transaction() as tx:
        assert [event.id for event in await tx.pruning.oldest_events(NOW - 2 * DAY)] == [1]
        await tx.changes.put(needed, pruned_at=NOW)
        assert [event.id for event in await tx.pruning.oldest_events(NOW - 2 * DAY)] == [1, 2, 3]
        assert await tx.pruning.remove_events(3) == 3


async def test_what_is_kept_comes_back(database: Database) -> None:
    """The counts and the day of the pruning stand in the change."""
    change = await ended(database, NOW)
    tally = Tally(succeeded=2, failed=1)
    async with database.transaction() as tx:
        await tx.changes.put(change, kept=tally, pruned_at=NOW)

    async with database.reading() as tx:
        back = await tx.changes.get(change)
    assert (back.kept, back.pruned_at) == (tally, NOW)


async def test_a_task_that_is_there_keeps_its_time(database: Database) -> None:
    """Making sure of a task twice, as every start does, does not hurry it."""
    async with database.transaction() as tx:
        await tx.tasks.ensure(Task.PRUNE, 0, NOW)
        await tx.tasks.ensure(Task.PRUNE, 0, NOW - DAY)

        assert await tx.tasks.next_due() == NOW
        assert await tx.tasks.count(Task.PRUNE) == 1
