"""Telling people of delegations that concern them, and writing down when one ended by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from bot.changes.model.delegation import WHAT_ENDS, Delegation
from bot.changes.text.counts import counted
from bot.errors import ChannelLost, ClaimLost, DeliveryError, DeliveryPostponed
from bot.store.queue.tasks import Claim, Task, handles
from bot.workflow.approval.delegations import end_by_itself
from bot.workflow.approval.rights import name_of
from bot.workflow.approval.undecided import ASKED, UndecidedRequests
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications
from bot.workflow.ports import CUT_OFF_WAIT, LOOKUP_AFTER, DirectMessages

log = structlog.get_logger(__name__)

#: Pause before checking for a message that may not have arrived, and sending it again.
RETRY: Final = LOOKUP_AFTER
#: The longest pause is the first one doubled this often.
DOUBLINGS: Final = 8


class DelegationNotices:
    """Carries out the one task of a delegation, from its beginning to its end."""

    def __init__(
        self,
        context: Context,
        notifications: Notifications,
        direct_messages: DirectMessages,
        undecided: UndecidedRequests,
    ) -> None:
        self._context = context
        self._notify = notifications
        self._direct_messages = direct_messages
        self._undecided = undecided

    @handles(Task.DELEGATION)
    async def follow(self, claim: Claim) -> None:
        """Carry out the task: end a delegation that is over, tell people what is new, and wait for the end."""
        async with self._context.database.transaction() as tx:
            delegation = await tx.delegations.hold(claim.subject)
            if not await tx.tasks.held(claim):
                # It was ended or moved before this began, so it is due again: the worker that claimed it since tells of
                # that.
                raise ClaimLost
            now = self._context.clock()
            if over := delegation.ended_at is None and not delegation.active(now):
                await end_by_itself(tx, self._notify, delegation, now)
                await tx.tasks.done(claim)
        if over:
            self._context.ring()
            return
        pause = None
        if delegation.told < delegation.version:
            pause = await self._tell(delegation, claim)
        async with self._context.database.transaction() as tx:
            present = await tx.delegations.hold(claim.subject)
            if pause is not None or present.version != delegation.version:
                await tx.tasks.again(claim, self._context.clock() + (pause or timedelta()), waited=True)
                return
            await tx.delegations.note_told(delegation)
            if present.ended_at is None:
                await tx.tasks.again(claim, present.until.at)
            else:
                await tx.tasks.done(claim)

    async def _tell(self, delegation: Delegation, claim: Claim) -> timedelta | None:
        """Tell the people concerned what is new; return the pause before the next attempt, None when it is done."""
        people = [delegation.delegate]
        if delegation.ended_at is not None and delegation.ended_by != delegation.delegator:
            people.append(delegation.delegator)
        try:
            told = [await self._tell_one(delegation, person, claim) for person in people]
        except DeliveryError as error:
            longer = RETRY * 2 ** min(claim.attempts - 1, DOUBLINGS)
            return timedelta(seconds=error.wait) if isinstance(error, DeliveryPostponed) else longer
        return None if all(told) else CUT_OFF_WAIT

    async def _tell_one(self, delegation: Delegation, person: str, claim: Claim) -> bool:
        """Tell one person, unless an earlier attempt did; False while that is not certain.

        An earlier attempt may have been sent a moment ago, so not finding the message proves nothing until the pause is
        over. A person who can no longer be written to cannot approve either, and counts as told.
        """
        key = f"delegation:{delegation.id}:{delegation.version}"
        try:
            if claim.attempts > 1 and await self._direct_messages.arrived(person, (), key, delegation.floor):
                return True
            if claim.tries > 1:  # and nobody has waited since the latest attempt
                return False
            await self._direct_messages.write(person, await self._text(delegation, person), key)
        except ChannelLost as error:
            log.warning("slack refused to tell of a delegation", delegation=delegation.id, code=error.code)
        return True

    async def _text(self, delegation: Delegation, person: str) -> str:
        if delegation.ended_at is not None:
            return await self._ended(delegation, person)
        lender = await name_of(self._context, delegation.delegator)
        if delegation.told:
            return f"You can approve changes for {lender} until {delegation.until}: {lender} changed the end time."
        return (
            f"{lender} lends you the right to approve changes until {delegation.until}. You can decide on whatever "
            f"{lender} could, except changes that either of you requested. {await self._waiting(delegation.delegate)} "
            "`/numbers delegate` lists delegations, with buttons to end them."
        )

    async def _ended(self, delegation: Delegation, person: str) -> str:
        who, lender, delegate = [
            "you" if user == person else await name_of(self._context, user)
            for user in (delegation.ended_by, delegation.delegator, delegation.delegate)
        ]
        return (
            f"{who[0].upper()}{who[1:]} ended the delegation: {delegate} can no longer approve changes for {lender}. "
            f"What {delegate} approved for {lender} no longer counts, unless the change has started. {WHAT_ENDS}"
        )

    async def _waiting(self, delegate: str) -> str:
        waiting = len(await self._undecided.of(delegate))
        if not waiting:
            return "No requests are waiting for you."
        if waiting >= ASKED:
            return f"{waiting:,} or more requests wait for you: see your Home tab."
        return f"{counted(waiting, 'request waits', 'requests wait')} for you: see your Home tab."
