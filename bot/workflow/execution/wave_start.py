"""Sending a wave after the first: only when it may go, and only numbers that are as the plan found them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from bot.changes.model.batches import Batch
from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.start import begins_at
from bot.changes.outcome.outcomes import UNLOCKED
from bot.errors import DeliveryError, DeliveryPostponed, NotAuthorized, ProviderError
from bot.store.queue.tasks import Claim, Task
from bot.store.transaction import Transaction
from bot.workflow.approval_validity import ApprovalValidity, approvals_wanting
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.execution.freshness import stored_plan
from bot.workflow.execution.settlement import STOPPED_NUMBER
from bot.workflow.execution.staleness import Staleness, StalenessCheck
from bot.workflow.execution.stop import RELEASED, RELEASED_NUMBER, ChangeStop
from bot.workflow.notifications import Notifications

log = structlog.get_logger(__name__)

#: Pause before another attempt to begin a change, or a wave of it, after a freeze or an unreachable provider prevented
#: it.
WAIT = timedelta(seconds=30)


class WaveStart:
    """Sends the wave that was released last: its numbers are read again first, as those of the first wave were."""

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

    async def resume(self, claim: Claim, change: Change) -> None:
        """Carry out the task on a running change: send its wave, stop it because something changed, or wait."""
        now, wave = self._context.clock(), change.wave
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
            # A worker that lost its claim while reading has looked at its own wave, which says nothing of a later one.
            if change.state is not ChangeState.RUNNING or change.wave != wave or change.stopped_at is not None:
                return
            if rest := of_wave(await tx.batches.held_back(change.id), wave):
                # Otherwise the worker that had this task before, and lost its claim while reading, has sent the wave.
                await self._let_go(tx, change, rest, seen, problem=problem, now=now)
            await self._notify.cards(tx, change.id)
        self._context.ring()

    async def stopped_unapproved(self, claim: Claim) -> bool:
        """Stop a paused change whose approvals were taken back, and tell whether it was.

        Nobody can approve it again, so no wave can follow, and it would keep its numbers until somebody pressed a
        button. A rule that now asks for more approvals stops nothing yet: it may ask for fewer again before the next
        wave.
        """
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(claim.subject)
            if change.state is not ChangeState.PAUSED or not any(
                each.lapse for each in await tx.decisions.of(change.id)
            ):
                return False
            try:
                policy = self._authorization.policy_of(change)
            except NotAuthorized:  # reported when a wave is to follow
                return False
            problem = await approvals_wanting(tx, change, policy, "the rest was not sent")
            if not problem:
                return False
            await tx.tasks.done(claim)
            await self._stopping.stop_by_itself(tx, change, problem=problem, reason=STOPPED_NUMBER)
        self._context.ring()
        return True

    async def _let_go(
        self,
        tx: Transaction,
        change: Change,
        rest: list[Batch],
        seen: StalenessCheck | None,
        *,
        problem: str,
        now: datetime,
    ) -> None:
        """Send a wave, or stop the change because of a ``problem``, or of what has happened since the check."""
        if seen is not None:
            policy = self._authorization.policy_of(change)
            problem = await approvals_wanting(tx, change, policy, "the rest was not sent")
        if not await tx.locks.held(change.id):
            await self._stopping.stop_by_itself(tx, change, problem=RELEASED, code=UNLOCKED, reason=RELEASED_NUMBER)
        elif seen is None or problem:
            await self._stopping.stop_by_itself(tx, change, problem=problem, reason=STOPPED_NUMBER)
        elif (opens := self._context.window_opens(change)) is not None:  # it closed while the numbers were read
            await tx.tasks.add(Task.START, change.id, opens)
        else:
            await self._send(tx, change, rest, seen, now)

    async def _send(
        self, tx: Transaction, change: Change, rest: list[Batch], seen: StalenessCheck, checked_at: datetime
    ) -> None:
        """Send the batches of a wave that are not stale, as far as the policy lets them follow."""
        await self._staleness.note(tx, change, rest, seen, checked_at)
        held = await tx.batches.held_back(change.id)
        if left := of_wave(held, change.wave):
            now = self._context.clock()
            await tx.tasks.add_many(Task.SUBMIT, [batch.id for batch in left], now)
            event = "rest_started" if len(left) == len(held) else "wave_started"
            await tx.events.add(change.id, event, at=now, digest=change.digest, batches=len(left), wave=change.wave)

    async def _unread(self, change: Change, error: ProviderError) -> None:
        async with self._context.database.transaction() as tx:
            await self._staleness.unread(tx, of_wave(await tx.batches.held_back(change.id), change.wave), error)

    async def _unsure(self, change: Change, error: DeliveryError) -> None:
        log.warning("cannot check whether the approvals still count", change=change.id, code=error.code)
        async with self._context.database.transaction() as tx:
            await self._notify.line(tx, change.id, "unsure")

    async def _not_before(self, change: Change, now: datetime) -> datetime | None:
        """Return until when a wave must wait for its window, or for the end of a freeze; None when it may go."""
        begins = begins_at(None, self._authorization.still_allowed(change).windows, now)
        async with self._context.database.reading() as tx:
            frozen = await tx.freezes.current() is not None
        return begins or (now + WAIT if frozen else None)

    async def _check(self, change: Change) -> tuple[str, StalenessCheck | None]:
        """Check the numbers of the wave; return why none of it may be sent, whatever they have, or what was found."""
        if change.until is not None and change.until.at <= self._context.clock():
            return f"Its end, {change.until}, came before the rest could be sent, so that was not sent.", None
        async with self._context.database.reading() as tx:
            held = await tx.batches.held_back(change.id)
            rest = {batch.position for batch in of_wave(held, change.wave)}
        numbers, stored = await stored_plan(self._context, change)
        if stored != change.digest:
            return (
                "The stored plan is not the one that was approved, or its approvers were not shown all that it sends, "
                "so the rest was not sent."
            ), None
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


def of_wave(batches: Sequence[Batch], wave: int) -> list[Batch]:
    """Return those of ``batches`` that are in ``wave``."""
    return [batch for batch in batches if batch.wave == wave]
