"""Taking requests in: what a person typed becomes a change that waits for its plan."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from bot.changes.input.drafts import read_draft
from bot.changes.input.requests import Request
from bot.changes.input.times import NO_ZONE, START, UNTIL, read_end, read_start
from bot.changes.model.change import Change
from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.messages import Topic
from bot.changes.model.public_ids import public_id
from bot.changes.model.settings import read_value
from bot.changes.model.start import End, Start
from bot.changes.model.values import Value
from bot.errors import DeliveryError, InputError, InvalidValue, SecretError, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Claim, Task, handles
from bot.store.records.events import ITSELF
from bot.store.transaction import Transaction
from bot.workflow.authorization import only_requester
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.planning.follow_ups import has_its_numbers
from bot.workflow.revisions import to_revise


class Requests:
    """Writes down requests, and gives them up."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._refusals = DeniedActions(context)

    def seal(self, draft: Draft) -> Draft:
        """Return ``draft`` with its secrets sealed; raises InputError when one cannot be used."""
        kind = self._context.catalogue.kind(draft.kind)
        typed: dict[str, Value] = dict(draft.typed)
        problems: dict[str, str] = {}
        for name, value in draft.typed.items():
            setting = kind.by_name.get(name)
            if setting is None or not setting.secret or not isinstance(value, str):
                continue
            try:
                clear = read_value(setting, value)
            except InvalidValue as error:
                problems[name] = str(error)
                del typed[name]
                continue
            if self._context.encryption is None:
                raise SecretError("Secrets cannot be stored safely: LINESMAN_SECRET_KEY is not set.")
            typed[name] = self._context.encryption.seal(str(clear))
        if problems:
            raise InputError(problems)
        return replace(draft, typed=typed)

    async def in_zone_of(self, draft: Draft, user: str) -> Draft:
        """Return ``draft`` with the time zone in which ``user`` means its start and end.

        Raises :class:`bot.errors.InputError` when Slack does not say which zone that is; anything else would be a
        guess.
        """
        draft = replace(draft, start=draft.start.strip(), until=draft.until.strip())
        typed = START if draft.start else UNTIL
        if not (draft.start or draft.until):
            return replace(draft, zone="")
        try:
            person = await self._context.directory.person(user, fresh=False)
        except DeliveryError as error:
            raise InputError({typed: NO_ZONE}) from error
        return replace(draft, zone=person.zone)

    async def read(self, draft: Draft, said_at: datetime | None = None) -> Request:
        """Return what ``draft`` means; raises :class:`bot.errors.InputError` with every problem at once.

        A start such as "in 2 hours" counts from ``said_at``, or from now.
        """
        now = said_at or self._context.clock()
        try:
            request = await self._read(draft)
        except InputError as error:
            try:
                _times(draft, now)
            except InputError as times:
                raise InputError({**error.problems, **times.problems}) from error
            raise
        start, until = _times(draft, now, request.pauses)
        return replace(request, start=start, until=until)

    async def _read(self, draft: Draft) -> Request:
        kind = self._context.catalogue.kind(draft.kind)
        provider = self._context.catalogue.provider(kind)
        # A long paste takes a while to read; the loop has clicks to answer meanwhile.
        return await asyncio.to_thread(
            read_draft, kind, draft, is_id=provider.is_id, max_numbers=self._context.policies.largest(kind.name)
        )

    @repeatable
    async def propose(
        self, draft: Draft, *, requester: str, origin: str, view: str, submission: str, source: int | None = None
    ) -> int:
        """Write the change down, make its planning due and return its id.

        ``submission`` identifies the press of the button: delivered twice, it makes one change. ``source`` is the
        change whose form was edited: the new change replaces it, or the new plan will if changes to it were requested.
        """
        async with self._context.database.transaction() as tx:
            revised = await to_revise(tx, await tx.changes.hold(source), requester) if source is not None else None
            change = await self._propose(
                tx, draft, requester=requester, origin=origin, view=view, submission=submission, revises=revised
            )
            if source is not None:
                await self._take_place(tx, source, change, requester)
        self._context.ring()
        return change

    async def _take_place(self, tx: Transaction, source: int, fresh: int, by: str) -> None:
        """Note that ``fresh`` came from the edited form of ``source``; the secrets went over with it."""
        edited = await tx.changes.hold(source)
        open_again = edited.state in {ChangeState.PLANNED, ChangeState.DISCARDED} and edited.replaced_by is None
        if edited.requester == by and open_again:
            await self.give_up(tx, source, "", actor=by, editing=True)
            await tx.changes.put(source, replaced_by=fresh)
            await tx.events.add(source, "replaced", at=self._context.clock(), actor=by, by=public_id(fresh))

    async def _propose(
        self,
        tx: Transaction,
        draft: Draft,
        *,
        requester: str,
        origin: str,
        view: str,
        submission: str,
        revises: Change | None = None,
    ) -> int:
        present = await tx.changes.submitted_as(submission)
        if present is not None:
            return present
        now = self._context.clock()
        change = await tx.changes.add(
            draft, requester=requester, origin=origin, view=view, submission=submission, now=now, revises=revises
        )
        await tx.tasks.add(Task.PLAN, change, now)
        base = draft.base
        follows = {base.what.value: public_id(base.change)} if base else {}
        if revises is not None:
            follows["revises"] = revises.public_id
        await tx.events.add(change, "proposed", at=now, actor=requester, details={"kind": draft.kind, **follows})
        return change

    @repeatable
    async def show(self, change: int) -> None:
        """Show the state of the planning of ``change`` in the modal that waits for it."""
        async with self._context.database.transaction() as tx:
            await tx.outbox.show(change, Topic.PREVIEW, now=self._context.clock())
        self._context.ring()

    @repeatable
    async def again(self, change_id: int, *, by: str, view: str, submission: str, leave_out: bool = False) -> int:
        """Plan the same request again and return the id of the new change; an open plan is given up for it.

        With ``leave_out``, obstacles are left out: unknown columns of the sheet, or numbers that are not ours or are
        held by other changes. Raises NotAuthorized for anybody but the requester, Superseded when the change still
        runs.
        """
        async with (
            self._refusals.noting("plan again", by=by, change=change_id),
            self._context.database.transaction() as tx,
        ):
            change = await tx.changes.hold(change_id)
            self._may_plan_again(change, by)
            draft = change.draft
            if leave_out and change.foreign:
                draft = replace(draft, columns_left_out=(*draft.columns_left_out, *change.foreign))
            elif leave_out:
                draft = replace(draft, left_out=(*draft.left_out, *await self._in_the_way(tx, change)))
            fresh = await self._propose(
                tx,
                draft,
                requester=by,
                origin=change.origin,
                view=view,
                submission=submission,
                revises=await to_revise(tx, change, by),
            )
            if fresh != change_id:
                await self.give_up(tx, change_id, "", actor=by)
                await tx.changes.put(change_id, replaced_by=fresh)
                await tx.events.add(change_id, "replaced", at=self._context.clock(), actor=by, by=public_id(fresh))
        self._context.ring()
        return fresh

    @repeatable
    async def editable(self, change_id: int, *, by: str) -> None:
        """Let the form of this change replace its plan; raises NotAuthorized unless ``by`` may see the form again."""
        async with (
            self._refusals.noting("edit", by=by, change=change_id),
            self._context.database.transaction() as tx,
        ):
            change = await tx.changes.get(change_id)
            only_requester(by, change)
            # The plan may be about to be shown once more, and would cover the form.
            await tx.outbox.withdraw(change_id, Topic.PREVIEW)

    async def revisable(self, change_id: int, *, by: str) -> None:
        """Let ``by`` edit the plan to which changes were requested.

        Raises NotAuthorized for anybody but the requester, Superseded when changes are no longer requested.
        """
        async with self._refusals.noting("edit", by=by, change=change_id), self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
            only_requester(by, change)
            if change.state is not ChangeState.CHANGES_REQUESTED:
                raise Superseded(f"{change.public_id} is {change.state.phrase}, so there is nothing to edit.")

    def _may_plan_again(self, change: Change, by: str) -> None:
        has_its_numbers(change)
        only_requester(by, change)
        if not change.state.over and change.state is not ChangeState.PLANNED:
            raise Superseded(f"{change.public_id} is {change.state.phrase}; cancel it first if you want another plan.")

    async def _in_the_way(self, tx: Transaction, change: Change) -> tuple[str, ...]:
        if change.unusable:
            return tuple(name for names in change.unusable for name in names)
        provider = self._context.catalogue.kind(change.kind).provider
        numbers = await tx.operations.changing(change.id)
        held = await tx.locks.holders(provider, numbers, besides=change.id)
        return tuple(name for number in held for name in (number, numbers[number]))

    @repeatable
    async def discard(self, change: int, *, by: str, editing: bool = False) -> None:
        """Give up a plan that ``by`` closed or edits; do nothing when approval was requested meanwhile."""
        async with self._context.database.transaction() as tx:
            await self.give_up(tx, change, "", actor=by, editing=editing)
        self._context.ring()

    async def give_up(
        self,
        tx: Transaction,
        change: int,
        problem: str,
        *,
        actor: str = ITSELF,
        unusable: tuple[tuple[str, ...], ...] = (),
        foreign: tuple[str, ...] = (),
        editing: bool = False,
    ) -> bool:
        """Discard a change before its approval is requested; False when it is past that.

        With ``editing``, its form may come back, so its secrets are kept for as long as a plan waits.
        """
        now = self._context.clock()
        columns = {"problem": problem, "unusable": list(unusable), "foreign_columns": list(foreign), "finished_at": now}
        try:
            await tx.changes.move(change, ChangeState.DISCARDED, editing=editing, **columns)
        except Superseded:
            return False
        await tx.tasks.remove(Task.DISCARD, [change])
        if not problem:  # the modal of the person who gave it up already shows something else
            await tx.outbox.withdraw(change, Topic.PREVIEW)
        if editing and (await tx.changes.get(change)).draft.holds_secrets:
            await tx.tasks.add(Task.WIPE, change, now + self._context.timing.plan_ttl)
        await tx.events.add(change, "discarded", at=now, actor=actor)
        return True

    @handles(Task.WIPE)
    async def wipe(self, claim: Claim) -> None:
        """Carry out the task: wipe the secrets that were kept for a form that might have come back."""
        async with self._context.database.transaction() as tx:
            await tx.tasks.done(claim)
            await tx.secrets.wipe_draft(claim.subject)


def _times(draft: Draft, now: datetime, pauses: timedelta = timedelta()) -> tuple[Start | None, End | None]:
    """Return the start and end of a change requested at ``now``; raises InputError with what is wrong."""
    start, until, problems = None, None, {}
    try:
        start = read_start(draft.start, now=now, zone=draft.zone)
    except InputError as error:
        problems = error.problems
    try:
        until = read_end(draft.until, now=now, zone=draft.zone, start=start, pauses=pauses)
    except InputError as error:
        problems = {**problems, **error.problems}
    if problems:
        raise InputError(problems)
    return start, until
