"""What the store knows of questions to operators, of slots, and of messages that went elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import BatchState
from bot.changes.model.messages import Topic
from bot.changes.planning.plan import PlannedBatch
from bot.store.database import Database

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KIND = "telnyx.settings"


async def batches_of(database: Database, count: int) -> tuple[int, list[int]]:
    """Write a change with ``count`` batches and return its id and theirs."""
    async with database.transaction() as tx:
        change = await tx.changes.add(
            Draft(kind=KIND), requester="U0ANA", origin="C0OPS", view="", submission=None, now=NOW
        )
        await tx.batches.add(change, KIND, [PlannedBatch(position=p, values={}, size=1) for p in range(1, count + 1)])
        return change, [batch.id for batch in await tx.batches.of(change)]


async def test_a_question_is_open_while_the_batch_is_unknown(database: Database) -> None:
    """It counts as undecided from the moment operators are asked until the batch moves on."""
    change, (batch, _) = await batches_of(database, 2)
    async with database.transaction() as tx:
        await tx.batches.move(batch, BatchState.SUBMITTING, attempted_at=NOW)
        await tx.batches.move(batch, BatchState.UNKNOWN, unanswered_since=NOW)
        before = await tx.batches.undecided(change)
        await tx.batches.put(batch, escalated_at=NOW, doubt="Two jobs.", candidates=["a", "b"])
        asked = await tx.batches.get(batch)
        during = await tx.batches.undecided(change)
        await tx.batches.move(batch, BatchState.QUEUED)

        assert (before, during, await tx.batches.undecided(change)) == (0, 1, 0)
        assert (asked.undecided, asked.stuck, asked.doubt, asked.candidates) == (True, False, "Two jobs.", ("a", "b"))
        assert asked.unanswered_since == NOW


async def test_refusals_for_want_of_a_slot_are_news_for_a_while(database: Database) -> None:
    """The newest refusal of a queued batch counts; one that is old, taken back or of a sent batch does not."""
    _, (first, second) = await batches_of(database, 2)
    minute = timedelta(minutes=1)
    async with database.transaction() as tx:
        assert await tx.job_slots.refused(KIND, NOW - minute) is None
        await tx.batches.put(first, slot_refused_at=NOW - timedelta(seconds=30))
        await tx.batches.put(second, slot_refused_at=NOW)

        assert await tx.job_slots.refused(KIND, NOW - minute) == NOW
        assert await tx.job_slots.refused(KIND, NOW + minute) is None
        assert await tx.job_slots.refused("telnyx.emergency", NOW - minute) is None

        await tx.job_slots.freed(KIND, NOW - timedelta(seconds=10))
        assert await tx.job_slots.refused(KIND, NOW - minute) == NOW - timedelta(seconds=10)

        await tx.batches.move(second, BatchState.SUBMITTING)
        assert await tx.job_slots.refused(KIND, NOW - minute) == NOW - timedelta(seconds=30)
        assert await tx.job_slots.being_sent(KIND) == 1


async def test_jobs_are_counted_over_all_kinds_of_a_provider(database: Database) -> None:
    """One budget of polls is shared by all that is watched at one provider."""
    _, (first, second) = await batches_of(database, 2)
    async with database.transaction() as tx:
        for batch in (first, second):
            await tx.batches.move(batch, BatchState.SUBMITTING)
        await tx.batches.move(first, BatchState.SUBMITTED, job="job-1")

        assert await tx.job_slots.watched("telnyx") == 1
        assert await tx.job_slots.watched("close") == 0


async def test_a_redirected_message_is_due_again_for_its_new_place(database: Database) -> None:
    """It keeps its key, counts as never sent there, and remembers where it goes."""
    change, _ = await batches_of(database, 1)
    lease = timedelta(minutes=1)
    async with database.transaction() as tx:
        await tx.outbox.post(change, Topic.FAILURE, "failed", now=NOW)
        (message,) = await tx.deliveries.claim(owner="me", now=NOW, lease=lease, limit=9)
        await tx.deliveries.redirect(message, owner="me", channel="C0ELSE", now=NOW, error="archived")
        (again,) = await tx.deliveries.claim(owner="me", now=NOW, lease=lease, limit=9)

        assert (message.channel, again.channel) == ("", "C0ELSE")
        assert (again.key, again.interrupted) == (message.key, False)
        await tx.deliveries.refuse(again, owner="me", error="archived")
        assert await tx.outbox.refused() == 1
        assert await tx.outbox.undelivered() == 0


async def test_an_edit_that_needs_confirming_is_due_once_more(database: Database) -> None:
    """After an interrupted edit the message comes again by itself, once, although it has not moved on."""
    change, _ = await batches_of(database, 1)
    lease, pause = timedelta(minutes=1), timedelta(seconds=3)
    later = NOW + timedelta(seconds=30)
    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.APPROVAL_CARD, now=NOW)
        (message,) = await tx.deliveries.claim(owner="me", now=NOW, lease=lease, limit=9)
        await tx.deliveries.sent(message, owner="me", now=NOW, pause=pause, confirm=timedelta(seconds=30))

        assert await tx.deliveries.claim(owner="me", now=NOW, lease=lease, limit=9) == []
        (again,) = await tx.deliveries.claim(owner="me", now=later, lease=lease, limit=9)
        assert not again.interrupted
        await tx.deliveries.sent(again, owner="me", now=later, pause=pause)
        assert await tx.outbox.undelivered() == 0
