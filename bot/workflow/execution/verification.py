"""Reading numbers back after the jobs, and comparing them with what was sent."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.changes.model.change import Change
from bot.changes.model.kinds import EffectState, Kind
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.snapshots import Target
from bot.changes.model.values import Values
from bot.changes.outcome.poll_schedule import (
    ASKING_READS,
    FAILED_READS,
    READ_BACKS,
    UNDER_WAY,
    next_after_failed_read,
    next_read_back,
)
from bot.changes.outcome.readback import AwaitedNumber, Patience, ReadBack, SentBatch, comparable, judge, to_read
from bot.changes.text.counts import counted, examples
from bot.errors import ProviderError
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)

#: Numbers that are written down at once, so that other writers get their turn in between.
PORTION = 1000
#: Numbers that are named in a notice; the rest are only counted.
NAMED = 5
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class _Seen:
    """The result of one round of reading."""

    #: The provider's word -> how many numbers it says are still under way.
    under_way: Counter[str] = field(default_factory=Counter)
    #: Numbers for which the provider says that the accepted change has failed, each with its E.164. They are written
    #: down together with the notice about them, so that no crash can leave one without the other.
    failed: list[tuple[ReadBack, str]] = field(default_factory=list)


class Verification:
    """Verifies changes whose jobs have all settled, frozen or stopped changes too: it only reads.

    A number that has what was sent is verified at once. The others are read again, a few times, because a provider may
    show a change late; a value that still differs then is a difference. Numbers that the provider says it still works
    on are read for longer. The count of reads is in the database, so a restart neither shortens nor prolongs it.
    """

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications

    @handles(Task.VERIFY)
    async def verify(self, claim: Claim) -> None:
        """Carry out the task: read once the numbers not verified yet, and make the next step due."""
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(claim.subject)
            awaited = await tx.read_backs.awaiting(change.id)
            sent = {batch.position: batch.values for batch in await tx.batches.of(change.id)}
            removes = self._context.catalogue.kind(change.kind).removes
            e164 = await tx.operations.changing(change.id) if removes else {}
        if change.state is not ChangeState.VERIFYING:
            await self._done(claim)
            return
        seen = _Seen()
        if awaited:
            try:
                seen = await self._read(change, awaited, sent, e164)
            except ProviderError as error:
                await self._failed(claim, change, error)
                return
        await self._next(claim, change, change.read_backs + bool(awaited), seen)

    async def _read(
        self,
        change: Change,
        awaited: Mapping[str, AwaitedNumber],
        batches: Mapping[int, Values],
        e164: Mapping[str, str],
    ) -> _Seen:
        """Read the numbers and write down what is found, in portions; ``e164`` holds those that should be gone."""
        kind = self._context.catalogue.kind(change.kind)
        sent = {position: comparable(kind, values) for position, values in batches.items()}
        # A hundred thousand numbers take a while, and the loop has clicks to answer meanwhile.
        names = await asyncio.to_thread(_to_read, kind, sent, awaited)
        began = change.verifying_at or self._context.clock()
        patience = Patience(
            last=change.read_backs + 1 >= READ_BACKS, overdue=self._context.clock() >= began + UNDER_WAY
        )
        labels = change.summary.labels if change.summary else {}
        unseen = dict(awaited)
        readings: list[ReadBack] = []
        seen = _Seen()
        # Nothing will be changed, so the call that only tells what could be changed is left out.
        target = Target(identifiers=tuple(awaited), editable_asked=False, e164=e164)
        async for snapshot in self._context.catalogue.provider(kind).find(target, names, kind):
            number = unseen.pop(snapshot.id, None)
            if number is None:
                continue
            reading = judge(kind, number, sent[number.batch], snapshot, labels, patience=patience)
            if reading.standing is EffectState.FAILED and reading.state is not None:
                seen.failed.append((reading, snapshot.e164))
                continue
            if reading.state is None and reading.standing is EffectState.UNDER_WAY:
                seen.under_way[reading.word] += 1
            readings.append(reading)
            if len(readings) >= PORTION:
                await self._write(change, readings)
                readings.clear()
        readings += (
            judge(kind, number, sent[number.batch], None, labels, patience=patience) for number in unseen.values()
        )
        for start in range(0, len(readings), PORTION):
            await self._write(change, readings[start : start + PORTION])
        return seen

    async def _write(self, change: Change, readings: Sequence[ReadBack]) -> None:
        async with self._context.database.transaction() as tx:
            await tx.read_backs.add(change.id, readings, self._context.clock())

    async def _next(self, claim: Claim, change: Change, read_backs: int, seen: _Seen) -> None:
        """After the read, if one was needed: read again what is not yet as sent, or have the change concluded."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return  # an operator ended the read-back meanwhile
            if seen.failed:
                await self._not_in_effect(tx, change, read_backs, seen)
            left = (await tx.tallies.of(change.id)).unread
            await tx.changes.put(
                change.id,
                read_backs=read_backs,
                failed_reads=0,
                waiting_for=self._under_way(change, seen) if left else "",
            )
            if left:
                due_at = next_read_back(self._context.timing.poll, now=now, read_backs=read_backs)
                await tx.tasks.again(claim, due_at)
            else:
                await self._conclude(tx, claim, read_backs)
            await self._notify.card(tx, change.id)
        log.info("numbers read back", change=change.id, times=read_backs, not_as_sent=left)
        self._context.ring()

    def _under_way(self, change: Change, seen: _Seen) -> str:
        """Return what is awaited while the provider says that it still works on numbers; empty when it does not."""
        kind = self._context.catalogue.kind(change.kind)
        if not seen.under_way:
            return ""
        status, title = kind.statuses[0].label, self._context.catalogue.provider(kind).title
        told = ", ".join(
            f"{status} of {counted(count, 'number')} is still “{word}”" for word, count in seen.under_way.most_common()
        )
        return f"{told} at {title}; it is read again until that changes, for at most {UNDER_WAY // HOUR} hours."

    async def _not_in_effect(self, tx: Transaction, change: Change, read_backs: int, seen: _Seen) -> None:
        """Tell people at once of numbers that do not do what people rely on."""
        now = self._context.clock()
        readings = [reading for reading, _ in seen.failed]
        for start in range(0, len(readings), PORTION):
            await tx.read_backs.add(change.id, readings[start : start + PORTION], now)
        named = examples([e164 for _, e164 in seen.failed[:NAMED]], len(seen.failed))
        word, count = readings[0].word, len(readings)
        await tx.events.add(change.id, "not_in_effect", at=now, word=word, numbers=count)
        await self._notify.failure(
            tx, change.id, "not_in_effect", each=str(read_backs), numbers=count, named=named, word=word
        )

    async def _failed(self, claim: Claim, change: Change, error: ProviderError) -> None:
        """After a failed read: try again later, or say that the numbers could not be verified."""
        now = self._context.clock()
        failed = change.failed_reads + 1
        log.warning("cannot read back", change=change.id, why=error.message, failed=failed)
        async with self._context.database.transaction() as tx:
            if not await tx.tasks.held(claim):
                return  # as above
            await tx.changes.put(
                change.id, failed_reads=failed, waiting_for=f"The numbers cannot be read back: {error.message}"
            )
            if failed < FAILED_READS:
                due_at = next_after_failed_read(self._context.timing.poll, now=now, failed=failed)
                await tx.tasks.again(claim, due_at)
                if failed == ASKING_READS:
                    await self._notify.ask(tx, change.id)
            else:
                await tx.read_backs.give_up(change.id, self._unread(self._context.catalogue.kind(change.kind)))
                await self._conclude(tx, claim, change.read_backs)
            await self._notify.card(tx, change.id)
        self._context.ring()

    def _unread(self, kind: Kind) -> str:
        title = self._context.catalogue.provider(kind).title
        return f"{title} could not be read afterwards; check the number before you rely on it."

    async def _conclude(self, tx: Transaction, claim: Claim, read_backs: int) -> None:
        await tx.tasks.done(claim)
        await conclude(tx, claim.subject, self._context.clock(), times=read_backs)

    async def _done(self, claim: Claim) -> None:
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)


def _to_read(kind: Kind, sent: Mapping[int, SentBatch], awaited: Mapping[str, AwaitedNumber]) -> Sequence[str]:
    """Return the names to read for ``awaited``, which follow from the known values: most numbers know the same ones."""
    unlike = {(each.batch, *each.known): each for each in awaited.values()}.values()
    return sorted({name for each in unlike for name in to_read(kind, sent[each.batch], each.known)})


async def conclude(tx: Transaction, change: int, now: datetime, *, times: int) -> None:
    """Note the result of the read-back, and have the change concluded."""
    tally = await tx.tallies.of(change)
    await tx.changes.put(change, waiting_for="")
    await tx.events.add(
        change,
        "read_back",
        at=now,
        times=times,
        verified=tally.verified,
        differs=tally.differs,
        unverified=tally.unverified,
    )
    await tx.tasks.add(Task.FINISH, change, now)
