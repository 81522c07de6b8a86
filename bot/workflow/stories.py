"""Reading all that a message about a change may show."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from bot.changes.lifecycle import ChangeState
from bot.changes.messages import Topic
from bot.changes.policy import who_may_approve
from bot.changes.records import Change, Event
from bot.changes.results import plan_sheet, results_sheet
from bot.changes.windows import next_opening, open_at
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.ports import Story
from bot.workflow.sheets import Sheets


class Stories:
    """Reads changes for those who show them."""

    def __init__(self, context: Context, sheets: Sheets) -> None:
        self._context = context
        self._sheets = sheets

    async def read(self, change: int) -> Story:
        """Return the story of a change; raises NotFound."""
        async with self._context.database.reading() as tx:
            return await self._read(tx, await tx.changes.get(change))

    async def _read(self, tx: Transaction, change: Change) -> Story:
        kind = self._context.catalogue.kind(change.kind)
        now = self._context.clock()
        summary = change.summary
        size, settings = (summary.numbers, summary.names) if summary else (0, ())
        policies = self._context.policies
        policy = policies.governing(change.kind, size, settings) or policies.fallback
        return Story(
            change=change,
            kind=kind,
            provider=self._context.catalogue.provider(kind).title,
            tally=await tx.operations.tally(change.id),
            batches=await tx.batches.of(change.id),
            decisions=await tx.decisions.of(change.id),
            failures=await tx.operations.failures(change.id),
            freeze=await tx.freezes.current(),
            typical_seconds=await tx.batches.typical_seconds(change.kind),
            policy=policy,
            audience=who_may_approve(policy, change.requester),
            in_flight=await tx.batches.in_flight(change.kind),
            opens_at=next_opening(policy.windows, now) if policy.windows and not open_at(policy.windows, now) else None,
            expires_if_asked_now=now + policy.approval_ttl,
            now=now,
        )

    async def sheet(self, change: int, topic: Topic) -> bytes | None:
        """Return the file that goes with a message, a row for every number of the change; None when there is none.

        Raises :class:`bot.errors.DeliveryError` leaves when it is made from an upload that Slack does not hand out.
        """
        if topic is Topic.SHEET:
            return await self._sheets.marked((await self.read(change)).change)
        if topic not in {Topic.PLAN, Topic.RESULTS}:
            return None
        story = await self.read(change)
        jobs = {batch.position: batch for batch in story.batches}
        async with self._context.database.reading() as tx:
            operations = [operation async for operation in tx.operations.stream(change)]
        summary = story.change.summary
        if topic is Topic.PLAN:
            return await asyncio.to_thread(plan_sheet, story.kind, operations, summary)
        return await asyncio.to_thread(results_sheet, story.kind, operations, jobs, summary)

    async def list(
        self, *, states: Iterable[ChangeState] = (), requester: str = "", limit: int = 10, offset: int = 0
    ) -> Sequence[Story]:
        """Return the stories of the newest changes, those that never got a plan left out unless asked for."""
        wanted = tuple(states) or tuple(
            state for state in ChangeState if state not in {ChangeState.PLANNING, ChangeState.DISCARDED}
        )
        async with self._context.database.reading() as tx:
            found = await tx.changes.list(states=wanted, requester=requester, limit=limit, offset=offset)
            known = [change for change in found if change.kind in {kind.name for kind in self._context.catalogue.kinds}]
            return [await self._read(tx, change) for change in known]

    async def history(self, change: int) -> Sequence[Event]:
        """Return the audit trail of one change."""
        async with self._context.database.reading() as tx:
            return await tx.events.of(change)
