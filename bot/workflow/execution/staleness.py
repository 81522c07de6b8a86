"""The staleness check: the numbers of every batch are read again just before it is sent.

One check serves all batches that are about to go together, and one that is a few seconds old is not repeated. When it
was is written down with the batch, so that a restart or another replica knows no less; where nothing is written, the
numbers are read. A batch with a number that has changed is not sent: before anything of the change was, the change
ends as stale; later the policy says whether the others follow.

A filter that is handed to the provider has no numbers that could be read: nobody knows them before its job runs, which
is what the policy allows and the approver is told. A batch that we carry out ourselves is looked at number by number,
each just before its update. No other batch goes without a check.
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
from bot.errors import ProviderError
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.execution.batch_jobs import on_stale, say_left_out
from bot.workflow.execution.freshness import Names, change_line, differences, names_of, what_changed
from bot.workflow.execution.settlement import CLEAR, SLOT_NEWS, after_settling, stop_batch
from bot.workflow.execution.stop import ChangeStop, untouched
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)

#: How old the last check of a batch's numbers may be when it is sent.
RECENT: Final = timedelta(seconds=5)
#: As many numbers are read again in a part of that. Of more, those that go first are read last.
SOON: Final = 5000
#: Longest text about what is stale that a change keeps; the results name every number.
_MOST_TEXT: Final = 2000

_MATE: Final = "Another number of its job has changed since the plan was made, so the job was not created."
_OTHER: Final = "Numbers of the change have changed since the plan was made, so nothing more of it was sent."
_PERHAPS: Final = (
    "It was sent, no response came back, and the provider lists no job; but other numbers of the same batch have the "
    "new values now, so it was not sent again."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StalenessCheck:
    """What reading numbers again has shown."""

    #: What is not as the plan found it, and what the ids in it are called.
    changed: Sequence[ChangedValue] = ()
    names: Names
    #: Position of a batch in the plan -> position of each number of it that has changed, and how.
    stale: Mapping[int, Mapping[int, str]]
    #: Positions of batches some number of which has got just what was wanted.
    done: frozenset[int] = frozenset()
    #: Positions of batches whose numbers were read after all others, and when that began; None when all were read
    #: together.
    last: frozenset[int] = frozenset()
    last_at: datetime | None = None


class Staleness:
    """Looks at the numbers of batches, and keeps back those that are stale."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications
        self._stopping = ChangeStop(context, notifications)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def turn(self, change: int) -> asyncio.Lock:
        """Return what a batch holds while it finds out whether it may go: one of a change's batches checks for all."""
        return self._turns.setdefault(change, asyncio.Lock())

    def needed(self, batch: Batch, kind: Kind) -> bool:
        """Tell whether the numbers of ``batch`` have to be looked at before it is sent.

        Not where they are looked at one by one, each just before its own update: to keep all of them back for one
        would say less and do less. And not where nobody knows which they are.
        """
        return not batch.handed and not self._context.catalogue.provider(kind).carries_out

    def recent(self, batch: Batch) -> bool:
        """Tell whether the last check of a batch's numbers, successful or not, is a few seconds old at most.

        A check that seems to lie ahead was made before somebody put the clock back: how old it is nobody knows.
        """
        age = self._context.clock() - batch.checked_at if batch.checked_at else None
        return age is not None and timedelta(0) <= age < RECENT

    async def read(
        self, change: Change, numbers: Mapping[int, PlannedNumber], first: Collection[int] = ()
    ) -> StalenessCheck:
        """Read ``numbers`` (by position in the plan) again; raises :class:`bot.errors.ProviderError`.

        To read many takes longer than a look may be old. So those of the batches at the positions ``first``, which are
        sent as soon as all were read, are read last, where that takes no more calls; or they had to be read once more.
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
        """Look at the numbers of ``batch`` and of those that are about to go with it, and write down what was found.

        Returns whether all are as the plan found them. Raises :class:`bot.errors.ProviderError` when they cannot be
        read, which is written down as well.
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
            # It counts from its end: no check of these numbers could be younger, however many pages they are on.
            await self.note(tx, change, batches, found, self._context.clock())
        self._context.ring()
        return not found.stale

    async def _together(self, tx: Transaction, batch: Batch) -> list[Batch]:
        """Return ``batch`` and those of its change that are due now and have a slot, as far as we know."""
        kind = self._context.catalogue.kind((await tx.changes.get(batch.change)).kind)
        now = self._context.clock()
        room = max(kind.jobs_in_flight - await tx.job_slots.in_flight(kind.name), 1)
        if await tx.job_slots.refused(kind.name, now - SLOT_NEWS) is not None:
            room = 1  # it finds out whether there is a slot, and the others wait for that
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
        """Write down what a check of ``batches`` found that counts from ``at``, and keep back what is stale."""
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
            await self._stopping.stop_by_itself(tx, change, problem=problem, reason=_OTHER, stale=size)
            return
        jobs = "the job was" if len(stale) == 1 else f"{len(stale):,} jobs were"
        so = f"{jobs} not created ({size:,} {'number' if size == 1 else 'numbers'})"
        problem = what_changed(kind, seen.changed, seen.names, so=so)
        await tx.changes.put(change.id, problem=f"{change.problem}\n{problem}".strip()[:_MOST_TEXT])
        await say_left_out(tx, self._notify, change)
        await after_settling(tx, change.id, self._context)
        await self._notify.cards(tx, change.id)

    async def _end(self, tx: Transaction, change: Change, seen: StalenessCheck, kind: Kind) -> None:
        """End a change of which nothing has been sent; its request can be planned again."""
        now = self._context.clock()
        problem = what_changed(kind, seen.changed, seen.names, so="nothing was sent")
        if change.state is ChangeState.RUNNING:
            for batch in await tx.batches.of(change.id):
                if batch.position in seen.stale:
                    await self._keep_back(tx, batch, seen)
                else:
                    await stop_batch(tx, batch, now, reason=_OTHER)
                await tx.tasks.remove(Task.SUBMIT, [batch.id])
        numbers = len({difference.e164 for difference in seen.changed})
        await tx.changes.move(change.id, ChangeState.STALE, problem=problem, finished_at=now)
        await tx.events.add(change.id, "stale", at=now, digest=change.digest, numbers=numbers)
        if change.part_of is None:  # otherwise what restores the numbers is planned again, without these
            await self._notify.line(tx, change.id, "stale")
            await self._notify.failure(tx, change.id, "stale")
        await self._notify.cards(tx, change.id)

    async def _keep_back(self, tx: Transaction, batch: Batch, seen: StalenessCheck) -> None:
        """End a stale batch: none of its numbers is sent, and each that has changed says how.

        Where an attempt had no answer and numbers have by now just what it was to give them, it may have been carried
        out after all: nobody can say that they were not attempted, and the read-back tells what they have.
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
    """Return what is read before and what is read last: the numbers of the batches at ``first``, or none.

    A provider lists numbers by number. Where those that go first lie among the others, both are on the same pages.
    """
    changing = [number for number in numbers.values() if number.batch is not None]
    last = [number for number in changing if number.batch in first]
    others = [number for number in changing if number.batch not in first]
    if len(changing) < SOON or not last or not others:
        return changing, ()
    ends, begins = max(number.e164 for number in last), min(number.e164 for number in others)
    return (others, last) if ends < begins else (changing, ())


def _as_wanted(kind: Kind, number: PlannedNumber, difference: ChangedValue) -> bool:
    """Tell whether a number has got just what was wanted of it."""
    if difference.name is None:
        return kind.removes
    wanted = number.after
    return difference.name in wanted and same(kind.setting(difference.name), wanted[difference.name], difference.now)
