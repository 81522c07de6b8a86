"""The staleness check: the numbers of every batch are read again just before it is sent.

One check serves all batches that are about to be sent together, and is not repeated within a few seconds. Its time is
written down with each batch, so that a restart or another replica knows it too; without a time, the numbers are read. A
batch with a changed number is not sent. If nothing of the change was sent yet, the change ends as stale; later, the
policy says whether the other batches follow.

A filter that is handed to the provider has no numbers to read: nobody knows them before its job runs, which the policy
allows and the approver is told. A batch that we carry out ourselves is checked number by number, each just before its
update. No other batch goes without a check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakValueDictionary

import structlog

from bot.changes.model.batches import Batch
from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState, ChangeState, OperationState
from bot.changes.outcome.outcomes import STALE, UNANSWERED, NumberOutcome
from bot.changes.planning.plan import ChangedValue, PlannedNumber, same
from bot.changes.policy import OnStale
from bot.changes.text.counts import counted
from bot.errors import ProviderError
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.execution.batch_jobs import OTHERS_CHANGED, leave_out, on_stale
from bot.workflow.execution.freshness import Names, change_line, differences, names_of, what_changed
from bot.workflow.execution.settlement import CLEAR, SLOT_NEWS, after_settling, stop_batch
from bot.workflow.execution.stop import ChangeStop, untouched
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)

#: How old the last check of a batch's numbers may be when it is sent.
RECENT: Final = timedelta(seconds=5)
#: Fewer numbers than this are read well within that time. Of more, those that are sent first are read last.
SOON: Final = 5000

_MATE: Final = "Another number of its job has changed since the plan was made, so the job was not created."
_PERHAPS: Final = (
    "It was sent, no response came back, and the provider lists no job; but other numbers of the same batch have the "
    "new values now, so it was not sent again."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StalenessCheck:
    """The result of reading numbers again."""

    #: The values that are not as the plan found them, and the names of the ids in them.
    changed: Sequence[ChangedValue] = ()
    names: Names
    #: Position of a batch in the plan -> {position of each of its changed numbers: how it changed}.
    stale: Mapping[int, Mapping[int, str]]
    #: Positions of batches with a number that already has exactly the wanted value.
    done: frozenset[int] = frozenset()
    #: Positions of batches whose numbers were read after all others, and when that began; None when all were read
    #: together.
    last: frozenset[int] = frozenset()
    last_at: datetime | None = None


class Staleness:
    """Checks the numbers of batches, and keeps back the stale ones."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications
        self._stopping = ChangeStop(context, notifications)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def turn(self, change: int) -> asyncio.Lock:
        """Return the lock that a batch holds while it finds out whether it may go: one checks for all."""
        return self._turns.setdefault(change, asyncio.Lock())

    def needed(self, batch: Batch, kind: Kind) -> bool:
        """Tell whether the numbers of ``batch`` must be checked before it is sent.

        Not when they are checked one by one, each just before its own update: keeping all of them back for one would
        say less and do less. And not when nobody knows which numbers they are.
        """
        return not batch.handed and not self._context.catalogue.provider(kind).carries_out

    def recent(self, batch: Batch) -> bool:
        """Tell whether the last check of a batch's numbers, successful or not, is a few seconds old at most.

        A check dated ahead of now was made before somebody set the clock back, so nobody knows how old it is.
        """
        age = self._context.clock() - batch.checked_at if batch.checked_at else None
        return age is not None and timedelta(0) <= age < RECENT

    async def read(
        self, change: Change, numbers: Mapping[int, PlannedNumber], first: Collection[int] = ()
    ) -> StalenessCheck:
        """Read ``numbers`` (by position in the plan) again; raises :class:`bot.errors.ProviderError`.

        Reading many numbers takes longer than a check may be old. So the numbers of the batches at the positions
        ``first``, which are sent as soon as all were read, are read last if that takes no more calls. Otherwise they
        would have to be read once more.
        """
        kind = self._context.catalogue.kind(change.kind)
        others, last = await asyncio.to_thread(_parted, numbers, frozenset(first))
        changed = await differences(self._context, change, others)
        last_at = self._context.clock() if last else None
        if last:
            changed = [*await differences(self._context, change, last), *changed]
        names = await names_of(self._context, kind, changed)
        at = {number.e164: position for position, number in numbers.items()} if changed else {}
        stale: dict[int, dict[int, str]] = {}
        done: set[int] = set()
        for difference in changed:
            number = numbers[at[difference.e164]]
            if number.batch is not None:
                lines = stale.setdefault(number.batch, {})
                line = change_line(kind, difference, names)
                lines[at[difference.e164]] = "; ".join(filter(None, (lines.get(at[difference.e164]), line)))
                if _as_wanted(kind, number, difference):
                    done.add(number.batch)
        return StalenessCheck(
            changed=changed,
            names=names,
            stale=stale,
            done=frozenset(done),
            last=frozenset(first) if last else frozenset(),
            last_at=last_at,
        )

    async def check(self, batch: Batch) -> bool:
        """Check the numbers of ``batch`` and of the batches about to be sent with it, and write down what was found.

        Returns whether all are as the plan found them. Raises :class:`bot.errors.ProviderError` when they cannot be
        read, which is written down too.
        """
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(batch.change)
            batches = await self._together(tx, batch)
            numbers = await tx.operations.planned(change.id, [each.position for each in batches])
        try:
            found = await self.read(change, numbers)
        except ProviderError as error:
            async with self._context.database.transaction() as tx:
                await self.unread(tx, batches, error)
                await self._notify.card(tx, change.id)
            raise
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change.id)
            # The check counts from its end: no check of these numbers could be more recent, however many pages they
            # fill.
            await self.note(tx, change, batches, found, self._context.clock())
        self._context.ring()
        return not found.stale

    async def _together(self, tx: Transaction, batch: Batch) -> list[Batch]:
        """Return ``batch`` and the due batches of its change for which we believe there are slots."""
        kind = self._context.catalogue.kind((await tx.changes.get(batch.change)).kind)
        now = self._context.clock()
        room = max(kind.jobs_in_flight - await tx.job_slots.in_flight(kind.name), 1)
        if await tx.job_slots.refused(kind.name, now - SLOT_NEWS) is not None:
            room = 1  # this batch finds out whether there is a slot, and the others wait for that
        due = await tx.batches.due(batch.change, now, room)
        others = [each for each in due if each.id != batch.id and not each.handed and not self.recent(each)]
        return [batch, *others[: room - 1]]

    async def unread(self, tx: Transaction, batches: Sequence[Batch], error: ProviderError) -> None:
        """Note that the numbers of ``batches`` cannot be read again: they wait, and the card says for what."""
        log.warning("numbers not read again", batches=len(batches), why=error.message)
        await tx.batches.checked([batch.id for batch in batches], self._context.clock(), error.message)

    async def note(
        self, tx: Transaction, change: Change, batches: Sequence[Batch], seen: StalenessCheck, at: datetime
    ) -> None:
        """Write down the result of a check of ``batches``, dated ``at``, and keep back the stale ones."""
        checked = [batch for batch in batches if batch.position not in seen.stale]
        await tx.batches.checked([batch.id for batch in checked], at)
        if seen.last_at is not None:
            await tx.batches.checked([batch.id for batch in checked if batch.position in seen.last], seen.last_at)
        present = await tx.batches.of(change.id)
        stale = [each for each in present if each.position in seen.stale and each.state is BatchState.QUEUED]
        if not stale or change.state.over:
            return
        kind = self._context.catalogue.kind(change.kind)
        if untouched(present):
            await self._end(tx, change, seen, kind)
            return
        for batch in stale:
            await self._keep_back(tx, batch, seen)
        size = sum(batch.size for batch in stale)
        if on_stale(self._context, change) is OnStale.STOP:
            problem = what_changed(kind, seen.changed, seen.names, so="the rest was not sent")
            await self._stopping.stop_by_itself(tx, change, problem=problem, reason=OTHERS_CHANGED, stale=size)
            return
        jobs = "the job was" if len(stale) == 1 else f"{len(stale):,} jobs were"
        so = f"{jobs} not created ({counted(size, 'number')})"
        problem = what_changed(kind, seen.changed, seen.names, so=so)
        await leave_out(tx, self._notify, change, problem)
        await after_settling(tx, change.id, self._context)
        await self._notify.cards(tx, change.id)

    async def _end(self, tx: Transaction, change: Change, seen: StalenessCheck, kind: Kind) -> None:
        """End a change before anything of it was sent; its request can be planned again."""
        now = self._context.clock()
        problem = what_changed(kind, seen.changed, seen.names, so="nothing was sent")
        if change.state is ChangeState.RUNNING:
            for batch in await tx.batches.of(change.id):
                if batch.position in seen.stale:
                    await self._keep_back(tx, batch, seen)
                else:
                    await stop_batch(tx, batch, now, reason=OTHERS_CHANGED)
                await tx.tasks.remove(Task.SUBMIT, [batch.id])
        numbers = len({difference.e164 for difference in seen.changed})
        await tx.changes.move(change.id, ChangeState.STALE, problem=problem, finished_at=now)
        await tx.events.add(change.id, "stale", at=now, digest=change.digest, numbers=numbers)
        if change.part_of is None:  # a restore is planned again instead, without these numbers
            await self._notify.line(tx, change.id, "stale")
            await self._notify.failure(tx, change.id, "stale")
        await self._notify.cards(tx, change.id)

    async def _keep_back(self, tx: Transaction, batch: Batch, seen: StalenessCheck) -> None:
        """End a stale batch: none of its numbers is sent, and each changed number says how it changed.

        If an attempt got no answer and some numbers now have exactly the values that it was to set, it may have been
        carried out after all. Then nobody can say that they were not attempted; the read-back tells what they have.
        """
        now = self._context.clock()
        changed = seen.stale[batch.position]
        unsure = batch.unanswered_since is not None and batch.position in seen.done
        state = OperationState.UNKNOWN if unsure else OperationState.NOT_ATTEMPTED
        code = UNANSWERED if unsure else STALE
        await tx.batches.move(batch.id, BatchState.SETTLED, settled_at=now, **CLEAR)
        await tx.tasks.remove(Task.SUBMIT, [batch.id])
        verdicts = [
            NumberOutcome(
                position=position,
                state=state,
                code=code,
                reason=_PERHAPS if unsure else f"It has changed since the plan was made, so it was not sent: {line}.",
            )
            for position, line in changed.items()
        ]
        await tx.operations.record_outcomes(batch.change, verdicts, now)
        await tx.operations.end_batch(
            batch.change,
            batch.position,
            state,
            code=code,
            reason=_PERHAPS if unsure else _MATE,
            pointer="",
            now=now,
        )
        await tx.events.add(
            batch.change, "batch_stale", at=now, batch=batch.position, numbers=batch.size, changed=len(changed)
        )


def _parted(
    numbers: Mapping[int, PlannedNumber], first: Collection[int]
) -> tuple[Sequence[PlannedNumber], Sequence[PlannedNumber]]:
    """Return the numbers to read first, and those to read last: the batches at ``first``, or nothing.

    A provider lists numbers in order. If those of ``first`` lie among the others, both are on the same pages.
    """
    changing = [number for number in numbers.values() if number.batch is not None]
    last = [number for number in changing if number.batch in first]
    others = [number for number in changing if number.batch not in first]
    if len(changing) < SOON or not last or not others:
        return changing, ()
    ends, begins = max(number.e164 for number in last), min(number.e164 for number in others)
    return (others, last) if ends < begins else (changing, ())


def _as_wanted(kind: Kind, number: PlannedNumber, difference: ChangedValue) -> bool:
    """Tell whether a number already has exactly the wanted value."""
    if difference.name is None:
        return kind.removes
    wanted = number.after
    return difference.name in wanted and same(kind.setting(difference.name), wanted[difference.name], difference.now)
