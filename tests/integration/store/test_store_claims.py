"""Claims: each piece of due work, and each message, goes to one worker."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.messages import MessageRef, OutboxMessage, Topic
from bot.errors import ClaimLost
from bot.store.database import Database
from bot.store.queue.tasks import Claim, Task
from bot.store.tables import outbox, tasks
from bot.store.transaction import Transaction

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
PAUSE = timedelta(seconds=3)


async def new_change(database: Database) -> int:
    """Write a change and return its id."""
    async with database.transaction() as tx:
        return await tx.changes.add(
            Draft(kind="telnyx.settings"), requester="U", origin="", view="", submission=None, now=NOW
        )


async def claim_messages(database: Database, owner: str, now: datetime = NOW) -> list[OutboxMessage]:
    """Claim whatever messages are due."""
    async with database.transaction() as tx:
        return await tx.deliveries.claim(owner=owner, now=now, lease=LEASE, limit=10)


async def test_due_work_goes_to_one_of_many(database: Database) -> None:
    """Eight workers that ask at once share forty tasks without one being given twice."""
    async with database.transaction() as tx:
        await tx.tasks.add_many(Task.POLL, range(40), NOW)

    async def claim(name: int) -> list[int]:
        async with database.transaction() as tx:
            return [c.subject for c in await tx.tasks.claim(owner=str(name), now=NOW, lease=LEASE, limit=5)]

    claimed = await asyncio.gather(*(claim(name) for name in range(8)))

    assert sorted(subject for subjects in claimed for subject in subjects) == list(range(40))


async def test_work_is_not_claimed_before_it_is_due(database: Database) -> None:
    """What is due later waits; what is due earlier comes first."""
    async with database.transaction() as tx:
        await tx.tasks.add(Task.POLL, 1, NOW + timedelta(seconds=10))
        await tx.tasks.add(Task.POLL, 2, NOW - timedelta(seconds=10))
        await tx.tasks.add(Task.POLL, 3, NOW - timedelta(seconds=20))
        claims = await tx.tasks.claim(owner="a", now=NOW, lease=LEASE, limit=10)

        assert [claim.subject for claim in claims] == [3, 2]
        assert await tx.tasks.next_due() == NOW + timedelta(seconds=10)


async def test_what_another_version_knows_is_left_to_it(database: Database) -> None:
    """A task or message of which nobody here knows what it is keeps nothing else from being claimed, and is named."""
    change = await new_change(database)
    early = NOW - timedelta(seconds=10)
    async with database.transaction() as tx:
        await tx.tasks.add(Task.POLL, 1, early)
        await tx.tasks.add(Task.POLL, 2, NOW)
        await tx.outbox.post(change, Topic.FORMER, "first", now=early)
        await tx.outbox.post(change, Topic.FAILURE, "second", now=NOW)
    async with database.connection() as connection:
        await connection.execute(tasks.update().where(tasks.c.subject == 1).values(task="future"))
        await connection.execute(outbox.update().where(outbox.c.topic == "former").values(topic="newer"))
        await connection.commit()

    async with database.transaction() as tx:
        assert (await tx.tasks.next_due(), await tx.deliveries.next_due()) == (NOW, NOW)
        assert [claim.subject for claim in await tx.tasks.claim(owner="a", now=NOW, lease=LEASE, limit=9)] == [2]
        assert (await tx.tasks.unknown(), await tx.deliveries.unknown()) == (["future"], ["newer"])
    assert [message.topic for message in await claim_messages(database, "a")] == [Topic.FAILURE]
    async with database.transaction() as tx:
        assert (await tx.tasks.next_due(), await tx.deliveries.next_due()) == (None, None)


async def test_a_dead_workers_claim_is_taken_over(database: Database) -> None:
    """Nobody gets a claimed task before the lease ends, somebody does afterwards, and the first has lost it."""
    async with database.transaction() as tx:
        await tx.tasks.add(Task.SUBMIT, 7, NOW)
        (first,) = await tx.tasks.claim(owner="a", now=NOW, lease=LEASE, limit=1)
        assert await tx.tasks.claim(owner="b", now=NOW + LEASE, lease=LEASE, limit=1) == []
        (second,) = await tx.tasks.claim(owner="b", now=NOW + LEASE * 2, lease=LEASE, limit=1)

        assert second.attempts == 2
        assert not await tx.tasks.held(first)
        assert await tx.tasks.held(second)


async def test_whoever_lost_a_claim_takes_nothing_newer_away(database: Database) -> None:
    """Neither the task that stands where theirs stood, nor their own that was taken over or made due anew."""
    async with database.transaction() as tx:
        await tx.tasks.add(Task.START, 7, NOW)
        (first,) = await tx.tasks.claim(owner="a", now=NOW, lease=LEASE, limit=1)
        (second,) = await tx.tasks.claim(owner="b", now=NOW + LEASE * 2, lease=LEASE, limit=1)
        await lost(tx, first)
        assert await tx.tasks.held(second)

        await tx.tasks.done(second)
        await tx.tasks.add(Task.SUBMIT, 12, NOW)  # SQLite gives it the id of the one before
        await lost(tx, first)
        await lost(tx, second)
        (third,) = await tx.tasks.claim(owner="a", now=NOW, lease=LEASE, limit=10)
        assert (third.task, third.subject) == (Task.SUBMIT, 12)

        await tx.tasks.add(Task.SUBMIT, 12, NOW)
        await lost(tx, third)
        assert await tx.tasks.count(Task.SUBMIT) == 1
        (again,) = await tx.tasks.claim(owner="b", now=NOW, lease=LEASE, limit=10)
        assert (again.id, again.attempts) == (third.id, third.attempts)
        await lost(tx, third)


async def lost(tx: Transaction, claim: Claim) -> None:
    """Check that neither end of ``claim`` is written any more."""
    for end in (tx.tasks.done(claim), tx.tasks.again(claim, NOW)):
        with pytest.raises(ClaimLost):
            await end


async def test_what_is_written_under_a_lost_claim_is_not_kept(database: Database) -> None:
    """The transaction that would end it is undone whole, whatever it wrote before."""
    async with database.transaction() as tx:
        await tx.tasks.add(Task.FINISH, 7, NOW)
        (first,) = await tx.tasks.claim(owner="a", now=NOW, lease=LEASE, limit=1)
    async with database.transaction() as tx:
        (second,) = await tx.tasks.claim(owner="b", now=NOW + LEASE * 2, lease=LEASE, limit=1)

    async def conclude() -> None:
        async with database.transaction() as tx:
            await tx.tasks.add(Task.VERIFY, 7, NOW)
            await tx.tasks.done(first)

    with pytest.raises(ClaimLost):
        await conclude()

    async with database.reading() as tx:
        assert await tx.tasks.count(Task.VERIFY) == 0
        assert await tx.tasks.held(second)


async def test_a_renewed_claim_is_kept(database: Database) -> None:
    """A task that takes longer than its lease stays with its worker as long as that one renews."""
    async with database.transaction() as tx:
        await tx.tasks.add(Task.PLAN, 7, NOW)
        (claim,) = await tx.tasks.claim(owner="a", now=NOW, lease=LEASE, limit=1)
        await tx.tasks.extend([claim.id], "a", NOW + LEASE * 3)

        assert await tx.tasks.claim(owner="b", now=NOW + LEASE * 2, lease=LEASE, limit=1) == []


async def test_who_renews_hears_what_it_still_holds(database: Database) -> None:
    """What another took over meanwhile is not renewed, and whoever had it learns that."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.CARD, now=NOW, pause=PAUSE)
        await tx.outbox.show(change, Topic.APPROVAL_CARD, now=NOW, pause=PAUSE)
    card, other = [message.id for message in await claim_messages(database, "a")]
    async with database.transaction() as tx:
        await tx.deliveries.extend([card], "a", NOW + LEASE * 3)
    await claim_messages(database, "b", NOW + LEASE * 2)

    async with database.transaction() as tx:
        assert await tx.deliveries.extend([card, other], "a", NOW + LEASE * 5) == [card]


async def test_a_card_is_one_message_however_often_it_changes(database: Database) -> None:
    """Many touches make one delivery of the latest state; one during the delivery makes one more, after the pause."""
    change = await new_change(database)
    async with database.transaction() as tx:
        for _ in range(5):
            await tx.outbox.show(change, Topic.CARD, now=NOW, pause=PAUSE)
    (message,) = await claim_messages(database, "a")

    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.CARD, now=NOW, pause=PAUSE)
        await tx.deliveries.sent(message, owner="a", now=NOW, pause=PAUSE)

    assert await claim_messages(database, "a", NOW + PAUSE / 2) == []
    (again,) = await claim_messages(database, "a", NOW + PAUSE)
    async with database.transaction() as tx:
        await tx.deliveries.sent(again, owner="a", now=NOW + PAUSE, pause=PAUSE)
    assert await claim_messages(database, "a", NOW + PAUSE * 9) == []


async def test_what_is_withdrawn_while_it_is_delivered_is_not_delivered_once_more(database: Database) -> None:
    """Somebody goes on from a plan to its form before Slack has answered: the plan does not come back over the form."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.PREVIEW, now=NOW)
    (message,) = await claim_messages(database, "a")

    async with database.transaction() as tx:
        await tx.outbox.withdraw(change, Topic.PREVIEW)
        await tx.deliveries.sent(message, owner="a", now=NOW, pause=PAUSE, confirm=PAUSE)

    assert await claim_messages(database, "a", NOW + PAUSE * 9) == []
    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.PREVIEW, now=NOW)
    assert len(await claim_messages(database, "a")) == 1


async def test_the_last_word_does_not_wait(database: Database) -> None:
    """Once the change is over its card is brought up to date at once, also when it was just being delivered."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.CARD, now=NOW, pause=PAUSE)
    (message,) = await claim_messages(database, "a")
    async with database.transaction() as tx:
        await tx.changes.move(change, ChangeState.DISCARDED)
        await tx.outbox.show(change, Topic.CARD, now=NOW, pause=PAUSE)
        await tx.deliveries.sent(message, owner="a", now=NOW, pause=PAUSE)

    (during,) = await claim_messages(database, "a", NOW)
    async with database.transaction() as tx:
        await tx.deliveries.sent(during, owner="a", now=NOW, pause=PAUSE)
        await tx.outbox.show(change, Topic.CARD, now=NOW, pause=PAUSE)
    (after,) = await claim_messages(database, "a", NOW)

    assert (during.topic, after.topic) == (Topic.CARD, Topic.CARD)


async def test_a_thread_waits_for_its_card_and_keeps_its_order(database: Database) -> None:
    """No line goes out before the card is there, and none overtakes an earlier one; a failure notice does not wait."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.outbox.post(change, Topic.THREAD, "first", now=NOW)
        await tx.outbox.post(change, Topic.RESULTS, "second", now=NOW)
        await tx.outbox.post(change, Topic.FAILURE, "notice", now=NOW)

    assert [m.topic for m in await claim_messages(database, "a")] == [Topic.FAILURE]

    async with database.transaction() as tx:
        await tx.changes.put(change, card=MessageRef(channel="C", ts="1.2"))
    (first,) = await claim_messages(database, "a")
    assert first.key == f"CHG-{change}:thread:first"
    assert await claim_messages(database, "a") == []
    async with database.transaction() as tx:
        await tx.deliveries.sent(first, owner="a", now=NOW, pause=PAUSE)
    assert [m.topic for m in await claim_messages(database, "a")] == [Topic.RESULTS]


async def test_a_message_is_decided_once(database: Database) -> None:
    """Deciding on the same message again, also after it was sent, does nothing."""
    change = await new_change(database)
    for _ in range(2):
        async with database.transaction() as tx:
            await tx.outbox.post(change, Topic.FAILURE, "failed", now=NOW)
    (message,) = await claim_messages(database, "a")
    async with database.transaction() as tx:
        await tx.deliveries.sent(message, owner="a", now=NOW, pause=PAUSE)
        await tx.outbox.post(change, Topic.FAILURE, "failed", now=NOW)

    assert await claim_messages(database, "a") == []


async def test_an_interrupted_message_is_known_as_such(database: Database) -> None:
    """After a crash the next claim says that an earlier attempt may have arrived; after a sure refusal it does not."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.outbox.post(change, Topic.FAILURE, "failed", now=NOW)
    (message,) = await claim_messages(database, "a")
    assert not message.interrupted

    async with database.transaction() as tx:
        await tx.deliveries.release_all()
    (message,) = await claim_messages(database, "b")
    assert message.interrupted

    async with database.transaction() as tx:
        await tx.deliveries.postpone(message, owner="b", until=NOW, error="slow down", surely_unsent=True)
    (message,) = await claim_messages(database, "b")
    assert not message.interrupted


async def test_an_attempt_that_somebody_died_over_is_told_from_one_that_was_waited_for(database: Database) -> None:
    """Whether its claim is freed at a start or runs out: nobody has given Slack the time to carry it out late."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.outbox.post(change, Topic.FAILURE, "failed", now=NOW)
    (message,) = await claim_messages(database, "a")
    assert not message.cut_off

    async with database.transaction() as tx:
        await tx.deliveries.postpone(message, owner="a", until=NOW, error="no answer", surely_unsent=False)
    (message,) = await claim_messages(database, "a")
    assert (message.interrupted, message.cut_off) == (True, False)

    async with database.transaction() as tx:
        await tx.deliveries.release_all()
    (message,) = await claim_messages(database, "b")
    assert message.cut_off
    (message,) = await claim_messages(database, "c", NOW + LEASE * 2)
    assert message.cut_off

    async with database.transaction() as tx:
        await tx.deliveries.postpone(message, owner="c", until=NOW, error="no look", surely_unsent=False, settled=False)
    (message,) = await claim_messages(database, "c", NOW + LEASE * 2)
    assert message.cut_off
    async with database.transaction() as tx:
        await tx.deliveries.postpone(message, owner="c", until=NOW, error="not there yet", surely_unsent=False)
    (message,) = await claim_messages(database, "c", NOW + LEASE * 2)
    assert (message.interrupted, message.cut_off) == (True, False)


async def test_a_refused_message_is_given_up(database: Database) -> None:
    """It is not tried again, and does not count as waiting."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.outbox.post(change, Topic.FAILURE, "failed", now=NOW)
    (message,) = await claim_messages(database, "a")
    async with database.transaction() as tx:
        assert await tx.outbox.undelivered() == 1
        await tx.deliveries.refuse(message, owner="a", error="is_archived")
        assert await tx.outbox.undelivered() == 0

    assert await claim_messages(database, "a", NOW + LEASE * 2) == []


async def test_slack_gets_its_time_anew_when_the_clock_is_set(database: Database) -> None:
    """What waits for a call of the dead comes at once, or early: it is looked for, and not taken for over."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.outbox.post(change, Topic.FAILURE, "failed", now=NOW)
    (message,) = await claim_messages(database, "a")
    later = NOW + timedelta(seconds=30)
    async with database.transaction() as tx:
        await tx.deliveries.postpone(message, owner="a", until=later, error="It may yet arrive.", surely_unsent=False)
        await tx.waiting.check_again(NOW, LEASE)
        await tx.waiting.wait_anew()

    (message,) = await claim_messages(database, "b")

    assert message.cut_off


async def test_what_says_something_waits_anew_when_the_clock_is_set(database: Database) -> None:
    """Whether anybody has waited since the latest attempt to tell a delegate is forgotten; a wait for a slot is not."""
    async with database.transaction() as tx:
        for task in (Task.DELEGATION, Task.EXPORT_VALUES, Task.SUBMIT):
            await tx.tasks.add(task, 7, NOW)
        for claim in await tx.tasks.claim(owner="a", now=NOW, lease=LEASE, limit=3):
            await tx.tasks.again(claim, NOW, waited=True)
        await tx.waiting.wait_anew()
        claims = await tx.tasks.claim(owner="a", now=NOW, lease=LEASE, limit=3)

    assert {claim.task: claim.tries for claim in claims} == {Task.DELEGATION: 2, Task.EXPORT_VALUES: 2, Task.SUBMIT: 1}


@pytest.mark.parametrize(("waited", "due"), [(20, 20), (300, 30)])
async def test_news_do_not_hasten_a_card_that_slack_may_be_posting(database: Database, waited: int, due: int) -> None:
    """It waits as it did, though not longer than a call of before can take."""
    change = await new_change(database)
    settling = timedelta(seconds=30)
    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.CARD, now=NOW, settling=settling)
    (message,) = await claim_messages(database, "a")
    until = NOW + timedelta(seconds=waited)
    async with database.transaction() as tx:
        await tx.deliveries.postpone(message, owner="a", until=until, error="no answer", surely_unsent=False)
        await tx.outbox.show(change, Topic.CARD, now=NOW, settling=settling)

        assert await tx.deliveries.next_due() == NOW + timedelta(seconds=due)


async def test_news_of_a_card_that_stands_are_shown_at_once(database: Database) -> None:
    """An edit that nobody answered doubles nothing."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.outbox.show(change, Topic.CARD, now=NOW)
        await tx.changes.put(change, card=MessageRef(channel="C1", ts="1.2"))
    (message,) = await claim_messages(database, "a")
    async with database.transaction() as tx:
        until = NOW + timedelta(seconds=20)
        await tx.deliveries.postpone(message, owner="a", until=until, error="no answer", surely_unsent=False)
        await tx.outbox.show(change, Topic.CARD, now=NOW, settling=timedelta(seconds=30))

        assert await tx.deliveries.next_due() == NOW
