"""Basing a change on an earlier one: retrying what failed, undoing what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bot.changes.input.drafts import REASON_LENGTH
from bot.changes.input.requests import Request, with_carried
from bot.changes.input.wanted_values import SETTINGS, without_edits
from bot.changes.model.batches import Operation
from bot.changes.model.change import Change
from bot.changes.model.draft import Base, Draft, FollowUp
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import CHANGED, ChangeState
from bot.changes.model.public_ids import public_id
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Secret
from bot.changes.outcome.follow_ups import CarriedOver, changed_by, changed_since, given_back, to_retry, to_undo
from bot.errors import InputError, NotFound, PlanRefused, Superseded
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.planning.validation import named


class FollowUps:
    """Takes numbers and values over from finished changes."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._context = context
        self._authorization = authorization
        self._refusals = DeniedActions(context)

    async def draft(self, change_id: int, what: FollowUp, *, by: str) -> Draft:
        """Return the initial form of a change that follows ``change_id``.

        Raises NotFound, NotAuthorized when ``by`` may not request such changes, and Superseded when the change still
        runs or has no numbers for it.
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
        # Somebody else's secrets are not taken over: they must be typed again.
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
            # All at once would exceed what was approved for a first try. The start has passed: otherwise nothing had
            # been tried.
            canary=change.draft.canary,
            pause=change.draft.pause,
            threshold=change.draft.threshold,
            until=change.draft.until,  # otherwise a change meant to be temporary would be permanent
        )

    async def add(self, request: Request, base: Base) -> tuple[Request, CarriedOver]:
        """Return ``request`` with the numbers and values of the earlier change, and what was taken over.

        Raises InputError when values conflict, and whatever :meth:`draft` raises.
        """
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(base.change)
        if change.kind != request.kind.name:
            raise Superseded(f"{change.public_id} is a change of another kind; start again from its card.")
        taken = await self._taken(change, base.what)
        request = with_carried(request, taken.rows, taken.numbers)
        if base.what is FollowUp.RETRY:
            common = without_edits(request.wanted)
            for row in {tuple(row.items()): row for row in request.rows.values()}.values():
                if problems := request.kind.rule({**common, **row}):
                    raise InputError(dict(problems))
            if request.rows and not (request.kind.removes or request.names):
                raise InputError({SETTINGS: "Choose at least one setting to change."})
        return request, taken

    async def unchanged(
        self, kind: Kind, base: Base, taken: CarriedOver, snapshots: Sequence[Snapshot]
    ) -> tuple[Sequence[Snapshot], Sequence[str]]:
        """Return the numbers that nobody has changed since ``base``, and the others, each with the change that did it.

        When a temporary change ends, numbers that already have their earlier values again are not among the others.
        Raises PlanRefused when all were changed, except for a restore.
        """
        since = await asyncio.to_thread(changed_since, kind, taken, snapshots)
        if base.what is FollowUp.RESTORE:
            back = await asyncio.to_thread(given_back, kind, taken, snapshots)
            since = tuple(e164 for e164 in since if e164 not in back)
        if not since:
            return snapshots, ()
        async with self._context.database.reading() as tx:
            later = await tx.operations.later(base.change)
            restores = await tx.changes.parts(base.change, FollowUp.RESTORE)
        by = await asyncio.to_thread(changed_by, kind, taken, snapshots, later)
        gone = frozenset(since)
        rest = [snapshot for snapshot in snapshots if snapshot.e164 not in gone]
        if not rest and base.what is not FollowUp.RESTORE:
            if len(by) == len(since) and {*by.values()} <= {restore.id for restore in restores}:
                change = public_id(base.change)
                raise PlanRefused(f"{change} was temporary, and its numbers got back what they had when it ended.")
            raise PlanRefused(_all_changed(base.what, since, by))
        return rest, _with_changes(since, by)

    async def _taken(self, change: Change, what: FollowUp) -> CarriedOver:
        if what is FollowUp.RESTORE:
            return await self._of_temporary(change)
        if change.state is ChangeState.IN_EFFECT:
            after = " Once it is over, what failed can be retried." if what is FollowUp.RETRY else ""
            raise Superseded(f"{change.public_id} is temporary. `/numbers end {change.public_id}` ends it now.{after}")
        if not change.state.over:
            raise Superseded(f"{change.public_id} is {change.state.phrase}; wait until it is over, or cancel it.")
        has_its_numbers(change)
        kind = self._context.catalogue.kind(change.kind)
        async with self._context.database.reading() as tx:
            operations: list[Operation] = [operation async for operation in tx.operations.stream(change.id)]
        if what is FollowUp.RETRY:
            wanted = change.summary.wanted if change.summary else {}
            return await asyncio.to_thread(to_retry, kind, operations, wanted)
        if kind.removes:
            raise NotFound(f"{change.public_id} deleted its numbers, and deleted numbers cannot be restored.")
        return await asyncio.to_thread(to_undo, kind, operations)

    async def _of_temporary(self, change: Change) -> CarriedOver:
        """Return the numbers of a temporary change at its end, with the values that they had before it."""
        if change.state is not ChangeState.IN_EFFECT:
            raise Superseded(f"{change.public_id} is not in effect, so nothing is restored.")
        kind = self._context.catalogue.kind(change.kind)
        async with self._context.database.reading() as tx:
            operations = [operation async for operation in tx.operations.stream(change.id, CHANGED)]
        return await asyncio.to_thread(to_undo, kind, operations)


def has_its_numbers(change: Change) -> None:
    """Raise Superseded when the numbers of ``change`` were pruned."""
    if change.kept is not None:
        raise Superseded(f"{change.public_id} ended so long ago that its numbers were pruned; start a new change.")


def _with_changes(since: Sequence[str], by: Mapping[str, int]) -> list[str]:
    return [f"{e164} (by {public_id(by[e164])})" if e164 in by else e164 for e164 in since]


def _all_changed(what: FollowUp, since: Sequence[str], by: Mapping[str, int]) -> str:
    changes, done = set(by.values()), "retried" if what is FollowUp.RETRY else "undone"
    if len(changes) == 1 and len(by) == len(since):
        change = public_id(changes.pop())
        further = f"To revert that, undo {change}." if what is FollowUp.UNDO else "Set what you want in a new change."
        return f"{change} has changed every number since ({named(since)}), so nothing is {done}. {further}"
    return (
        f"Every number has been changed since: {named(_with_changes(since, by))}. So nothing is {done}. "
        "Check their history with /numbers find, and set what you want in a new change."
    )


def _nothing(change: Change, what: FollowUp, taken: CarriedOver) -> str:
    if what is FollowUp.RETRY:
        return f"No number of {change.public_id} failed, differs or was not attempted, so there is nothing to retry."
    if taken.lost:
        return (
            f"Nothing of {change.public_id} can be undone: the old values cannot be set through the API, or were not "
            "recorded. Set what you want in a new change."
        )
    return f"{change.public_id} changed no numbers, so there is nothing to undo."
