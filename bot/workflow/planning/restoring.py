"""Planning the restore of a temporary change at its end.

Nobody watches a restore, so nothing is shown in a form, and obstacles that may pass are waited for: a provider that
does not answer, or is switched off. Numbers that cannot be restored, for example because they are gone, are left out,
and the others are restored without them. A restore ends without a plan only when no number is left, or when the plan
would exceed what was approved. It needs no approval of its own: the approval of the temporary change covers its end,
and every earlier value of its numbers. Before this plan counts as approved, it is checked here to set nothing else.
Nobody's permission is checked: the requester may have left since, and the numbers must be restored all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from bot.changes.model.change import Change
from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import CHANGED, ChangeState
from bot.changes.model.public_ids import public_id
from bot.changes.model.summary import Summary
from bot.changes.outcome.follow_ups import beyond, to_undo
from bot.changes.planning.plan import Plan
from bot.changes.text.counts import counted
from bot.errors import InputError, NotFound, NothingToPlan, PlanRefused, ProviderError, Superseded
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
#: The failure channel hears of it after this many failed attempts.
TELLING: Final = 3

Make = Callable[[Change, Progress], Awaitable[tuple[Plan, Summary]]]


class RestorePlanning:
    """Plans and approves restores."""

    def __init__(self, context: Context, notifications: Notifications) -> None:
        self._context = context
        self._notify = notifications

    async def plan(self, claim: Claim, change: Change, make: Make) -> None:
        """Carry out the task: ``make`` the plan and approve it; leave out numbers that are gone; or try again."""
        try:
            change, (plan, summary) = await self._without_unusable(change, make)
            uncovered = await self._uncovered(change, plan)
        except _NoneLeft as error:
            await self._none_left(claim, error.change, error.problem)
        except PlanRefused as error:
            await self._again(claim, change, error.problem)
        except Superseded as error:  # the temporary change is over, whatever ended it
            await self._give_up(claim, change, error.message)
        except ProviderError as error:
            await self._again(claim, change, f"Its numbers cannot be read: {error.message}")
        except (InputError, NotFound) as error:
            await self._again(claim, change, error.message)
        else:
            if uncovered:
                await self._give_up(claim, change, uncovered)
            elif change.draft.postponed and not plan.batches:
                await self._again(claim, change, _waits(change.draft))
            else:
                await self._approve(claim, change, plan, summary)

    async def _without_unusable(self, change: Change, make: Make) -> tuple[Change, tuple[Plan, Summary]]:
        """Return the plan without unusable numbers, and the change with those left out of its draft.

        The other numbers are restored all the same. Why numbers are left out for good is kept with the change, and told
        when the temporary change is concluded.
        """
        progress = Progress(self._context, self._notify, change.id)
        while True:
            try:
                return change, await make(change, progress)
            except NothingToPlan as error:
                raise _NoneLeft(change, error.problem) from error
            except PlanRefused as error:
                fewer = _without(change, error)
                if fewer.draft == change.draft:  # leaving anything out would not help
                    raise
                change = fewer

    async def _none_left(self, claim: Claim, change: Change, problem: str) -> None:
        """End it with the reasons why its numbers cannot be restored, or wait for those that can be restored later."""
        if change.draft.postponed:
            await self._again(claim, change, _waits(change.draft))
        else:
            await self._give_up(claim, change, change.problem or problem)

    async def _uncovered(self, change: Change, plan: Plan) -> str:
        """Return the problem if ``plan`` sets anything that the approval does not cover."""
        kind = self._context.catalogue.kind(change.kind)
        async with self._context.database.reading() as tx:
            whole = await tx.changes.whole(change.id)
            operations = [operation async for operation in tx.operations.stream(whole, CHANGED)]
        restored = await asyncio.to_thread(to_undo, kind, operations)
        if found := await asyncio.to_thread(beyond, kind, plan, restored.rows):
            return (
                f"The values for {named(found)} are not those from before {public_id(whole)}, which its approval "
                "covers. So nothing is restored."
            )
        return ""

    async def _approve(self, claim: Claim, change: Change, plan: Plan, summary: Summary) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            if (await tx.changes.hold(change.id)).state is not ChangeState.PLANNING:
                return
            await tx.operations.add(change.id, plan.numbers)
            # What it has waited for is reported when it begins.
            waited_for = change.waiting_for if plan.batches else ""
            await tx.changes.put(
                change.id,
                draft=change.draft,
                problem=change.problem,
                summary=summary,
                digest=plan.digest,
                waiting_for=waited_for,
            )
            if not plan.batches:  # every number has its earlier values already, or somebody has changed it
                await self._discard(tx, change, change.problem)
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

    async def _give_up(self, claim: Claim, change: Change, problem: str) -> None:
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            await self._discard(tx, change, problem)
        self._context.ring()

    async def _discard(self, tx: Transaction, change: Change, problem: str) -> None:
        """End it with nothing to send; the temporary change is then concluded, and says why."""
        now = self._context.clock()
        if (await tx.changes.hold(change.id)).state is ChangeState.PLANNING:  # otherwise it was cancelled meanwhile
            await tx.changes.move(change.id, ChangeState.DISCARDED, problem=problem, finished_at=now)
            await tx.events.add(change.id, "discarded", at=now, details={"answer": problem} if problem else None)

    async def _again(self, claim: Claim, change: Change, why: str) -> None:
        """Try again after a pause, and report ``why``: on the card at once, in the failure channel if it persists.

        Once an operator has released the numbers, nothing may be sent for them, so there is nothing to wait for.
        """
        log.warning("cannot plan a restore", change=change.id, why=why, tries=claim.tries)
        pause = min(FIRST_RETRY * 2 ** min(claim.tries - 1, 10), LONGEST_RETRY)
        async with self._context.database.transaction() as tx:
            if not await tx.locks.held(change.id):
                await tx.tasks.done(claim)
                await self._discard(tx, change, change.problem)
            else:
                await tx.changes.put(change.id, waiting_for=why)
                await tx.tasks.again(claim, self._context.clock() + pause)
                await self._notify.card(tx, change.id)
                if told := _reminders(claim.tries):
                    await self._notify.failure(tx, change.id, "not_restored_yet", each=str(told), why=why)
        self._context.ring()


class _NoneLeft(Exception):
    """No number is left to plan a restore for."""

    def __init__(self, change: Change, problem: str) -> None:
        super().__init__(problem)
        #: The restore, including what was left out of it.
        self.change = change
        self.problem = problem


def _without(change: Change, error: PlanRefused) -> Change:
    """Return ``change`` without unusable numbers: left out for now where the obstacle passes, otherwise for good."""
    passing = frozenset(error.passing)
    for_good = [name for names in error.unusable if names not in passing for name in names]
    for_now = [name for names in error.passing for name in names]
    draft = replace(
        change.draft,
        left_out=tuple(dict.fromkeys((*change.draft.left_out, *for_good))),
        postponed=tuple(dict.fromkeys((*change.draft.postponed, *for_now))),
    )
    problem = "\n".join(filter(None, (change.problem, error.problem if for_good else "")))
    return replace(change, draft=draft, problem=problem)


def _waits(draft: Draft) -> str:
    """Return what a restore waits for when none of its remaining numbers can be changed now."""
    numbers = [name for name in draft.postponed if name.startswith("+")]
    count = counted(len(numbers), "number")
    return f"{count} cannot be changed now: {named(numbers)}."


def _reminders(tries: int) -> int:
    """Return how many times the failure channel must have heard of a restore that failed ``tries`` times.

    After the first notice, the pause doubles each time.
    """
    return (tries // TELLING).bit_length()
