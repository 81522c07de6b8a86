"""Delivering what is in the outbox: each message once, the card always in its latest state."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.changes.messages import STANDING, Message, Topic
from bot.changes.records import Place
from bot.errors import DeliveryPostponed, DeliveryRefused, DeliveryUnknown
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.ports import Messenger, Story
from bot.workflow.stories import Stories

log = structlog.get_logger(__name__)

#: Pauses after a message that may or may not have arrived; it is looked for before it is sent again.
FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)


class Delivery:
    """Takes claimed messages to Slack and notes what became of them."""

    def __init__(self, context: Context, stories: Stories, messenger: Messenger, worker: str) -> None:
        self._context = context
        self._stories = stories
        self._messenger = messenger
        self._worker = worker

    async def deliver(self, message: Message) -> None:
        """Deliver one claimed message, or give it back, or give it up."""
        story = await self._stories.read(message.change)
        try:
            place = await self._place(message, story)
        except DeliveryPostponed as error:
            await self._postpone(message, timedelta(seconds=error.wait), error.message, surely_unsent=True)
        except DeliveryUnknown as error:
            pause = min(FIRST_RETRY * 2 ** min(message.attempts, 10), LONGEST_RETRY)
            await self._postpone(message, pause, error.message, surely_unsent=False)
        except DeliveryRefused as error:
            await self._refused(message, story, error)
        else:
            await self._arrived(message, place)

    async def _place(self, message: Message, story: Story) -> Place:
        """Return where the message is, sending it unless an interrupted attempt turns out to have arrived."""
        new = message.topic not in STANDING or (
            message.topic is not Topic.PREVIEW and not _standing_place(message, story).ts
        )
        if message.interrupted and new:
            place = await self._found(message, story)
            if place is not None:
                log.info("message had arrived", key=message.key)
                if message.topic not in STANDING:
                    return place
                # It shows how things stood when it was posted. Its place is kept before it is brought up to date.
                async with self._context.database.transaction() as tx:
                    await self._put_place(tx, message, place)
                story = await self._stories.read(message.change)
        sheet = await self._stories.sheet(message.change, message.topic)
        return await self._messenger.deliver(message, story, sheet)

    async def _found(self, message: Message, story: Story) -> Place | None:
        """Return where an interrupted attempt arrived; None when it did not."""
        try:
            return await self._messenger.find(message, story)
        except DeliveryPostponed as error:
            # The search is put off, not the message: whether that arrived is still not known.
            raise DeliveryUnknown(error.message, code=error.code) from error

    async def _put_place(self, tx: Transaction, message: Message, place: Place) -> None:
        if message.topic is Topic.CARD:
            await tx.changes.put(message.change, card=place)
        elif message.topic is Topic.APPROVAL_CARD:
            await tx.changes.put(message.change, approval_card=place)

    async def _arrived(self, message: Message, place: Place) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            await self._put_place(tx, message, place)
            await tx.outbox.sent(message, owner=self._worker, now=now, pause=self._context.timing.card)
        # The thread below a card may go out now that the card is there.
        self._context.outbox_bell.ring()

    async def _postpone(self, message: Message, pause: timedelta, why: str, *, surely_unsent: bool) -> None:
        until = self._context.clock() + pause
        async with self._context.database.transaction() as tx:
            await tx.outbox.postpone(message, owner=self._worker, until=until, error=why, surely_unsent=surely_unsent)
        log.info("message postponed", key=message.key, seconds=pause.total_seconds(), why=why)

    async def _refused(self, message: Message, story: Story, error: DeliveryRefused) -> None:
        """Slack will not take it as it is. A card finds another place, where somebody sees it; the rest is logged."""
        place = self._other_place(message, story, error)
        async with self._context.database.transaction() as tx:
            if place is not None:
                column = "card" if message.topic is Topic.CARD else "approval_card"
                await tx.changes.put(message.change, **{column: place})
                await tx.outbox.postpone(
                    message, owner=self._worker, until=self._context.clock(), error=error.message, surely_unsent=True
                )
            else:
                await tx.outbox.refuse(message, owner=self._worker, error=error.message)
            if message.topic is not Topic.PREVIEW:
                await tx.events.add(
                    message.change, "message_refused", at=self._context.clock(), key=message.key, code=error.code
                )
        log.error(
            "slack refused a message", key=message.key, code=error.code, why=error.message, moved=place is not None
        )
        self._context.outbox_bell.ring()

    def _other_place(self, message: Message, story: Story, error: DeliveryRefused) -> Place | None:
        """Return where a refused card goes: below a deleted one's channel anew, or else to the approval channel."""
        if message.topic not in {Topic.CARD, Topic.APPROVAL_CARD}:
            return None
        place = _standing_place(message, story)
        if place.ts and error.code == "message_not_found":
            return Place(channel=place.channel)
        home = self._context.approval_channel
        return Place(channel=home) if message.topic is Topic.CARD and place.channel != home else None


def _standing_place(message: Message, story: Story) -> Place:
    return story.change.card if message.topic is Topic.CARD else story.change.approval_card
