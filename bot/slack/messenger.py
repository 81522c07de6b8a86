"""Delivering messages to Slack, and finding out whether an interrupted one arrived."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

import structlog

from bot.changes.messages import Message, Topic
from bot.changes.records import Change, Place
from bot.errors import ChannelLost, ContentRefused, DeliveryError, DeliveryPostponed, DeliveryRefused, TokenLost
from bot.slack.calls import call
from bot.slack.client import Client
from bot.slack.history import History
from bot.slack.mail import SlackMail
from bot.slack.marks import key_of, mark
from bot.slack.uploads import Uploads
from bot.slack.views.approval_card import approval_card, approval_text
from bot.slack.views.card import card, card_text
from bot.slack.views.elements import Block, shortened
from bot.slack.views.lines import failure, former, line, reminder
from bot.slack.views.preview import preview, unshown
from bot.workflow.ports import Story

log = structlog.get_logger(__name__)

#: Seconds between two looks whether the card that takes another's place is there.
_SUCCESSOR_WAIT: Final = 5.0
#: Refusals of a message that a shorter one does not meet. Limits of whole messages are not all documented
#: (API.md, "Lengths of texts and elements"), so they are met rather than computed.
_TOO_LONG: Final = frozenset({"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format"})


class SlackMessenger:
    """Implements :class:`bot.workflow.ports.Messenger`."""

    def __init__(self, client: Client, mail: SlackMail, *, failure_channel: str) -> None:
        self._client = client
        self._mail = mail
        self._history = History(client)
        self._uploads = Uploads(client)
        self._failure_channel = failure_channel

    async def deliver(self, message: Message, story: Story, sheet: bytes | None) -> Place:
        """Post or edit ``message`` and return where it is."""
        match message.topic:
            case Topic.PREVIEW:
                await self._preview(message, story)
                return Place()
            case Topic.CARD:
                return await self._standing(message, story.change.card, card_text(story), card(story))
            case Topic.APPROVAL_CARD:
                place = story.change.approval_card
                return await self._standing(message, place, approval_text(story), approval_card(story))
            case Topic.THREAD:
                text, blocks = line(story, message.data)
                return await self._post(message, story.change.card.channel, text, blocks, story.change.card.ts)
            case Topic.PLAN | Topic.RESULTS:
                return await self._upload(message, story, sheet or b"")
            case Topic.SHEET:
                return await self._hand_back(story, sheet or b"")
            case Topic.REMINDER:
                text, blocks = reminder(story)
                place = story.change.approval_card
                return await self._post(message, place.channel, text, blocks, place.ts or None)
            case Topic.FAILURE:
                text, blocks = failure(story, message.data, await self._link(story.change.card))
                return await self._post(message, message.channel or self._failure_channel, text, blocks)
            case Topic.FORMER:
                return await self._forward(message, story)

    async def _preview(self, message: Message, story: Story) -> None:
        """Show in the modal how far the plan is; whoever waits there reads it when Slack does not take the plan."""
        place = story.change.view
        try:
            view = preview(story, str(message.data.get("progress", "")))
            await call(self._client.views_update(view_id=place, view=view))
        except DeliveryRefused as error:
            if error.code == "not_found" or isinstance(error, TokenLost):
                raise
            log.warning("slack refused a plan", change=story.change.id, code=error.code, why=error.message)
            await call(self._client.views_update(view_id=place, view=unshown(story.change)))

    async def _standing(self, message: Message, place: Place, text: str, blocks: Sequence[Block]) -> Place:
        if not place.ts:
            return await self._post(message, place.channel, text, blocks)

        async def edit(text: str, blocks: Sequence[Block]) -> Place:
            await call(self._client.chat_update(channel=place.channel, ts=place.ts, text=text, blocks=list(blocks)))
            return place

        return await _fitting(edit, text, blocks)

    async def _post(
        self, message: Message, channel: str, text: str, blocks: Sequence[Block], thread: str | None = None
    ) -> Place:
        async def post(text: str, blocks: Sequence[Block]) -> Place:
            answer = await call(
                self._client.chat_postMessage(
                    channel=channel,
                    text=text,
                    blocks=list(blocks),
                    thread_ts=thread,
                    metadata=mark(message.key),
                    unfurl_links=False,
                    unfurl_media=False,
                )
            )
            return Place(channel=str(answer["channel"]), ts=str(answer["ts"]))

        return await _fitting(post, text, blocks)

    async def _conversation(self, place: str) -> str:
        """Return the id of the conversation that ``place`` is: a channel itself, or the one with a person."""
        if not place.startswith(("U", "W")):
            return place
        answer = await call(self._client.conversations_open(users=[place]))
        return str(answer["channel"]["id"])

    async def _upload(self, message: Message, story: Story, sheet: bytes) -> Place:
        place = story.change.card
        await self._uploads.share(sheet_name(message, story), sheet, channel=place.channel, thread=place.ts)
        return place

    async def _forward(self, message: Message, story: Story) -> Place:
        """Edit a card that was left behind: it says where its successor is, and has no buttons."""
        what = Topic(message.data["what"])
        successor = story.change.card if what is Topic.CARD else story.change.approval_card
        if not successor.ts:
            raise DeliveryPostponed("There is no new card yet.", code="no_successor", wait=_SUCCESSOR_WAIT)
        place = Place(channel=str(message.data["channel"]), ts=str(message.data["ts"]))
        text, blocks = former(story.change, what, successor, await self._link(successor))
        await call(
            self._client.chat_update(
                channel=place.channel, ts=place.ts, text=text, blocks=blocks, metadata=mark(message.key)
            )
        )
        return place

    async def _hand_back(self, story: Story, sheet: bytes) -> Place:
        change = story.change
        form = "xlsx" if sheet.startswith(b"PK") else "csv"
        name = next(name for name in marked_names(change) if name.endswith(form))
        text = (
            f"{change.public_id}: your sheet, with what is wrong in its column “Errors”. Put the rows right, press "
            "“Edit” in the form or start anew with /numbers, and upload it again; the column may stay."
        )
        await self._mail.send(change.requester, name, sheet, text)
        return Place()

    async def _link(self, place: Place) -> str:
        """Return the address of the card; empty when Slack does not tell, for a notice without a link still helps."""
        if not place.ts:
            return ""
        try:
            answer = await call(self._client.chat_getPermalink(channel=place.channel, message_ts=place.ts))
        except DeliveryError:
            return ""
        return str(answer["permalink"])

    async def find(self, message: Message, story: Story, besides: Collection[Place] = ()) -> Place | None:
        """Return where an interrupted message arrived; None when it did not. It is looked for since its first attempt.

        Messages at the places ``besides`` are older ones of the same name.
        """
        change = story.change
        match message.topic:
            case Topic.CARD:
                return await self._find_in_channel(message, change.card.channel, besides)
            case Topic.APPROVAL_CARD:
                return await self._find_in_channel(message, change.approval_card.channel, besides)
            case Topic.REMINDER:
                return await self._find_below(message, story, change.approval_card)
            case Topic.FAILURE:
                return await self._find_in_channel(message, message.channel or self._failure_channel, besides)
            case Topic.THREAD | Topic.PLAN | Topic.RESULTS:
                return await self._find_below(message, story, change.card)
            case Topic.SHEET:
                names = marked_names(change)
                return (
                    Place() if await self._mail.arrived(change.requester, names, message.key, message.floor) else None
                )
            case Topic.PREVIEW | Topic.FORMER:
                return None

    async def _find_in_channel(self, message: Message, place: str, besides: Collection[Place]) -> Place | None:
        channel = await self._conversation(place)
        async for each in self._history.channel(channel, message.floor):
            found = Place(channel=channel, ts=str(each["ts"]))
            if key_of(each) == message.key and found not in besides:
                return found
        return None

    async def _find_below(self, message: Message, story: Story, place: Place) -> Place | None:
        if not place.ts:
            return await self._find_in_channel(message, place.channel, ())
        names = (sheet_name(message, story),)
        async for each in self._history.thread(place.channel, place.ts, message.floor):
            if key_of(each) == message.key or self._mail.is_shared(each, names):
                return place
        return None

    async def lost(self, channel: str) -> bool:
        """Tell whether the bot can post in ``channel`` no more; raises DeliveryError when Slack does not say."""
        if channel.startswith(("U", "W", "D")):
            return False
        try:
            info = (await call(self._client.conversations_info(channel=channel)))["channel"]
        except ChannelLost:
            return True
        return bool(info.get("is_archived")) or not info.get("is_member")


async def _fitting(
    send: Callable[[str, Sequence[Block]], Awaitable[Place]], text: str, blocks: Sequence[Block]
) -> Place:
    """Send a message, and when Slack finds it too long a short one with the same buttons in its stead."""
    try:
        return await send(text, blocks)
    except ContentRefused as error:
        if error.code not in _TOO_LONG:
            raise
        return await send(*shortened(text, blocks))


def sheet_name(message: Message, story: Story) -> str:
    """Return the name of the file that goes with a message: ``CHG-42-plan.csv``."""
    return f"{story.change.public_id}-{message.topic.value}.{message.form.value}"


def marked_names(change: Change) -> tuple[str, ...]:
    """Return what a sheet may be called that is handed back; a change hands back one."""
    return tuple(f"{change.public_id}-errors.{form}" for form in ("csv", "xlsx"))
