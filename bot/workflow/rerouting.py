"""Messages that Slack refuses: which are rerouted, which wait, and which are given up and reported."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

import structlog

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.messages import THREADED, MessageRef, OutboxMessage, Topic
from bot.errors import ChannelLost, ContentRefused, DeliveryError, DeliveryRefused, MessageGone
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.notifications import Notifications
from bot.workflow.ports import ChangeDetails, Messenger

log = structlog.get_logger(__name__)

#: Pause before retrying a message that Slack refused for a reason unrelated to the message.
REFUSED_WAIT: Final = timedelta(seconds=30)
NOWHERE_WAIT: Final = timedelta(minutes=5)
#: Pause before retrying a file that Slack refused, and how often it is tried before its loss is reported: later
#: messages in the thread wait meanwhile.
FILE_WAIT: Final = timedelta(seconds=3)
FILE_TRIES: Final = 3
#: How often a sheet for one person is tried; the bot may no longer be able to write to them.
SHEET_TRIES: Final = 10
#: How often a card may be left behind: its channel, the approval channel and the failure channel. A message refused
#: after that is refused everywhere, and a fourth card would help nobody. Each channel that a rule sets is one more.
MOST_MOVES: Final = 3
#: Messages that carry a file.
_FILES: Final = frozenset({Topic.PLAN, Topic.RESULTS, Topic.SHEET})
#: Errors that can be confirmed by asking Slack about the channel.
_PROVABLE: Final = frozenset({"channel_not_found", "not_in_channel", "is_archived", "is_inactive"})
#: Slack's error for a modal that is no longer open.
_CLOSED: Final = "not_found"
#: Messages that may be dropped: what they show is visible elsewhere.
_FLEETING: Final = frozenset({Topic.PREVIEW, Topic.FORMER})


class Rerouting:
    """Decides what happens to a refused message.

    Only a channel that is really lost, or a card that is gone, moves a message. A message is given up when Slack will
    never accept its content. Everything else waits until Slack accepts it again, and the people who run Linesman read
    why.
    """

    def __init__(self, context: Context, messenger: Messenger, notifications: Notifications, worker: str) -> None:
        self._context = context
        self._messenger = messenger
        self._notify = notifications
        self._worker = worker

    async def refused(
        self, message: OutboxMessage, details: ChangeDetails, error: DeliveryRefused, *, look: bool
    ) -> None:
        """Find another place for ``message``, have it wait, or give it up.

        ``look`` means that Slack refused not the message but the search for an earlier attempt.
        """
        if isinstance(error, ChannelLost) and (look or message.topic in _FILES or error.code in _PROVABLE):
            error = await self._confirmed(message, details, error)
        async with self._context.database.transaction() as tx:
            became = await self._decide(tx, message, details, error, look=look)
            if message.topic not in _FLEETING:
                now = self._context.clock()
                await tx.events.add(message.change, "message_refused", at=now, key=message.key, code=error.code)
        # People may close a modal before its plan is there: that needs nobody's attention.
        level = logging.INFO if message.topic is Topic.PREVIEW and error.code == _CLOSED else logging.ERROR
        log.log(level, "slack refused a message", key=message.key, code=error.code, why=error.message, became=became)
        self._context.outbox_wakeup.ring()

    async def _confirmed(self, message: OutboxMessage, details: ChangeDetails, error: ChannelLost) -> DeliveryRefused:
        """Return the error if Slack confirms that the channel is lost, else a refusal that is not about the channel.

        A refused search, or one step of an upload, may have another reason than its error says, and a single refusal of
        a message may be momentary.
        """
        try:
            if await self._messenger.lost(_place(message, details).channel):
                return error
        except DeliveryError as silence:
            log.info("slack does not say whether a channel is lost", key=message.key, why=silence.message)
        return DeliveryRefused(error.message, code=error.code)

    async def _decide(
        self, tx: Transaction, message: OutboxMessage, details: ChangeDetails, error: DeliveryRefused, *, look: bool
    ) -> str:
        if message.topic in _FLEETING or (isinstance(error, ContentRefused) and not look):
            return await self._give_up(tx, message, error)
        if message.topic is Topic.SHEET and message.attempts >= SHEET_TRIES:
            return await self._give_up(tx, message, error)
        if isinstance(error, ChannelLost) and message.topic is not Topic.SHEET:
            return await self._move(tx, message, details, error)
        if isinstance(error, MessageGone) and message.topic in {Topic.CARD, Topic.APPROVAL_CARD} and not look:
            return await self._move(tx, message, details, error)
        if isinstance(error, MessageGone):
            # An edit of the card shows whether the card is gone; the messages below it then find a new one.
            await self._notify.cards(tx, message.change)
        if look:
            return await self._wait(tx, message, error, _look_pause(message), sent=True, settled=False)
        if message.topic in _FILES and message.attempts >= FILE_TRIES:
            return await self._give_up(tx, message, error)
        if message.topic in _FILES:
            return await self._wait(tx, message, error, FILE_WAIT, sent=True)
        pause = FILE_WAIT if isinstance(error, MessageGone) else REFUSED_WAIT
        return await self._wait(tx, message, error, pause, sent=False)

    async def _give_up(self, tx: Transaction, message: OutboxMessage, error: DeliveryRefused) -> str:
        await tx.deliveries.refuse(message, owner=self._worker, error=error.message)
        if message.topic in {Topic.PLAN, Topic.RESULTS}:
            await self._notify.failure(tx, message.change, "no_sheet", each=message.topic.value, why=error.message)
        elif message.topic is Topic.APPROVAL_CARD:
            await self._unasked(tx, message, error)
        return "given up"

    async def _wait(
        self,
        tx: Transaction,
        message: OutboxMessage,
        error: DeliveryRefused,
        pause: timedelta,
        *,
        sent: bool,
        settled: bool = True,
    ) -> str:
        """Have the message wait; ``sent`` means that an attempt may have arrived, so it is looked for first.

        ``settled`` means that no attempt is under way any more.
        """
        await tx.deliveries.postpone(
            message,
            owner=self._worker,
            until=self._context.clock() + pause,
            error=error.message,
            surely_unsent=not sent,
            settled=settled,
            refusal=error.code or "unknown",
        )
        return "waits"

    async def _move(
        self, tx: Transaction, message: OutboxMessage, details: ChangeDetails, error: DeliveryRefused
    ) -> str:
        if message.topic is Topic.FAILURE:
            return await self._redirect(tx, message, details, error)
        if message.topic in THREADED | {Topic.CARD}:
            rerouted = await self._move_card(tx, message, details, error)
        elif (await tx.changes.get(message.change)).state is not ChangeState.AWAITING_APPROVAL:
            return await self._give_up(tx, message, error)  # people who press an old button get an answer
        else:
            rerouted = await self._move_request(tx, message, details, error)
        if not rerouted:
            return await self._wait(tx, message, error, NOWHERE_WAIT, sent=False)
        now = self._context.clock()
        await tx.deliveries.postpone(message, owner=self._worker, until=now, error=error.message, surely_unsent=True)
        return "message rerouted"

    async def _redirect(
        self, tx: Transaction, message: OutboxMessage, details: ChangeDetails, error: DeliveryRefused
    ) -> str:
        """Send a notice to a place where people see it; when there is none, the last place is tried again later."""
        approvals, failures = self._channels(details)
        here, requester = _place(message, details).channel, details.change.requester
        there = _after(here, *failures, *approvals, requester)
        if not there:
            await self._wait(tx, message, error, NOWHERE_WAIT, sent=False)
        else:
            now = self._context.clock()
            await tx.deliveries.redirect(message, owner=self._worker, channel=there, now=now, error=error.message)
        return "message rerouted" if there else "waits"

    async def _move_card(
        self, tx: Transaction, message: OutboxMessage, details: ChangeDetails, error: DeliveryRefused
    ) -> bool:
        """Have the card posted again, in its channel or the next one; the messages below it follow."""
        change = await tx.changes.hold(message.change)
        before = change.card
        if before != details.change.card:
            return True  # otherwise an earlier one restored it
        approvals, failures = self._channels(details)
        if before.ts and isinstance(error, MessageGone):
            there = before.channel
        else:  # there is always somebody: approvers, the failure channel, and at last the requester in private
            there = _after(before.channel, *approvals, *failures, change.requester)
        if not there or len(await tx.outbox.former(change.id, Topic.CARD)) >= _most_moves(approvals, failures):
            return False
        await tx.changes.put(change.id, card=MessageRef(channel=there))
        await self._notify.card(tx, change.id)
        await self._notify.former(tx, change.id, Topic.CARD, before)
        if before.ts and there != before.channel:
            await self._notify.failure(tx, change.id, "rerouted", each=before.channel, why=error.message)
        return True

    async def _move_request(
        self, tx: Transaction, message: OutboxMessage, details: ChangeDetails, error: DeliveryRefused
    ) -> bool:
        """Request approval again in the same channel or the next one; when there is none, tell the requester."""
        change = await tx.changes.hold(message.change)
        before = change.approval_card
        if before != details.change.approval_card:
            return True
        gone = before.ts and isinstance(error, MessageGone)
        approvals, failures = self._channels(details)
        there = before.channel if gone else _after(before.channel, *approvals, *failures)
        if not there or len(await tx.outbox.former(change.id, Topic.APPROVAL_CARD)) >= _most_moves(approvals, failures):
            await self._unasked(tx, message, error)
            return False
        await tx.changes.put(change.id, approval_card=MessageRef(channel=there))
        await self._notify.cards(tx, change.id)
        await self._notify.former(tx, change.id, Topic.APPROVAL_CARD, before)
        return True

    def _channels(self, details: ChangeDetails) -> tuple[tuple[str, str], tuple[str, str]]:
        """Return where approval of the change is requested, and where its failures are reported.

        Each is a pair: the channel that its rule sets, and the channel that would apply otherwise.
        """
        rule, variables = details.policy, self._context.policies.fallback
        return (
            (rule.approval_channel, variables.approval_channel),
            (rule.failure_channel, variables.failure_channel),
        )

    async def _unasked(self, tx: Transaction, message: OutboxMessage, error: DeliveryRefused) -> None:
        if (await tx.changes.get(message.change)).state is ChangeState.AWAITING_APPROVAL:
            await self._notify.failure(tx, message.change, "unasked", why=error.message)


def _look_pause(message: OutboxMessage) -> timedelta:
    return min(timedelta(seconds=2.0 ** min(message.attempts, 10)), NOWHERE_WAIT)


def _place(message: OutboxMessage, details: ChangeDetails) -> MessageRef:
    """Return where a message belongs."""
    if message.topic is Topic.FAILURE:
        return MessageRef(channel=message.channel or details.policy.failure_channel)
    return (
        details.change.approval_card if message.topic in {Topic.APPROVAL_CARD, Topic.REMINDER} else details.change.card
    )


def _most_moves(*channels: tuple[str, str]) -> int:
    """Return how often a card may be left behind; each of ``channels`` is a rule's channel and the general one."""
    return MOST_MOVES + sum(1 for own, usual in channels if own != usual)


def _after(present: str, *places: str) -> str:
    """Return the place after ``present``, the first if it is none of them, or nothing after the last."""
    known = list(dict.fromkeys(places))
    if present.startswith("D"):  # a message posted to a person's id comes back with the id of the conversation
        return ""
    following = known[known.index(present) + 1 :] if present in known else known
    return following[0] if following else ""
