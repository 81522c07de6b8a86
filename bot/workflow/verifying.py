"""Reading numbers back after the jobs, and comparing them with what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from bot.changes.kinds import Kind
from bot.changes.lifecycle import ChangeState
from bot.changes.pacing import FAILED_READS, READ_BACKS, next_after_failed_read, next_read_back
from bot.changes.readback import Awaited, Reading, comparable, judge
from bot.changes.records import Change
from bot.changes.snapshots import Target
from bot.changes.values import Values
from bot.errors import ProviderError
from bot.store.transaction import Transaction
from bot.store.work import Claim, Task
from bot.workflow.announcements import Announcements
from bot.workflow.context import Context

log = structlog.get_logger(__name__)

#: Numbers that are written down at once: other writers get their turn in between.
PORTION = 500


class Verifying:
    """Verifies changes whose jobs have all settled, frozen or stopped ones too: it only reads.

    A number that has what was sent is verified at once. The others are read again, a few times, for a provider may
    show a change late; what then still differs is a difference. How often was read is in the database, so a restart
    neither shortens nor prolongs it.
    """

    def __init__(self, context: Context, announcements: Announcements) -> None:
        self._context = context
        self._say = announcements

    async def verify(self, claim: Claim) -> None:
        """Carry out the task: read once what is not verified yet, and make the next step due."""
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(claim.subject)
            awaited = await tx.operations.awaiting(change.id)
            sent = {batch.position: batch.values for batch in await tx.batches.of(change.id)}
        if change.state is not ChangeState.VERIFYING:
            await self._done(claim)
            return
        if awaited:
            try:
                await self._read(change, awaited, sent)
            except ProviderError as error:
                await self._failed(claim, change, error)
                return
        await self._next(claim, change, change.read_backs + bool(awaited))

    async def _read(self, change: Change, awaited: Mapping[str, Awaited], batches: Mapping[int, Values]) -> None:
        """Read the numbers and write down what is found, portion by portion."""
        kind = self._context.catalogue.kind(change.kind)
        sent = {position: comparable(kind, values) for position, values in batches.items()}
        names = {name for each in awaited.values() for name in sent[each.batch] if name in kind.by_name}
        last = change.read_backs + 1 >= READ_BACKS
        labels = change.summary.labels if change.summary else {}
        unseen = dict(awaited)
        readings: list[Reading] = []
        # Nothing is going to be changed, so a call that only tells what could be is left out.
        target = Target(identifiers=tuple(awaited), editable_asked=False)
        async for snapshot in self._context.catalogue.provider(kind).find(target, sorted(names), kind):
            number = unseen.pop(snapshot.id, None)
            if number is None:
                continue
            readings.append(judge(kind, number, sent[number.batch], snapshot, labels, last=last))
            if len(readings) >= PORTION:
                await self._write(change, readings)
                readings.clear()
        readings += (judge(kind, number, sent[number.batch], None, labels, last=last) for number in unseen.values())
        for start in range(0, len(readings), PORTION):
            await self._write(change, readings[start : start + PORTION])

    async def _write(self, change: Change, readings: Sequence[Reading]) -> None:
        async with self._context.database.transaction() as tx:
            await tx.operations.read_back(change.id, readings, self._context.clock())

    async def _next(self, claim: Claim, change: Change, read_backs: int) -> None:
        """After the read, if one was needed: read again what was not as sent yet, or have the change concluded."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.changes.put(change.id, read_backs=read_backs, failed_reads=0)
            left = (await tx.operations.tally(change.id)).succeeded
            if left and read_backs < READ_BACKS:
                due_at = next_read_back(self._context.timing.poll, now=now, read_backs=read_backs)
                await tx.work.again(claim, due_at)
            else:
                await self._conclude(tx, claim, read_backs)
            await self._say.card(tx, change.id)
        log.info("numbers read back", change=change.id, times=read_backs, not_as_sent=left)
        self._context.ring()

    async def _failed(self, claim: Claim, change: Change, error: ProviderError) -> None:
        """After a read that failed: try again later, or say that the numbers could not be verified."""
        now = self._context.clock()
        failed = change.failed_reads + 1
        log.warning("cannot read back", change=change.id, why=error.message, failed=failed)
        async with self._context.database.transaction() as tx:
            await tx.changes.put(change.id, failed_reads=failed)
            if failed < FAILED_READS:
                due_at = next_after_failed_read(self._context.timing.poll, now=now, failed=failed)
                await tx.work.again(claim, due_at)
            else:
                await tx.operations.give_up_reading(change.id, self._unread(self._context.catalogue.kind(change.kind)))
                await self._conclude(tx, claim, change.read_backs)
            await self._say.card(tx, change.id)
        self._context.ring()

    def _unread(self, kind: Kind) -> str:
        title = self._context.catalogue.provider(kind).title
        return (
            f"The job reports success, but {title} could not be read afterwards to see whether it is true; "
            "look at the number before you rely on it."
        )

    async def _conclude(self, tx: Transaction, claim: Claim, read_backs: int) -> None:
        now = self._context.clock()
        tally = await tx.operations.tally(claim.subject)
        await tx.events.add(
            claim.subject,
            "read_back",
            at=now,
            times=read_backs,
            verified=tally.verified,
            differs=tally.differs,
            unverified=tally.unverified,
        )
        await tx.work.done(claim)
        await tx.work.add(Task.FINISH, claim.subject, now)

    async def _done(self, claim: Claim) -> None:
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
