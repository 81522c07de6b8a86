"""Planning what restores the numbers of a temporary change at its end.

Nobody sits in front of it, so nothing is shown in a form, and a provider that does not answer is asked again until it
does. It needs no approval of its own: that of the temporary change was for its end, too, and for every value that its
numbers had before. That this plan gives them nothing else is looked at here, before it counts as approved. Nor is it
asked who may what: whoever requested it may have left since, and the numbers have to go back all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import CHANGED, ChangeState
from bot.changes.model.public_ids import public_id
from bot.changes.model.summary import Summary
from bot.changes.outcome.follow_ups import beyond, to_undo
from bot.changes.planning.plan import Plan
from bot.errors import InputError, NotFound, PlanRefused, ProviderError, Superseded
from bot.store.queue.tasks import Claim, Task
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications
from bot.workflow.planning.progress import Progress
from bot.workflow.planning.validation import named

log = structlog.get_logger(__name__)

#: First and longest pause before the provider is asked again.
FIRST_RETRY: Final = timedelta(seconds=5)
LONGEST_RETRY: Final = timedelta(minutes=5)
#: After so many attempts that failed the failure channel hears of it.
TELLING: Final = 3

Make = Callable[[Change, Progress], Awaitable[tuple[Plan, Summary]]]


class RestorePlanning:
    """Plans restores, and lets them go."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications

    async def plan(self, claim: Claim, change: Change, make: Make) -> None:
        """Carry out the task: ``make`` the plan, and approve it; leave out numbers that are gone; or try again."""
        try:
            plan, summary = await make(change, Progress(self._context, self._notify, change.id))
            await self._covered(change, plan)
        except PlanRefused as error:
            if error.unusable:
                await self._leave_out(claim, change, error)
            else:
                await self._give_up(claim, change, error.message)
        except ProviderError as error:
            await self._again(claim, change, error)
        except (InputError, NotFound, Superseded) as error:
            await self._give_up(claim, change, error.message)
        else:
            await self._approve(claim, change, plan, summary)

    async def _covered(self, change: Change, plan: Plan) -> None:
        """Raise PlanRefused when ``plan`` gives a number anything else than what the approval covers."""
        kind = self._context.catalogue.kind(change.kind)
        async with self._context.database.reading() as tx:
            whole = await tx.changes.whole(change.id)
            operations = [operation async for operation in tx.operations.stream(whole, CHANGED)]
        restored = await asyncio.to_thread(to_undo, kind, operations)
        if found := await asyncio.to_thread(beyond, kind, plan, restored.rows):
            raise PlanRefused(
                f"The values for {named(found)} are not those from before {public_id(whole)}, which its approval "
                "covers. So nothing is restored."
            )

    async def _approve(self, claim: Claim, change: Change, plan: Plan, summary: Summary) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            if (await tx.changes.hold(change.id)).state is not ChangeState.PLANNING:
                return
            await tx.operations.add(change.id, plan.numbers)
            # What it has waited for is told when it begins.
            waited_for = change.waiting_for if plan.batches else ""
            await tx.changes.put(change.id, summary=summary, digest=plan.digest, waiting_for=waited_for)
            if not plan.batches:  # every number has its earlier values already, or somebody has changed it
                await self._discard(tx, change, "")
                return
            for state in (ChangeState.PLANNED, ChangeState.AWAITING_APPROVAL):
                await tx.changes.move(change.id, state)
            await tx.batches.add(change.id, change.kind, plan.batches)
            await tx.events.add(
                change.id, "planned", at=now, digest=plan.digest, numbers=summary.numbers, batches=summary.batches
            )
            whole = await tx.changes.get(await tx.changes.whole(change.id))
            await tx.changes.move(change.id, ChangeState.APPROVED, rule=whole.rule)
            await tx.events.add(change.id, "covered", at=now, digest=plan.digest, rule=whole.rule, by=whole.public_id)
            await tx.tasks.add(Task.START, change.id, now)
            await self._notify.card(tx, change.id)
        self._context.ring()

    async def _leave_out(self, claim: Claim, change: Change, error: PlanRefused) -> None:
        """Plan again without the numbers that stand in the way: the others are not kept from going back."""
        names = (name for each in error.unusable for name in each)
        draft = replace(change.draft, left_out=tuple(dict.fromkeys((*change.draft.left_out, *names))))
        async with self._context.database.transaction() as tx:
            if draft == change.draft:
                await tx.tasks.done(claim)
                await self._discard(tx, change, error.message)
            else:
                await tx.changes.put(change.id, draft=draft)
                await tx.tasks.again(claim, self._context.clock())
        self._context.ring()

    async def _give_up(self, claim: Claim, change: Change, problem: str) -> None:
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            await self._discard(tx, change, problem)
        self._context.ring()

    async def _discard(self, tx: Transaction, change: Change, problem: str) -> None:
        """End it with nothing to be sent; the temporary change is concluded after that, and says why."""
        now = self._context.clock()
        if (await tx.changes.hold(change.id)).state is ChangeState.PLANNING:  # otherwise it was cancelled meanwhile
            await tx.changes.move(change.id, ChangeState.DISCARDED, problem=problem, finished_at=now)
            await tx.events.add(change.id, "discarded", at=now, details={"answer": problem} if problem else None)

    async def _again(self, claim: Claim, change: Change, error: ProviderError) -> None:
        log.warning("cannot plan a restore", change=change.id, why=error.message, attempts=claim.attempts)
        pause = min(FIRST_RETRY * 2 ** min(claim.attempts - 1, 10), LONGEST_RETRY)
        async with self._context.database.transaction() as tx:
            await tx.changes.put(change.id, waiting_for=f"Its numbers cannot be read: {error.message}")
            await tx.tasks.again(claim, self._context.clock() + pause)
            await self._notify.card(tx, change.id)
            if claim.attempts >= TELLING:
                await self._notify.failure(tx, change.id, "not_restored_yet", why=error.message)
        self._context.ring()
