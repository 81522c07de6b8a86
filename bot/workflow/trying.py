"""The first try: a few numbers alone, and what follows when they have been read back.

The rest of a change is held back: its batches are queued and no task is to send them. It is let go by itself when every
number of the first try is verified; otherwise somebody decides. Before it is sent its numbers are read again, as those
of the first try were: days may lie between.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.changes.batches import Batch, Tally
from bot.changes.lifecycle import ChangeState
from bot.changes.outcomes import MOVED
from bot.changes.records import Change
from bot.changes.starts import begins_at
from bot.errors import NotAllowed, ProviderError, Superseded
from bot.store.events import ITSELF
from bot.store.transaction import Transaction
from bot.store.work import Claim, Task
from bot.workflow.announcements import Announcements
from bot.workflow.authority import Authority
from bot.workflow.context import Context
from bot.workflow.freshness import differences, stored_plan, what_moved
from bot.workflow.refusals import Refusals
from bot.workflow.settling import settle_change, stop_batch

log = structlog.get_logger(__name__)

#: Pause before the rest is tried again that could not begin, because of a freeze or because the provider is away.
WAIT = timedelta(seconds=30)


class Trying:
    """Decides, or has somebody decide, what follows a first try."""

    def __init__(self, context: Context, authority: Authority, announcements: Announcements) -> None:
        self._context = context
        self._authority = authority
        self._say = announcements
        self._refusals = Refusals(context)

    async def concluded(self, tx: Transaction, change: Change, tally: Tally) -> bool:
        """Pause the change, or let the rest go, when this was its first try; False when nothing is held back."""
        if change.state is not ChangeState.VERIFYING or not await tx.batches.held_back(change.id):
            return False
        counts = {
            "verified": tally.verified,
            "differs": tally.differs,
            "unverified": tally.succeeded + tally.unverified,
            "failed": tally.failed,
        }
        if sum(counts.values()) == tally.verified:
            await self._let_go(tx, change, ITSELF)
        else:
            await self._pause(tx, change, counts)
        await self._say.cards(tx, change.id)
        return True

    async def _pause(self, tx: Transaction, change: Change, counts: dict[str, Any]) -> None:
        now = self._context.clock()
        await tx.changes.move(change.id, ChangeState.PAUSED)
        await tx.events.add(change.id, "paused", at=now, digest=change.digest, details=dict(counts))
        await self._say.line(tx, change.id, "paused", **counts)
        await self._say.failure(tx, change.id, "paused", **counts)
        if reminder := self._authority.reminder_of(change):
            await tx.work.add(Task.REMIND, change.id, now + reminder)

    async def _let_go(self, tx: Transaction, change: Change, by: str) -> None:
        """Have the rest begin; its numbers are read again first."""
        now = self._context.clock()
        await tx.changes.move(change.id, ChangeState.RUNNING, went_on_at=now, read_backs=0, failed_reads=0)
        await tx.work.remove(Task.REMIND, [change.id])
        await tx.work.add(Task.START, change.id, now)
        await tx.events.add(change.id, "went_on", at=now, actor=by, digest=change.digest)

    async def go_on(self, change_id: int, *, by: str) -> str:
        """Let the rest of a paused change go, and return a sentence about it.

        Raises NotAllowed, or Superseded when it is not paused; both are also written to the audit trail.
        """
        async with self._refusals.noting("go_on", by=by, change=change_id):
            return await self._go_on(change_id, by)

    async def _go_on(self, change_id: int, by: str) -> str:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
        if change.requester != by:
            await self._only_operators(change, by)
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            if change.state is not ChangeState.PAUSED:
                state = change.state.value.replace("_", " ")
                raise Superseded(f"{change.public_id} is {state} already, so there is nothing left to decide.")
            numbers = sum(batch.size for batch in await tx.batches.held_back(change.id))
            await self._let_go(tx, change, by)
            await self._say.line(tx, change_id, "went_on", by=by, numbers=numbers)
            await self._say.cards(tx, change_id)
        self._context.ring()
        return f"{change.public_id} goes on: {numbers:,} {'number follows' if numbers == 1 else 'numbers follow'}."

    async def _only_operators(self, change: Change, by: str) -> None:
        try:
            await self._authority.operate(by)
        except NotAllowed as error:
            raise NotAllowed(f"Only the requester or an operator can let {change.public_id} go on.") from error

    async def resume(self, claim: Claim, change: Change) -> None:
        """Carry out the task on a change that runs: send the rest, or stop it because something moved, or wait."""
        now = self._context.clock()
        until, problem = None, ""
        try:
            until = await self._not_before(change, now)
            if until is None:
                problem = await self._in_the_way(change)
        except NotAllowed as error:
            problem = f"The rest is not allowed any more, so it was not sent. {error.message}"
        except ProviderError as error:
            log.warning("cannot check freshness", change=change.id, why=error.message)
            until = now + WAIT
        if until is not None:
            await self._wait(claim, until)
            return
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.RUNNING or change.went_on_at is None or change.stopped_at is not None:
                return
            rest = await tx.batches.held_back(change.id)
            if not rest:
                return  # whoever had this task before, and lost its claim while it read, has sent the rest
            if problem:
                await self._stop(tx, change, rest, problem)
            else:
                await tx.work.add_many(Task.SUBMIT, [batch.id for batch in rest], now)
                await tx.events.add(change.id, "rest_started", at=now, digest=change.digest, batches=len(rest))
            await self._say.cards(tx, change.id)
        self._context.ring()

    async def _not_before(self, change: Change, now: datetime) -> datetime | None:
        """Return until when the rest has to wait for its window, or for the end of a freeze; None when it may go."""
        begins = begins_at(None, self._authority.still_allowed(change).windows, now)
        async with self._context.database.reading() as tx:
            frozen = await tx.freezes.current() is not None
        return begins or (now + WAIT if frozen else None)

    async def _in_the_way(self, change: Change) -> str:
        """Return why the rest must not be sent; empty when it may."""
        async with self._context.database.reading() as tx:
            rest = {batch.position for batch in await tx.batches.held_back(change.id)}
        numbers, stored = await stored_plan(self._context, change)
        if stored != change.digest:
            return "The stored plan is not the one that was approved, so the rest was not sent."
        found = await differences(self._context, change, [number for number in numbers if number.batch in rest])
        kind = self._context.catalogue.kind(change.kind)
        return await what_moved(self._context, kind, found, unsent="the rest") if found else ""

    async def _wait(self, claim: Claim, until: datetime) -> None:
        async with self._context.database.transaction() as tx:
            await tx.work.again(claim, until)
            await self._say.cards(tx, claim.subject)

    async def _stop(self, tx: Transaction, change: Change, rest: list[Batch], problem: str) -> None:
        now = self._context.clock()
        for batch in rest:
            await stop_batch(tx, batch, now, code=MOVED, reason="The change was stopped before this number was sent.")
        numbers = sum(batch.size for batch in rest)
        await tx.changes.put(change.id, problem=problem, stopped_at=now)
        await tx.events.add(
            change.id, "stopped", at=now, digest=change.digest, batches=len(rest), numbers=numbers, answer=problem
        )
        await self._say.line(tx, change.id, "stopped", numbers=numbers)
        await self._say.failure(tx, change.id, "stopped")
        await settle_change(tx, change.id, self._context)
