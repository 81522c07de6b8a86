"""Delivering what is in the outbox: each message once, the card always in its latest state, and somewhere seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from bot.changes.lifecycle import ChangeState
from bot.changes.messages import STANDING, THREADED, Message, Topic
from bot.changes.records import Place
from bot.errors import DeliveryPostponed, DeliveryRefused, DeliveryUnknown, TokenLost
from bot.store.transaction import Transaction
from bot.workflow.announcements import Announcements
from bot.workflow.budget import Budget
from bot.workflow.context import Context
from bot.workflow.ports import Messenger, Story
from bot.workflow.stories import Stories
from bot.workflow.troubles import Troubles

log = structlog.get_logger(__name__)

#: Pauses after a message that may or may not have arrived; it is looked for before it is sent again.
FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)
#: Pause before a token that Slack does not accept any more is tried again.
TOKEN_WAIT = timedelta(seconds=30)
#: An edit that got no answer may still be carried out by Slack, after a later one. So many pauses of the card later,
#: 30 seconds as a rule, which is longer than a call may take, the message is edited once more, so that a late stale
#: edit never has the last word.
CONFIRM_AFTER = 10

#: Refusals of an edit or a reply because the message is not there, or not ours to edit any more: it is posted anew.
_MESSAGE_GONE: Final = frozenset(
    {"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed", "no_item_found"}
)
#: Refusals of what is in a message: another channel would refuse it as well.
_CONTENT: Final = frozenset(
    {
        "msg_too_long",
        "msg_blocks_too_long",
        "invalid_blocks",
        "invalid_blocks_format",
        "no_text",
        "missing_scope",
        "invalid_arguments",
        "metadata_too_large",
        "file_upload_size_restricted",
        "storage_limit_reached",
        "",  # not Slack's refusal but ours: it cannot be found out whether the message arrived
    }
)


class Delivery:
    """Takes claimed messages to Slack and notes what became of them."""

    def __init__(
        self, context: Context, stories: Stories, messenger: Messenger, announcements: Announcements, worker: str
    ) -> None:
        self._context = context
        self._stories = stories
        self._messenger = messenger
        self._say = announcements
        self._worker = worker
        # Slack takes 50 edits a minute from the whole workspace (slack.md 1.5). Requests for approval and last states
        # have a part of them for themselves, so that they do not wait behind the progress of 500 jobs.
        self._edits = Budget(rate=24 / 60, burst=10)
        self._urgent_edits = Budget(rate=10 / 60, burst=6)

    async def deliver(self, message: Message) -> None:
        """Deliver one claimed message, or give it back, or give it up."""
        story = await self._stories.read(message.change)
        looked = not message.interrupted
        try:
            place = await self._arrived_already(message, story)
            looked = True
            if place is not None and message.topic in STANDING:
                # It shows how things stood when it was posted. Its place is kept before it is brought up to date.
                async with self._context.database.transaction() as tx:
                    await self._put_place(tx, message, place)
                story, place = await self._stories.read(message.change), None
            if place is None:
                self._take_turn(message, story)
                sheet = await self._stories.sheet(message)
                place = await self._messenger.deliver(message, story, sheet)
        except TokenLost as error:
            self._context.troubles.begin(Troubles.SLACK, error.message)
            await self._postpone(message, TOKEN_WAIT, error.message, surely_unsent=looked)
        except DeliveryPostponed as error:
            # Not surely unsent when Slack did not even let us look whether an earlier attempt had arrived.
            await self._postpone(message, timedelta(seconds=error.wait), error.message, surely_unsent=looked)
        except DeliveryUnknown as error:
            pause = min(FIRST_RETRY * 2 ** min(message.attempts, 10), LONGEST_RETRY)
            await self._postpone(message, pause, error.message, surely_unsent=False)
        except DeliveryRefused as error:
            await self._refused(message, story, error)
        else:
            self._context.troubles.end(Troubles.SLACK)
            await self._arrived(message, story, place)

    async def _arrived_already(self, message: Message, story: Story) -> Place | None:
        """Return where an interrupted attempt to post the message turns out to have arrived; None when it did not."""
        new = message.topic not in STANDING or (
            message.topic is not Topic.PREVIEW and not _standing_place(message, story).ts
        )
        if not (message.interrupted and new):
            return None
        place = await self._messenger.find(message, story)
        if place is not None:
            log.info("message had arrived", key=message.key)
        return place

    async def _put_place(self, tx: Transaction, message: Message, place: Place) -> None:
        if message.topic is Topic.CARD:
            await tx.changes.put(message.change, card=place)
        elif message.topic is Topic.APPROVAL_CARD:
            await tx.changes.put(message.change, approval_card=place)

    def _take_turn(self, message: Message, story: Story) -> None:
        """Raise DeliveryPostponed when the message is an edit for which the workspace's budget has no room now."""
        if not _is_edit(message, story):
            return
        urgent = message.topic is Topic.APPROVAL_CARD or story.change.state.over
        budget = self._urgent_edits if urgent else self._edits
        if wait := budget.wait(message.key, self._context.clock()):
            raise DeliveryPostponed("The budget of edits is used up.", code="edits", wait=wait.total_seconds())

    async def _arrived(self, message: Message, story: Story, place: Place) -> None:
        now = self._context.clock()
        unsure = message.interrupted and _is_edit(message, story)
        confirm = CONFIRM_AFTER * self._context.timing.card if unsure else None
        async with self._context.database.transaction() as tx:
            await self._put_place(tx, message, place)
            await tx.outbox.sent(message, owner=self._worker, now=now, pause=self._context.timing.card, confirm=confirm)
        # The thread below a card may go out now that the card is there.
        self._context.outbox_bell.ring()

    async def _postpone(self, message: Message, pause: timedelta, why: str, *, surely_unsent: bool) -> None:
        until = self._context.clock() + pause
        # What became of an interrupted edit stays unclear until one was answered.
        unsent = surely_unsent and not (message.interrupted and message.topic in STANDING)
        async with self._context.database.transaction() as tx:
            await tx.outbox.postpone(message, owner=self._worker, until=until, error=why, surely_unsent=unsent)
        log.info("message postponed", key=message.key, seconds=pause.total_seconds(), why=why)

    async def _refused(self, message: Message, story: Story, error: DeliveryRefused) -> None:
        """Find another place, where somebody sees it; what is refused everywhere is written down and logged."""
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if message.topic is Topic.FAILURE:
                moved = await self._redirect(tx, message, error)
            elif message.topic in THREADED | {Topic.CARD}:
                moved = await self._move_card(tx, message, story, error)
            elif message.topic is Topic.APPROVAL_CARD:
                moved = await self._move_request(tx, message, error)
            else:
                moved = False
            if not moved:
                await tx.outbox.refuse(message, owner=self._worker, error=error.message)
            elif message.topic is not Topic.FAILURE:
                await tx.outbox.postpone(
                    message, owner=self._worker, until=now, error=error.message, surely_unsent=True
                )
            if message.topic is not Topic.PREVIEW:
                await tx.events.add(message.change, "message_refused", at=now, key=message.key, code=error.code)
        log.error("slack refused a message", key=message.key, code=error.code, why=error.message, moved=moved)
        self._context.outbox_bell.ring()

    async def _redirect(self, tx: Transaction, message: Message, error: DeliveryRefused) -> bool:
        """Send a notice to where it is seen instead."""
        here = message.channel or self._context.failure_channel
        there = self._notice_board(here, (await tx.changes.get(message.change)).requester)
        if error.code in _CONTENT or not there:
            self._context.troubles.begin(Troubles.SLACK, f"A notice cannot be delivered anywhere. {error.message}")
            return False
        now = self._context.clock()
        await tx.outbox.redirect(message, owner=self._worker, channel=there, now=now, error=error.message)
        return True

    async def _move_card(self, tx: Transaction, message: Message, story: Story, error: DeliveryRefused) -> bool:
        """Have the card posted anew, in its channel or in the next one; what is below it follows."""
        change = await tx.changes.get(message.change)
        if error.code in _CONTENT:
            if message.topic in {Topic.PLAN, Topic.RESULTS}:
                await self._say.failure(tx, change.id, "no_sheet", each=message.topic.value, why=error.message)
            return False
        if change.card != story.change.card:
            return True  # it moved while this was on its way
        if change.card.ts and error.code in _MESSAGE_GONE:
            there = change.card.channel
        else:
            there = self._home(change.card.channel, change.requester)
        if not there:
            self._context.troubles.begin(Troubles.SLACK, f"{change.public_id} can be shown nowhere. {error.message}")
            return False
        await tx.changes.put(change.id, card=Place(channel=there))
        await self._say.card(tx, change.id)
        if change.card.ts and there != change.card.channel:
            await self._say.failure(tx, change.id, "moved", each=change.card.channel, why=error.message)
        return True

    async def _move_request(self, tx: Transaction, message: Message, error: DeliveryRefused) -> bool:
        """Ask for approval anew in the same channel, or in the failure channel; when nowhere, the requester hears."""
        change = await tx.changes.get(message.change)
        if change.state is not ChangeState.AWAITING_APPROVAL:
            return False  # nothing is asked any more; who presses an old button is answered
        present, there = change.approval_card, ""
        if present.ts and error.code in _MESSAGE_GONE:
            there = present.channel
        elif present.channel != self._context.failure_channel and error.code not in _CONTENT:
            there = self._context.failure_channel
        if there:
            await tx.changes.put(change.id, approval_card=Place(channel=there))
        else:
            await self._say.failure(tx, change.id, "unasked", why=error.message)
        return bool(there)

    def _home(self, present: str, requester: str) -> str:
        """Return where a card goes that ``present`` refused; empty when every place has.

        There is always somebody: approvers, whoever hears of failures, and at last the requester in private.
        """
        return _after(present, self._context.approval_channel, self._context.failure_channel, requester)

    def _notice_board(self, present: str, requester: str) -> str:
        """Return where a notice goes that ``present`` refused; empty when every place has."""
        return _after(present, self._context.failure_channel, self._context.approval_channel, requester)


def _after(present: str, *places: str) -> str:
    """Return the place after ``present``, the first one when it is none of them, or nothing after the last."""
    known = list(dict.fromkeys(places))
    if present.startswith("D"):  # what was posted to a person's id comes back with the id of the conversation
        return ""
    following = known[known.index(present) + 1 :] if present in known else known
    return following[0] if following else ""


def _standing_place(message: Message, story: Story) -> Place:
    return story.change.card if message.topic is Topic.CARD else story.change.approval_card


def _is_edit(message: Message, story: Story) -> bool:
    standing = message.topic in STANDING and message.topic is not Topic.PREVIEW
    return standing and bool(_standing_place(message, story).ts)
