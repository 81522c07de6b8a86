"""Asking for approval of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.messages import MessageRef, Topic
from bot.changes.policy import Policy, open_stage, stage_progress
from bot.errors import InputError, Superseded
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Task
from bot.store.records.locks import EVERY
from bot.store.transaction import Transaction
from bot.workflow.approval.approvable import approvable
from bot.workflow.approval.stages import wait_for_fallback
from bot.workflow.authorization import Authorization, only_requester
from bot.workflow.context import Context
from bot.workflow.denied_actions import DeniedActions
from bot.workflow.notifications import Notifications
from bot.workflow.revisions import still_revises, take_over

#: The field in which a requester types how many numbers there are.
COUNT: Final = "count"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Places:
    """Ids of the channels in which a change is shown; a message that was posted already stays where it is."""

    card: str
    request: str


class ApprovalRequests:
    """Turns plans into requests for approval."""

    def __init__(self, context: Context, authorization: Authorization, notifications: Notifications) -> None:
        self._context = context
        self._authorization = authorization
        self._notify = notifications
        self._refusals = DeniedActions(context)

    @repeatable
    async def ask(self, change_id: int, *, by: str, digest: str, counted: str = "") -> Change:
        """Ask for approval of the plan with ``digest``, and return the change that now has the plan.

        That is another change than ``change_id`` when the plan was made because changes to it were requested. All
        numbers that change are locked in the same transaction. A second press asks nothing more. ``counted`` is how
        many numbers there are, as the requester typed it; kinds that take numbers away require it.

        Raises NotAuthorized, InputError when the count is wrong, or Superseded when the plan is not the one that was
        shown or another change holds some of the numbers.
        """
        async with self._refusals.noting("ask", by=by, change=change_id, digest=digest):
            return await self._ask(change_id, by=by, digest=digest, counted=counted)

    async def _ask(self, change_id: int, *, by: str, digest: str, counted: str) -> Change:
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(change_id)
            asked = change if change.revises is None else await tx.changes.get(change.revises)
        only_requester(by, change)
        if asked.state is ChangeState.AWAITING_APPROVAL and asked.digest == digest:
            return asked
        if change.state is not ChangeState.PLANNED or change.digest != digest:
            raise Superseded(f"This plan of {change.public_id} is no longer open; start again with /numbers.")
        if asked is not change:
            still_revises(change, asked)
        self._counted(change, counted)
        verdict = await self._authorization.request(by, change.kind, change.size, change.names)
        policy = self._authorization.still_allowed(change)
        await approvable(self._context, policy, change)
        places = await self._places(change, asked, policy)
        async with self._context.database.transaction() as tx:
            await self._write(tx, change_id, asked.id, by=by, rule=verdict.rule, policy=policy, places=places)
        self._context.ring()
        async with self._context.database.reading() as tx:
            return await tx.changes.get(asked.id)

    async def _write(
        self, tx: Transaction, planned: int, asked: int, *, by: str, rule: str, policy: Policy, places: _Places
    ) -> None:
        """Ask for approval of the plan of ``planned`` as the plan of ``asked``, in ``places``."""
        now = self._context.clock()
        change = await tx.changes.hold(planned)
        if change.state is not ChangeState.PLANNED:
            present = change if asked == planned else await tx.changes.hold(asked)
            if present.state is ChangeState.AWAITING_APPROVAL and present.digest == change.digest:
                return  # the same press arrived twice, at once
            raise Superseded(f"{change.public_id} is already {change.state.phrase}.")
        expires_at = _expires_at(change, policy, now)
        await tx.tasks.remove(Task.DISCARD, [planned])
        if asked != planned:
            await tx.outbox.withdraw(planned, Topic.PREVIEW)
            await take_over(tx, change, await tx.changes.hold(asked), by=by, now=now)
        await tx.changes.move(
            asked,
            ChangeState.AWAITING_APPROVAL,
            requested_at=now,
            asked_at=None,
            expires_at=expires_at,
            approvals_required=policy.approvals_required,
            rule=rule,
        )
        await self._lock(tx, asked, change, now)
        await tx.tasks.remove(Task.REMIND, [asked])
        await tx.tasks.add(Task.EXPIRE, asked, expires_at)
        if change.start is not None and change.start.at > now:
            await tx.tasks.add(Task.START, asked, change.start.at)
        if policy.reminder:
            await tx.tasks.add(Task.REMIND, asked, now + policy.reminder)
        opened = open_stage(stage_progress(policy.stages, (), now))
        await wait_for_fallback(tx, asked, opened)
        stage = {"stage": opened.stage.name} if opened.stage.name else {}
        await tx.events.add(
            asked, "approval_requested", at=now, actor=by, digest=change.digest, details={"rule": rule, **stage}
        )
        anew = await self._place(tx, asked, places)
        if asked == planned:
            await tx.changes.put(asked, card=MessageRef(channel=places.card))
        await self._tell(tx, asked, change, anew=anew)

    async def _place(self, tx: Transaction, asked: int, places: _Places) -> bool:
        """Have the request posted in its channel, unless it is there; tell whether that is a new channel."""
        before = (await tx.changes.get(asked)).approval_card
        if before.channel == places.request:
            return False
        await tx.changes.put(asked, approval_card=MessageRef(channel=places.request))
        await self._notify.former(tx, asked, Topic.APPROVAL_CARD, before)
        return bool(before.channel)

    async def _lock(self, tx: Transaction, asked: int, planned: Change, now: datetime) -> None:
        """Lock the numbers that the plan changes; it was made for ``planned`` and belongs to ``asked`` now."""
        provider = self._context.catalogue.kind(planned.kind).provider
        if planned.summary and planned.summary.unknown:
            await tx.locks.take(asked, provider, [EVERY], now)
        else:
            await tx.locks.take_planned(asked, provider, now)

    async def _tell(self, tx: Transaction, asked: int, planned: Change, *, anew: bool) -> None:
        """Show the request for approval, ``anew`` if it moved, and tell the thread that it belongs to."""
        await self._notify.cards(tx, asked)
        if planned.part_of is not None:
            await self._notify.line(tx, asked, "asked")
        elif planned.id == asked:
            await self._notify.plan(tx, asked)
        else:
            await self._notify.revised(tx, asked, planned.digest, anew=anew)

    def _counted(self, change: Change, counted: str) -> None:
        summary = change.summary
        if summary is None or not self._context.catalogue.kind(change.kind).removes:
            return
        digits = "".join(character for character in counted if character not in " ,.'")
        if not digits.isdecimal() or int(digits) != summary.numbers:
            raise InputError({COUNT: f"Type how many numbers will be deleted, as shown above: {summary.numbers:,}."})

    async def _places(self, change: Change, asked: Change, policy: Policy) -> _Places:
        """Return where the plan of ``change`` is shown as the plan of ``asked``.

        A posted request moves when another rule governs the new plan, because its approvers may read another channel.
        It does not move into a channel that the bot is not in.
        """
        can_post, channel = self._context.directory.can_post, policy.approval_channel
        if asked is not change:
            here = asked.approval_card.channel
            there = channel if channel == here or await can_post(channel, change.requester) else here
            return _Places(card=asked.card.channel, request=there)
        at_origin = change.origin and await can_post(change.origin, change.requester)
        return _Places(card=change.origin if at_origin else channel, request=channel)


def _expires_at(change: Change, policy: Policy, now: datetime) -> datetime:
    """Return when a request made now expires; raises Superseded when the change ends before that."""
    expires_at = now + policy.approval_ttl
    if change.until is not None:
        expires_at = min(expires_at, change.until.at)
    if expires_at <= now:
        raise Superseded(f"The end of {change.public_id}, {change.until}, has passed. Edit it, and plan again.")
    return expires_at
