"""Standing a change on an earlier one: retrying what failed, undoing what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.changes.input.requests import REASON_LENGTH, Request, without_edits
from bot.changes.model.batches import Operation
from bot.changes.model.change import Base, Change, Draft, FollowUp
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Secret
from bot.changes.outcome.follow_ups import CarriedOver, changed_by, to_retry, to_undo
from bot.errors import InputError, NotFound, Superseded
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions


class FollowUps:
    """Takes numbers and values over from changes that are through."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._context = context
        self._authorization = authorization
        self._refusals = DeniedActions(context)

    async def draft(self, change_id: int, what: FollowUp, *, by: str) -> Draft:
        """Return what the form of a change that follows ``change_id`` begins with.

        Raises NotFound, NotAllowed when ``by`` may not ask for such changes, and Superseded when the change still runs
        or has no numbers for it.
        """
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
        async with self._refusals.noting(what.value, by=by, change=change_id):
            await self._authorization.start(by, change.kind)
            taken = await self._taken(change, what)
            if not taken.rows:
                raise Superseded(_nothing(change, what, taken))
        reason = f"{what.value.capitalize()} of {change.public_id}: {change.draft.reason}"[:REASON_LENGTH]
        base = Base(change=change.id, what=what)
        if what is FollowUp.UNDO:
            return Draft(kind=change.kind, reason=reason, base=base)
        # Somebody else's secrets are not taken over: they have to be typed again.
        typed = {
            name: value
            for name, value in change.draft.typed.items()
            if not isinstance(value, Secret) or (change.requester == by and value.sealed)
        }
        return Draft(
            kind=change.kind,
            chosen=change.draft.chosen,
            typed=typed,
            picked={name: label for name, label in change.draft.picked.items() if name in typed},
            ways=change.draft.ways,
            reason=reason,
            base=base,
        )

    async def add(self, request: Request, base: Base) -> tuple[Request, CarriedOver]:
        """Return ``request`` with the numbers of the change before and their values, and what came over.

        Raises InputError when values do not go together, and what :meth:`draft` raises.
        """
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(base.change)
        if change.kind != request.kind.name:
            raise Superseded(f"{change.public_id} is a change of another kind; start again from its card.")
        unwanted = frozenset(request.excluded)
        taken = await self._taken(change, base.what)
        rows = {number: row for number, row in taken.rows.items() if number not in unwanted}
        if base.what is FollowUp.RETRY:
            common = without_edits(request.wanted)
            for row in {tuple(row.items()): row for row in rows.values()}.values():
                if problems := request.kind.rule({**common, **row}):
                    raise InputError(dict(problems))
        return replace(
            request,
            rows={**rows, **request.rows},
            carried=frozenset(rows.keys() - request.rows.keys()),
            dropped=request.dropped | (taken.rows.keys() - rows.keys()),
        ), taken

    async def changed_by(self, base: Base, taken: CarriedOver, snapshots: Sequence[Snapshot]) -> dict[str, int]:
        """Return, of numbers that were changed since ``base``, which change did it."""
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(base.change)
            later = await tx.operations.later(base.change)
        return await asyncio.to_thread(changed_by, self._context.catalogue.kind(change.kind), taken, snapshots, later)

    async def _taken(self, change: Change, what: FollowUp) -> CarriedOver:
        if not change.state.over:
            state = change.state.value.replace("_", " ")
            raise Superseded(f"{change.public_id} is {state}; wait until it is over, or cancel it.")
        if change.kept is not None:
            raise Superseded(f"{change.public_id} ended so long ago that its numbers were pruned; start a new change.")
        kind = self._context.catalogue.kind(change.kind)
        async with self._context.database.reading() as tx:
            operations: list[Operation] = [operation async for operation in tx.operations.stream(change.id)]
        varied = change.summary.varied if change.summary else {}
        if what is FollowUp.RETRY:
            return await asyncio.to_thread(to_retry, operations, tuple(varied))
        if kind.removes:
            raise NotFound(f"{change.public_id} deleted its numbers, and deleted numbers cannot be restored.")
        return await asyncio.to_thread(to_undo, kind, operations)


def _nothing(change: Change, what: FollowUp, taken: CarriedOver) -> str:
    if what is FollowUp.RETRY:
        return f"No number of {change.public_id} failed, differs or was not attempted, so there is nothing to retry."
    if taken.lost:
        return f"Nothing of {change.public_id} can be undone: the old values cannot be set through the API."
    return f"{change.public_id} changed no numbers, so there is nothing to undo."
