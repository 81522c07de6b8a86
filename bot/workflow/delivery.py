"""Delivering the outbox: each message once, the card always in its latest state, and somewhere people see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog

from bot.changes.model.messages import STANDING, MessageRef, OutboxMessage, Topic
from bot.errors import DeliveryPostponed, DeliveryRefused, DeliveryUnknown, TokenLost
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.health import Health
from bot.workflow.notifications import Notifications
from bot.workflow.ports import CUT_OFF_WAIT, LOOKUP_AFTER, ChangeDetails, Messenger
from bot.workflow.queries.change_details import ChangeDetailsReader
from bot.workflow.rate_limiter import SharedRateLimiter
from bot.workflow.rerouting import Rerouting

log = structlog.get_logger(__name__)

#: First pause after a message that may or may not have arrived; it is looked for before it is sent again.
FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)
#: Pause before a token that Slack no longer accepts is tried again.
TOKEN_WAIT = timedelta(seconds=30)
#: Slack may still carry out an unanswered edit after a later one. So the message is edited once more after this many
#: pauses of the card, by default 30 seconds, longer than a call may take. Then a late stale edit never has the last
#: word.
CONFIRM_AFTER = 10
#: Edits per second and at once, then the same for urgent edits: Slack takes 50 a minute from the whole workspace
#: (slack/API.md, "Rate limits"). Requests for approval and final states have a share of their own, so that they do not
#: wait behind the progress of 500 jobs.
EDIT_RATE, EDIT_BURST = 24 / 60, 10
URGENT_EDIT_RATE, URGENT_EDIT_BURST = 10 / 60, 6
#: How long the ack of the form can still cover the plan in its modal: Slack applies an ack when it receives it, up to 3
#: s after the submission, and so perhaps after an update that was sent later (slack/API.md, "Deadlines").
COVERED_FOR = timedelta(seconds=3.2)


class MessageDelivery:
    """Delivers claimed messages to Slack and notes the result."""

    def __init__(
        self,
        context: Context,
        change_details: ChangeDetailsReader,
        messenger: Messenger,
        notifications: Notifications,
        worker: str,
    ) -> None:
        self._context = context
        self._change_details = change_details
        self._messenger = messenger
        self._notify = notifications
        self._rerouting = Rerouting(context, messenger, notifications, worker)
        self._worker = worker
        self._edits = SharedRateLimiter(context.database, "slack:edits", rate=EDIT_RATE, burst=EDIT_BURST)
        self._urgent_edits = SharedRateLimiter(
            context.database, "slack:urgent_edits", rate=URGENT_EDIT_RATE, burst=URGENT_EDIT_BURST
        )

    async def deliver(self, message: OutboxMessage) -> None:
        """Deliver one claimed message, or postpone it, or give it up."""
        details = await self._change_details.told(message)
        looked = not message.interrupted
        try:
            place = await self._arrived_already(message, details)
            if place is None and message.cut_off and _is_new(message, details):
                # The previous worker may have died a moment ago, so not finding the message proves nothing yet.
                await self._postpone(message, CUT_OFF_WAIT, "It may yet arrive.", surely_unsent=False, settled=True)
                return
            looked = True
            if place is not None and message.topic in STANDING:
                # The found message shows an old state. Its place is kept before it is brought up to date.
                async with self._context.database.transaction() as tx:
                    await self._put_place(tx, message, details, place)
                details, place = await self._change_details.read(message.change), None
            if place is None:
                await self._take_turn(message, details)
                sheet = await self._change_details.sheet(message)
                place = await self._messenger.deliver(message, details, sheet)
        except TokenLost as error:
            self._context.health.begin(Health.SLACK, error.message)
            await self._postpone(message, TOKEN_WAIT, error.message, surely_unsent=looked, settled=looked)
        except DeliveryPostponed as error:
            # Not surely unsent when Slack did not even let us look for an earlier attempt.
            wait = timedelta(seconds=error.wait)
            await self._postpone(message, wait, error.message, surely_unsent=looked, settled=looked)
            await self._say_on_card(message)
        except DeliveryUnknown as error:
            pause = min(FIRST_RETRY * 2 ** min(message.attempts, 10), LONGEST_RETRY)
            if looked and not _is_edit(message, details):
                pause = max(pause, LOOKUP_AFTER)
            await self._postpone(message, pause, error.message, surely_unsent=False, settled=looked)
        except DeliveryRefused as error:
            await self._rerouting.refused(message, details, error, look=not looked)
        else:
            self._context.health.end(Health.SLACK)
            await self._arrived(message, details, place)

    async def _say_on_card(self, message: OutboxMessage) -> None:
        """Have the card say what the thread waits for, when Slack makes it wait."""
        if message.topic not in STANDING and self._context.slack.waits():
            async with self._context.database.transaction() as tx:
                await self._notify.card(tx, message.change)

    async def _arrived_already(self, message: OutboxMessage, details: ChangeDetails) -> MessageRef | None:
        """Return where an interrupted attempt to post the message arrived; None when it did not."""
        if not (message.interrupted and _is_new(message, details)):
            return None
        async with self._context.database.reading() as tx:
            former = await tx.outbox.former(message.change, message.topic)
        place = await self._messenger.find(message, details, former)
        if place is not None:
            log.info("message had arrived", key=message.key)
        return place

    async def _put_place(
        self, tx: Transaction, message: OutboxMessage, details: ChangeDetails, place: MessageRef
    ) -> None:
        """Note where a card is, unless it was given another place while this message was being delivered."""
        if message.topic not in {Topic.CARD, Topic.APPROVAL_CARD}:
            return
        before = _standing_place(message, details)
        if _standing_place(message, replace(details, change=await tx.changes.hold(message.change))) == before:
            await tx.changes.put(message.change, **{message.topic.value: place})
        elif not before.ts:
            await self._notify.former(tx, message.change, message.topic, place)

    async def _take_turn(self, message: OutboxMessage, details: ChangeDetails) -> None:
        """Raise DeliveryPostponed when the message is an edit that exceeds the workspace's budget now."""
        if not _is_edit(message, details):
            return
        urgent = message.topic is Topic.APPROVAL_CARD or details.change.state.over
        rate_limiter = self._urgent_edits if urgent else self._edits
        if wait := await rate_limiter.wait(message.key, self._context.clock()):
            raise DeliveryPostponed("The rate limit for edits is reached.", code="edits", wait=wait.total_seconds())

    async def _arrived(self, message: OutboxMessage, details: ChangeDetails, place: MessageRef) -> None:
        now = self._context.clock()
        covered = self._may_be_covered(message, details)
        confirm = self._confirm_after(message, details, covered=covered)
        async with self._context.database.transaction() as tx:
            await self._put_place(tx, message, details, place)
            await tx.deliveries.sent(
                message,
                owner=self._worker,
                now=now,
                pause=self._context.timing.card,
                confirm=confirm,
                covered=covered,
            )
        # The thread below a card may go out now that the card is there.
        self._context.outbox_wakeup.ring()

    def _confirm_after(self, message: OutboxMessage, details: ChangeDetails, *, covered: bool) -> timedelta | None:
        """Return after what time the message is delivered once more, because an older one may still cover it."""
        if message.topic is Topic.PREVIEW:
            rest = details.change.created_at + COVERED_FOR - self._context.clock()
            return rest if timedelta(0) < rest <= COVERED_FOR else None
        if message.topic is Topic.CARD and (waits := details.waits_for_slack):
            # The card says until when Slack makes it wait; after that it must no longer say so.
            return max(waits.values()) - self._context.clock() + self._context.timing.card
        return CONFIRM_AFTER * self._context.timing.card if covered else None

    def _may_be_covered(self, message: OutboxMessage, details: ChangeDetails) -> bool:
        """Tell whether an unanswered edit may still arrive after this one.

        That is possible until an edit is delivered at its first attempt, and that long after the previous attempt: this
        also covers anything that was changed and shown in between.
        """
        if not (message.interrupted and _is_edit(message, details)):
            return False
        late = CONFIRM_AFTER * self._context.timing.card
        first = message.attempts == 2  # any later attempt may be covered again
        return not (first and message.sent_at is not None and self._context.clock() - message.sent_at >= late)

    async def _postpone(
        self, message: OutboxMessage, pause: timedelta, why: str, *, surely_unsent: bool, settled: bool
    ) -> None:
        until = self._context.clock() + pause
        async with self._context.database.transaction() as tx:
            await tx.deliveries.postpone(
                message, owner=self._worker, until=until, error=why, surely_unsent=surely_unsent, settled=settled
            )
        log.info("message postponed", key=message.key, seconds=pause.total_seconds(), why=why)


def _standing_place(message: OutboxMessage, details: ChangeDetails) -> MessageRef:
    return details.change.card if message.topic is Topic.CARD else details.change.approval_card


def _is_new(message: OutboxMessage, details: ChangeDetails) -> bool:
    """Tell whether the delivery posts a new message, which would be there twice if it were repeated."""
    return message.topic not in STANDING or (
        message.topic is not Topic.PREVIEW and not _standing_place(message, details).ts
    )


def _is_edit(message: OutboxMessage, details: ChangeDetails) -> bool:
    standing = message.topic in STANDING and message.topic is not Topic.PREVIEW
    return standing and bool(_standing_place(message, details).ts)
