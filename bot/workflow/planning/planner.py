"""From a request to a plan that can be approved, or to the reason why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from bot.changes.input.requests import Request
from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.summary import Summary
from bot.changes.outcome.follow_ups import CarriedOver
from bot.changes.planning.builder import build
from bot.changes.planning.plan import Plan, ids_to_name, revised_digest
from bot.changes.planning.summary import summarise
from bot.changes.sheets import ForeignColumns
from bot.errors import (
    BadUpload,
    DeliveryPostponed,
    DeliveryRefused,
    DeliveryUnknown,
    FilterRefused,
    InputError,
    NotAuthorized,
    NotFound,
    NothingToPlan,
    PlanRefused,
    ProviderError,
    SecretError,
    Superseded,
    Unauthorised,
)
from bot.providers.base import Provider
from bot.store.queue.tasks import Claim, Task, handles
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications
from bot.workflow.planning.current_state import ALL_EXCLUDED, CurrentState
from bot.workflow.planning.exclusions import without_effect
from bot.workflow.planning.follow_ups import FollowUps
from bot.workflow.planning.progress import Progress, while_wanted
from bot.workflow.planning.refused_filters import RefusedFilters
from bot.workflow.planning.requests import Requests
from bot.workflow.planning.restoring import RestorePlanning
from bot.workflow.planning.uploads import SheetUploads
from bot.workflow.planning.validation import (
    are_fit,
    are_known,
    can_be_emptied,
    can_be_restored,
    overridden,
    rows_by_id,
    varied,
    will_be_known,
)

#: How often planning is tried when an unforeseen fault ends it, or Slack does not deliver a sheet.
ATTEMPTS = 3
#: Pause before a sheet is asked for again.
SHEET_RETRY = timedelta(seconds=5)


class Planner:
    """Plans what was requested."""

    def __init__(
        self,
        context: Context,
        authorization: Authorization,
        notifications: Notifications,
        requests: Requests,
        *,
        sheets: SheetUploads,
        follow_ups: FollowUps,
        restoration: RestorePlanning,
    ) -> None:
        self._context = context
        self._restoration = restoration
        self._survey = CurrentState(context)
        self._refused_filters = RefusedFilters(context, authorization)
        self._sheets = sheets
        self._follow_ups = follow_ups
        self._authorization = authorization
        self._notify = notifications
        self._requests = requests

    @handles(Task.PLAN)
    async def plan(self, claim: Claim) -> None:
        """Carry out the task: read the numbers, make the plan and show it, or say why there is none."""
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(claim.subject)
        if change.state is not ChangeState.PLANNING:
            async with self._context.database.transaction() as tx:
                await tx.tasks.done(claim)
            return
        if change.part_of is not None:
            await self._restoration.plan(claim, change, self._make)
        elif claim.attempts > ATTEMPTS:
            await self._give_up(claim, change, "It could not be planned because of an internal error; see the log.")
        else:
            await self._plan(claim, change)

    async def _plan(self, claim: Claim, change: Change) -> None:
        try:
            async with Progress(self._context, self._notify, change.id) as progress:
                making = self._make(change, progress)
                plan, summary = await while_wanted(self._context, change.id, ChangeState.PLANNING, making)
        except ForeignColumns as error:
            await self._give_up(claim, change, error.message, foreign=error.headings)
        except BadUpload as error:
            await self._give_up(claim, change, error.message, hand_back=True)
        except (DeliveryPostponed, DeliveryUnknown) as error:
            await self._wait_for_sheet(claim, change, error)
        except PlanRefused as error:
            await self._give_up(claim, change, error.message, unusable=error.unusable)
        except Unauthorised as error:
            rest = "Nothing that you typed is wrong: press “Edit” and send it again once they have fixed it."
            await self._give_up(claim, change, f"{error.message} {rest}")
        except (DeliveryRefused, InputError, NotAuthorized, NotFound, ProviderError, SecretError, Superseded) as error:
            await self._give_up(claim, change, error.message)
        else:
            await self._write(claim, change, plan, summary)

    async def _make(self, change: Change, progress: Progress) -> tuple[Plan, Summary]:
        kind = self._context.catalogue.kind(change.kind)
        provider = self._context.catalogue.provider(kind)
        request = await self._requests.read(change.draft, change.created_at)
        if change.draft.sheet:
            request = await self._sheets.add(request, change, lambda rows: progress.tell(f"{rows:,} rows read"))
        taken = CarriedOver(rows={})
        if change.draft.base:
            request, taken = await self._follow_ups.add(request, change.draft.base)
        if not request.identifiers and not request.rows and not request.conditions:
            raise NothingToPlan(ALL_EXCLUDED)
        if not request.rows:
            await self._may_request(change, len(request.given), request.names)
        try:
            request, snapshots = await self._survey.snapshots(
                provider, kind, request, progress, taken, most=self._largest(change)
            )
        except FilterRefused as refused:
            return await self._refused_filters.plan(provider, kind, request, change, refused)
        progress.tell(f"all {len(snapshots):,} numbers read; comparing them with the new values")
        since: Sequence[str] = ()
        if change.draft.base:
            snapshots, since = await self._follow_ups.unchanged(kind, change.draft.base, taken, snapshots)
        rows = await asyncio.to_thread(rows_by_id, request, snapshots)
        plan = await asyncio.to_thread(
            build,
            kind,
            request.wanted,
            snapshots,
            rows,
            start=request.start,
            until=request.until,
            waves=request.waves,
            rollout=request.rollout,
        )
        different = await asyncio.to_thread(varied, kind, request.wanted, rows, plan)
        if request.rows:
            # A sheet of current values has a column for everything; only the values that it changes count.
            names = tuple(dict.fromkeys((*request.wanted, *different)))
            await self._may_request(change, len(plan.numbers), names)
        await asyncio.to_thread(can_be_emptied, kind, provider.title, plan)
        await asyncio.to_thread(are_fit, kind, plan)
        if plan.until:
            await asyncio.to_thread(can_be_restored, kind, provider.title, plan)
        return plan, await self._summarise(
            provider=provider,
            kind=kind,
            request=request,
            plan=plan,
            different=different,
            own=await asyncio.to_thread(overridden, request, rows, plan),
            change=change,
            taken=taken,
            since=since,
        )

    def _largest(self, change: Change) -> int | None:
        """Return how many numbers ``change`` may have; None for a restore, which may have any number.

        A restore has as many as were approved with its temporary change, and no current limit stops it.
        """
        return self._context.policies.largest(change.kind) if change.part_of is None else None

    async def _may_request(self, change: Change, size: int, names: Collection[str]) -> None:
        """Raise NotAuthorized unless the requester may request this; a restore needs no permission."""
        if change.part_of is None:
            await self._authorization.request(change.requester, change.kind, size, names, fresh=False)

    async def _summarise(
        self,
        *,
        provider: Provider,
        kind: Kind,
        request: Request,
        plan: Plan,
        different: Mapping[str, int],
        own: Sequence[str],
        change: Change,
        taken: CarriedOver,
        since: Sequence[str],
    ) -> Summary:
        if not plan.batches and change.part_of is None:
            count = len(plan.numbers)
            have = "the number already has" if count == 1 else f"all {count:,} numbers already have"
            raise PlanRefused(f"Nothing to do: {have} these values. Change a value, or close this window.")
        ids = await asyncio.to_thread(ids_to_name, kind, request.wanted, plan)
        labels = {name: await provider.labels(kind, name, wanted) for name, wanted in ids.items()}
        await asyncio.to_thread(are_known, kind, provider.title, request, plan, labels)
        if plan.until:
            await asyncio.to_thread(will_be_known, kind, provider.title, plan, labels)
        return await asyncio.to_thread(
            summarise,
            kind,
            plan,
            request.wanted,
            labels,
            repeats=request.repeats + max(len(request.given) - len(plan.numbers) - len(since), 0),
            left_out=sorted(request.dropped),
            without_effect=await without_effect(provider, kind, request.exclusions, request.dropped),
            locked=await self._survey.locked(kind, plan, change),
            conditions=await self._survey.conditions(provider, kind, request),
            varied=different,
            overridden=own,
            given=request.cautions,
            lost=taken.lost,
            since=since,
        )

    async def _write(self, claim: Claim, change: Change, plan: Plan, summary: Summary) -> None:
        now = self._context.clock()
        policy = self._authorization.policy(change.kind, summary.size, summary.names)
        digest = revised_digest(change.former_digest, plan.digest) if change.former_digest else plan.digest
        async with self._context.database.transaction() as tx:
            try:
                await tx.changes.move(
                    change.id,
                    ChangeState.PLANNED,
                    summary=summary,
                    digest=digest,
                    approvals_required=policy.approvals_required,
                    start=plan.start,
                    until=plan.until,
                )
            except Superseded:
                await tx.tasks.done(claim)
                return
            await tx.operations.add(change.id, plan.numbers)
            await tx.batches.add(change.id, change.kind, plan.batches)
            await tx.events.add(
                change.id, "planned", at=now, digest=digest, numbers=summary.numbers, batches=summary.batches
            )
            await tx.tasks.done(claim)
            await tx.tasks.add(Task.DISCARD, change.id, now + self._context.timing.plan_ttl)
            await self._notify.preview(tx, change.id)
        self._context.ring()

    async def _give_up(
        self,
        claim: Claim,
        change: Change,
        problem: str,
        *,
        unusable: tuple[tuple[str, ...], ...] = (),
        foreign: tuple[str, ...] = (),
        hand_back: bool = False,
    ) -> None:
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            given_up = await self._requests.give_up(
                tx, change.id, problem, unusable=unusable, foreign=foreign, editing=True
            )
            if given_up and hand_back:
                await self._notify.sheet(tx, change.id)
            await self._notify.preview(tx, change.id)
        self._context.ring()

    async def _wait_for_sheet(self, claim: Claim, change: Change, error: DeliveryPostponed | DeliveryUnknown) -> None:
        if claim.attempts >= ATTEMPTS:
            await self._give_up(claim, change, f"{error.message} Press “Plan again” in a minute.")
            return
        pause = timedelta(seconds=error.wait) if isinstance(error, DeliveryPostponed) else SHEET_RETRY
        async with self._context.database.transaction() as tx:
            await tx.tasks.again(claim, self._context.clock() + pause)

    @handles(Task.DISCARD)
    async def discard(self, claim: Claim) -> None:
        """Carry out the task: give up a plan for which nobody requested approval in time."""
        problem = "Nobody requested approval of this plan in time; start again."
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            if await self._requests.give_up(tx, claim.subject, problem):
                await self._notify.preview(tx, claim.subject)
        self._context.ring()
