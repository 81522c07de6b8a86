"""Reading everything that a message about a change may show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from bot.changes.audit.events import Event
from bot.changes.model.batches import Batch, Operation
from bot.changes.model.change import Change
from bot.changes.model.draft import FollowUp
from bot.changes.model.file_format import FileFormat
from bot.changes.model.lifecycle import ChangeState, OperationState
from bot.changes.model.messages import OutboxMessage, Topic
from bot.changes.model.start import begins_at
from bot.changes.outcome.outcomes import STALE, UNCHANGED
from bot.changes.outcome.restores import RestoreCells, restore_cells, telling
from bot.changes.outcome.results import Columns, PlanSheet, ResultsSheet, Touched
from bot.changes.policy import Audience, open_stage, stage_progress, who_may_approve, whom_to_mention
from bot.store.transaction import Transaction
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.execution.change_window import waiting_numbers
from bot.workflow.execution.settlement import SLOT_NEWS
from bot.workflow.execution.stop import reach
from bot.workflow.planning.uploads import SheetUploads
from bot.workflow.ports import ChangeDetails, ScheduledChange

#: Rows of a sheet written at once.
PORTION = 1000


class ChangeDetailsReader:
    """Reads changes for the code that shows them."""

    def __init__(self, context: Context, authorization: Authorization, sheets: SheetUploads) -> None:
        self._context = context
        self._authorization = authorization
        self._sheets = sheets

    async def shown(self, change: int, *, by: str) -> tuple[ChangeDetails, Sequence[Event]]:
        """Return the details of a change and its audit log for ``by``; raises NotAuthorized and NotFound."""
        await self._authorization.read(by)
        async with self._context.database.reading() as tx:
            return await self._read(tx, await tx.changes.get(change)), await tx.events.of(change)

    async def read(self, change: int) -> ChangeDetails:
        """Return the details of a change, for callers that have checked who may see it; raises NotFound."""
        async with self._context.database.reading() as tx:
            return await self._read(tx, await tx.changes.get(change))

    async def told(self, message: OutboxMessage) -> ChangeDetails:
        """Return the details of a message's change, with those of the part that the message is about."""
        details = await self.read(message.change)
        part = message.data.get("part")
        return replace(details, told=await self.read(part)) if part else details

    async def _read(self, tx: Transaction, change: Change) -> ChangeDetails:
        kind = self._context.catalogue.kind(change.kind)
        now = self._context.clock()
        policy = self._context.governing(change)
        opens_at = begins_at(change.start, policy.windows, now)
        tally = change.kept or await tx.tallies.of(change.id)
        provider, freeze = self._context.catalogue.provider(kind), await tx.freezes.current()
        batches = await tx.batches.of(change.id)
        whole = await tx.changes.get(change.part_of) if change.part_of is not None else None
        if whole is not None:  # a part has no card of its own
            change = replace(change, card=whole.card)
        decisions = await tx.decisions.of(change.id)
        stages = stage_progress(policy.stages, decisions, change.waits_since)
        opened = open_stage(stages)
        open_to, fallback = opened.open_to(now), opened.stage.fallback_approvers
        audience = await self._with_delegates(tx, who_may_approve(policy, change.requester, open_to), change)
        expires_at = now + policy.approval_ttl
        temporary = change.until is not None and change.part_of is None
        restore = telling(await tx.changes.parts(change.id, FollowUp.RESTORE)) if temporary else None
        extension = await tx.changes.part(change.id, FollowUp.EXTEND) if temporary else None
        return ChangeDetails(
            change=change,
            kind=kind,
            provider=provider.title,
            tally=tally,
            batches=batches,
            decisions=decisions,
            failures=await tx.tallies.groups(change.id, OperationState.FAILED) if tally.failed else (),
            differences=await tx.tallies.groups(change.id, OperationState.DIFFERS) if tally.differs else (),
            unverified=await tx.tallies.groups(change.id, OperationState.UNVERIFIED) if tally.unverified else (),
            freeze=freeze,
            typical_seconds=await tx.batches.typical_seconds(change.kind),
            policy=policy,
            stages=stages,
            audience=audience,
            mentioned=self._mentioning(whom_to_mention(policy, change.requester, open_to), audience),
            fallback=self._mentioning(who_may_approve(policy, change.requester, fallback), audience),
            in_flight=await tx.job_slots.in_flight(change.kind),
            slots_taken=await tx.job_slots.refused(change.kind, now - SLOT_NEWS) is not None,
            opens_at=opens_at,
            outside_window=await waiting_numbers(tx, provider, change, batches) if opens_at else 0,
            expires_if_asked_now=min(expires_at, change.until.at) if change.until else expires_at,
            now=now,
            slack_waits=self._context.slack.waits(),
            extension=extension,
            whole=whole,
            restore=await self._read(tx, restore) if restore else None,
            followers=await tx.changes.followers(change.id) if change.state.over else (),
            carried_out=provider.carries_out,
            reach=await reach(tx, provider, batches) if freeze and not change.state.over else None,
        )

    async def _with_delegates(self, tx: Transaction, audience: Audience, change: Change) -> Audience:
        """Return ``audience`` and the people to whom its members lend the right to approve ``change``."""
        if change.state is not ChangeState.AWAITING_APPROVAL:
            return audience
        named = self._named(audience)
        lent = await tx.delegations.by(named - {change.requester}, self._context.clock())
        besides = named | {change.requester}
        pairs = [(each.delegate, each.delegator) for each in lent if each.delegate not in besides]
        return replace(audience, delegates=tuple(pairs))

    def _mentioning(self, mentioned: Audience, audience: Audience) -> Audience:
        """Return ``mentioned`` and the people in ``audience`` to whom they lend their right."""
        named = self._named(mentioned)
        pairs = [pair for pair in audience.delegates if pair[1] in named and pair[0] not in named]
        return replace(mentioned, delegates=tuple(pairs))

    def _named(self, audience: Audience) -> frozenset[str]:
        """Return who is in ``audience``, as far as known without asking Slack: a view does not wait for Slack."""
        known = [self._context.directory.remembered_group(group) for group in audience.groups]
        return frozenset(audience.users).union(*(each[0] for each in known if each is not None))

    async def sheet(self, message: OutboxMessage) -> bytes | None:
        """Return the file that goes with a message, with a row for every number of the change; None without a file.

        Raises :class:`bot.errors.DeliveryError` leaves when Slack does not deliver the upload that it is made from.
        """
        if message.topic is Topic.SHEET:
            return await self._sheets.marked((await self.read(message.change)).change)
        if message.topic is Topic.RESULTS:
            return await self._results(await self.read(message.change), message.form)
        return await self._plan(await self.read(message.change)) if message.topic is Topic.PLAN else None

    async def _plan(self, details: ChangeDetails) -> bytes:
        several = any(batch.wave > 1 for batch in details.batches)
        waves = {batch.position: batch.wave for batch in details.batches if several}
        async with self._context.database.reading() as tx:
            columns = await self._columns(tx, details, {})
            return await self._written(tx, details, PlanSheet(details.kind, details.change.summary, columns, waves))

    async def _results(self, details: ChangeDetails, form: FileFormat) -> bytes:
        jobs = {batch.position: batch for batch in details.batches}
        async with self._context.database.reading() as tx:
            columns = await self._columns(tx, details, jobs)
            restores = await self._restores(tx, details) if details.change.until else None
            sheet = ResultsSheet(details.kind, jobs, details.change.summary, columns, form, restores=restores)
            return await self._written(tx, details, sheet)

    async def _columns(self, tx: Transaction, details: ChangeDetails, jobs: Mapping[int, Batch]) -> Columns:
        """Return the columns of a sheet, which are known once one number of each sort has been seen."""
        touched = Touched(details.kind, jobs)
        async for portion in _portions(tx.operations.sorts(details.change.id)):
            await asyncio.to_thread(touched.note, portion)
        return touched.columns

    async def _written(self, tx: Transaction, details: ChangeDetails, sheet: PlanSheet | ResultsSheet) -> bytes:
        """Return a sheet with all numbers, holding only the file and a portion of the rows in memory."""
        async for portion in _portions(tx.operations.stream(details.change.id)):
            await asyncio.to_thread(sheet.add, portion)
        return await asyncio.to_thread(sheet.content)

    async def _restores(self, tx: Transaction, details: ChangeDetails) -> Mapping[str, RestoreCells]:
        """Return, by id, what the results of a temporary change say about the restore of each number."""
        restore = details.restore.change if details.restore else None
        restoring: dict[str, Operation] = {}
        told = restore.id if restore else None
        for part in await tx.changes.parts(details.change.id, FollowUp.RESTORE):
            if part.state is not ChangeState.FINISHED and part.id != told:
                continue
            async for each in tx.operations.stream(part.id):
                if each.code == STALE and part.id != told:
                    continue  # a later restore restored it, or left it
                if each.code != UNCHANGED or each.number_id not in restoring:  # otherwise an earlier one restored it
                    restoring[each.number_id] = each
        planned = restore is not None and restore.summary is not None
        without = frozenset((*restore.draft.left_out, *restore.draft.postponed)) if restore else frozenset()
        return {
            each.number_id: restore_cells(each, restoring.get(each.number_id), without, planned=planned)
            async for each in tx.operations.stream(details.change.id)
        }

    async def scheduled(self, *, requester: str = "", limit: int, by: str) -> Sequence[ScheduledChange]:
        """Return changes that have a time and have not begun: requested for later, or approved and waiting.

        The list is for ``by``; raises NotAuthorized.
        """
        await self._authorization.read(by)
        now = self._context.clock()
        kinds = {kind.name: kind for kind in self._context.catalogue.kinds}
        async with self._context.database.reading() as tx:
            found = await tx.changes.scheduled(requester=requester, limit=limit)
        return [
            ScheduledChange(
                change=change,
                kind=kinds[change.kind],
                opens_at=begins_at(change.start, self._context.governing(change).windows, now),
                now=now,
            )
            for change in found
            if change.kind in kinds
        ]


async def _portions(operations: AsyncIterator[Operation]) -> AsyncIterator[list[Operation]]:
    """Yield numbers of a change in portions."""
    portion: list[Operation] = []
    async for operation in operations:
        portion.append(operation)
        if len(portion) >= PORTION:
            yield portion
            portion = []
    yield portion
