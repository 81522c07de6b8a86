"""The canary: a few numbers alone, and what follows when they have been read back.

The rest of a change is held back: its batches are queued and no task is to send them. It is let go by itself when every
number of the canary is verified; otherwise somebody decides. Before it is sent its numbers are read again, as those
of the canary were: days may lie between.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.changes.model.batches import Batch, Tally
from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.start import begins_at
from bot.changes.outcome.outcomes import UNLOCKED
from bot.errors import DeliveryError, DeliveryPostponed, NotAuthorized, ProviderError, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Claim, Task
from bot.store.records.events import ITSELF
from bot.store.transaction import Transaction
from bot.workflow.approval_validity import ApprovalValidity
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.execution.freshness import stored_plan
from bot.workflow.execution.staleness import Staleness, StalenessCheck
from bot.workflow.execution.stop import RELEASED, RELEASED_NUMBER, ChangeStop
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)

#: Pause before the rest is tried again that could not begin, because of a freeze or because the provider is away.
WAIT = timedelta(seconds=30)


class Canary:
    """Decides, or has somebody decide, what follows a canary."""

    def __init__(
        self,
        context: Context,
        authorization: Authorization,
        notifications: Notifications,
        staleness: Staleness,
        approval_validity: ApprovalValidity,
    ) -> None:
        self._context = context
        self._staleness = staleness
        self._approval_validity = approval_validity
        self._stopping = ChangeStop(context, notifications)
        self._authorization = authorization
        self._notify = notifications
        self._refusals = DeniedActions(context)

    async def concluded(self, tx: Transaction, change: Change, tally: Tally) -> bool:
        """Pause the change, or let the rest go, when this was its canary; False when nothing is held back."""
        if change.state is not ChangeState.VERIFYING or not await tx.batches.held_back(change.id):
            return False
        counts = {
            "verified": tally.verified,
            "differs": tally.differs,
            "unverified": tally.unread + tally.unverified,
            "failed": tally.failed,
        }
        if sum(counts.values()) == tally.verified:
            await self._release_rest(tx, change, ITSELF)
        else:
            await self._pause(tx, change, counts)
        await self._notify.cards(tx, change.id)
        return True

    async def _pause(self, tx: Transaction, change: Change, counts: dict[str, Any]) -> None:
        now = self._context.clock()
        await tx.changes.move(change.id, ChangeState.PAUSED)
        await tx.events.add(change.id, "paused", at=now, digest=change.digest, details=dict(counts))
        await self._notify.line(tx, change.id, "paused", **counts)
        await self._notify.failure(tx, change.id, "paused", **counts)
        if reminder := self._authorization.reminder_of(change):
            await tx.tasks.add(Task.REMIND, change.id, now + reminder)

    async def _release_rest(self, tx: Transaction, change: Change, by: str) -> None:
        """Have the rest begin; its numbers are read again first."""
        now = self._context.clock()
        await tx.changes.move(
            change.id, ChangeState.RUNNING, continued_at=now, read_backs=0, failed_reads=0, waiting_for=""
        )
        await tx.tasks.remove(Task.REMIND, [change.id])
        await tx.tasks.add(Task.START, change.id, now)
        await tx.events.add(change.id, "continued", at=now, actor=by, digest=change.digest)

    @repeatable
    async def continue_rollout(self, change_id: int, *, by: str) -> str:
        """Let the rest of a paused change go, and return a sentence about it.

        Raises NotAllowed, or Superseded when it is not paused; both are also written to the audit log.
        """
        async with self._refusals.noting("go_on", by=by, change=change_id):
            return await self._continue(change_id, by)

    async def _continue(self, change_id: int, by: str) -> str:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
        await self._authorization.requester_or_operator(by, change, to="continue")
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            if change.state is not ChangeState.PAUSED:
                state = change.state.value.replace("_", " ")
                raise Superseded(f"{change.public_id} is already {state}, so there is nothing left to decide.")
            numbers = sum(batch.size for batch in await tx.batches.held_back(change.id))
            await self._release_rest(tx, change, by)
            await self._notify.line(tx, change_id, "continued", by=by, numbers=numbers)
            await self._notify.cards(tx, change_id)
        self._context.ring()
        return f"{change.public_id} continues with the remaining {numbers:,} {'number' if numbers == 1 else 'numbers'}."

    async def resume(self, claim: Claim, change: Change) -> None:
        """Carry out the task on a change that runs: send the rest, or stop it because something changed, or wait."""
        now = self._context.clock()
        until, problem = None, ""
        seen = None
        try:
            until = await self._not_before(change, now)
            if until is None:
                problem, seen = await self._check(change)
        except NotAuthorized as error:
            problem = f"The rest is no longer allowed, so it was not sent. {error.message}"
        except ProviderError as error:
            await self._unread(change, error)
            until = now + WAIT
        except DeliveryError as error:
            await self._unsure(change, error)
            until = now + (timedelta(seconds=error.wait) if isinstance(error, DeliveryPostponed) else WAIT)
        if until is not None:
            await self._wait(claim, until)
            return
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.RUNNING or change.continued_at is None or change.stopped_at is not None:
                return
            if rest := await tx.batches.held_back(change.id):
                # Otherwise whoever had this task before, and lost its claim while it read, has sent the rest.
                if not await tx.locks.held(change.id):
                    await self._stopping.stop_by_itself(
                        tx, change, problem=RELEASED, code=UNLOCKED, reason=RELEASED_NUMBER
                    )
                elif seen is None:
                    reason = "The change was stopped before this number was sent."
                    await self._stopping.stop_by_itself(tx, change, problem=problem, reason=reason)
                else:
                    await self._send(tx, change, rest, seen, now)
            await self._notify.cards(tx, change.id)
        self._context.ring()

    async def _send(
        self, tx: Transaction, change: Change, rest: list[Batch], seen: StalenessCheck, checked_at: datetime
    ) -> None:
        """Send what is not stale of the rest, as far as the policy lets it follow."""
        await self._staleness.note(tx, change, rest, seen, checked_at)
        if left := await tx.batches.held_back(change.id):
            now = self._context.clock()
            await tx.tasks.add_many(Task.SUBMIT, [batch.id for batch in left], now)
            await tx.events.add(change.id, "rest_started", at=now, digest=change.digest, batches=len(left))

    async def _unread(self, change: Change, error: ProviderError) -> None:
        async with self._context.database.transaction() as tx:
            await self._staleness.unread(tx, await tx.batches.held_back(change.id), error)

    async def _unsure(self, change: Change, error: DeliveryError) -> None:
        log.warning("cannot check whether the approvals still count", change=change.id, code=error.code)
        async with self._context.database.transaction() as tx:
            await self._notify.line(tx, change.id, "unsure")

    async def _not_before(self, change: Change, now: datetime) -> datetime | None:
        """Return until when the rest has to wait for its window, or for the end of a freeze; None when it may go."""
        begins = begins_at(None, self._authorization.still_allowed(change).windows, now)
        async with self._context.database.reading() as tx:
            frozen = await tx.freezes.current() is not None
        return begins or (now + WAIT if frozen else None)

    async def _check(self, change: Change) -> tuple[str, StalenessCheck | None]:
        """Look at the numbers of the rest; return why none of it may be sent, whatever they have, or what was seen."""
        if change.until is not None and change.until.at <= self._context.clock():
            return f"Its end, {change.until}, came before the rest could be sent, so that was not sent.", None
        async with self._context.database.reading() as tx:
            rest = {batch.position for batch in await tx.batches.held_back(change.id)}
        numbers, stored = await stored_plan(self._context, change)
        if stored != change.digest:
            return "The stored plan is not the one that was approved, so the rest was not sent.", None
        held_back = {position: number for position, number in numbers.items() if number.batch in rest}
        seen = await self._staleness.read(change, held_back)
        lapsed = await self._approval_validity.in_the_way(
            change, self._authorization.policy_of(change), "the rest was not sent"
        )
        return lapsed, None if lapsed else seen

    async def _wait(self, claim: Claim, until: datetime) -> None:
        async with self._context.database.transaction() as tx:
            await tx.tasks.again(claim, until)
            await self._notify.cards(tx, claim.subject)
