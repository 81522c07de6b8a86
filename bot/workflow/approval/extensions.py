"""Extending temporary changes: a later end, approved like the first one.

The request is a change of its own, a part of the temporary one. It has no numbers. Its digest covers the digest of the
temporary change and the later end, so nobody can approve one for the other. Once approved, it moves the end, unless the
end has come meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.changes.input.drafts import REASON_LENGTH
from bot.changes.input.times import NO_ZONE, UNTIL, read_end
from bot.changes.model.change import Change
from bot.changes.model.draft import Base, Draft, FollowUp
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.start import End
from bot.changes.planning.plan import extension_digest
from bot.errors import DeliveryError, InputError, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Task
from bot.store.transaction import Transaction
from bot.workflow.approval.asking import ApprovalRequests
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions


class Extensions:
    """Takes requests for a later end."""

    def __init__(self, context: Context, authorization: Authorization, approval_requests: ApprovalRequests) -> None:
        self._context = context
        self._authorization = authorization
        self._approval_requests = approval_requests
        self._refusals = DeniedActions(context)

    @repeatable
    async def ask(self, change_id: int, text: str, *, by: str, submission: str) -> str:
        """Ask for approval that ``change_id`` ends when ``text`` says, and return a sentence about it.

        Raises NotAuthorized, InputError when ``text`` is no later end, and Superseded when there is nothing to extend.
        """
        async with self._refusals.noting("extend", by=by, change=change_id):
            async with self._context.database.reading() as tx:
                change = await tx.changes.get(change_id)
            # People who may request the change may request that it lasts longer; another person approves it.
            await self._authorization.request(by, change.kind, change.size, change.names)
            until = await self._read(change, text, by)
            extension, digest = await self._write(change_id, until, text, by=by, submission=submission)
            asked = await self._approval_requests.ask(extension, by=by, digest=digest)
        return f"{asked.public_id} requests approval to keep {change.public_id} in effect until {asked.until}."

    async def _read(self, change: Change, text: str, by: str) -> End:
        try:
            person = await self._context.directory.person(by, fresh=False)
        except DeliveryError as error:
            raise InputError({UNTIL: NO_ZONE}) from error
        until = read_end(text, now=self._context.clock(), zone=person.zone, start=None)
        if until is None:
            raise InputError({UNTIL: "Say until when, such as tomorrow 08:00."})
        if change.until is not None and until.at <= change.until.at:
            raise InputError({UNTIL: f"It already lasts until {change.until}. Give a later time."})
        return until

    async def _write(self, change_id: int, until: End, text: str, *, by: str, submission: str) -> tuple[int, str]:
        """Write down the request, ready to be asked for, and return its number and digest."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            change = await tx.changes.hold(change_id)
            digest = extension_digest(change.digest, until)
            if (present := await tx.changes.submitted_as(submission)) is not None:
                return present, (await tx.changes.get(present)).digest
            await _open_to_extension(tx, change, now)
            draft = Draft(
                kind=change.kind,
                reason=f"Extension of {change.public_id}: {change.draft.reason}"[:REASON_LENGTH],
                base=Base(change=change.id, what=FollowUp.EXTEND),
                until=text,
                zone=until.zone,
            )
            extension = await tx.changes.add(
                draft,
                requester=by,
                origin=change.origin,
                view="",
                submission=submission,
                now=now,
                part_of=change.id,
            )
            summary = replace(change.summary, batches=0, sample=(), locked=()) if change.summary else None
            await tx.changes.move(extension, ChangeState.PLANNED, summary=summary, digest=digest, until=until)
            await tx.tasks.add(Task.DISCARD, extension, now + self._context.timing.plan_ttl)
            details: dict[str, str | int | None] = {"kind": change.kind, "extend": change.public_id}
            await tx.events.add(extension, "proposed", at=now, actor=by, digest=digest, details=details)
        return extension, digest


async def _open_to_extension(tx: Transaction, change: Change, now: datetime) -> None:
    """Raise Superseded unless ``change`` is in effect and not ending, without an open request to extend it."""
    if change.state is not ChangeState.IN_EFFECT:
        raise Superseded(
            f"{change.public_id} is {change.state.phrase}: only a temporary change that is in effect can be extended."
        )
    if (restore := await tx.changes.part(change.id, FollowUp.RESTORE)) is not None:
        raise Superseded(f"{change.public_id} is already ending: {restore.public_id} restores its numbers.")
    extension = await tx.changes.part(change.id, FollowUp.EXTEND)
    if extension is not None and extension.state is ChangeState.PLANNED:
        # Nobody was asked: the policy or Slack did not allow it, or this process ended in between.
        await tx.tasks.remove(Task.DISCARD, [extension.id])
        await tx.changes.move(extension.id, ChangeState.DISCARDED, finished_at=now)
        await tx.events.add(extension.id, "discarded", at=now, actor=extension.requester)
    elif extension is not None and not extension.state.over:
        raise Superseded(f"{extension.public_id} already asks to extend {change.public_id}. Cancel it first.")
