"""Delivering messages to Slack, and finding out whether an interrupted one arrived."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

import structlog

from bot.changes.model.change import Change
from bot.changes.model.messages import MessageRef, OutboxMessage, Topic
from bot.errors import ChannelLost, ContentRefused, DeliveryError, DeliveryPostponed, DeliveryRefused, TokenLost
from bot.slack.client import Client
from bot.slack.direct_messages import SlackDirectMessages
from bot.slack.files import FileUploads
from bot.slack.history import History, key_of, mark
from bot.slack.views.approval_card import approval_card, approval_text
from bot.slack.views.card import card, card_text
from bot.slack.views.elements import Block, shortened
from bot.slack.views.lines import failure, former, line, reminder
from bot.slack.views.preview import preview, unshown
from bot.slack.web_api import call
from bot.workflow.ports import ChangeDetails

log = structlog.get_logger(__name__)

#: Seconds between two checks whether the card that replaces another is there.
_SUCCESSOR_WAIT: Final = 5.0
#: Errors of a message that a shorter one does not get. Limits of whole messages are not all documented (API.md,
#: "Lengths of texts and elements"), so they are discovered rather than computed.
_TOO_LONG: Final = frozenset({"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format"})


class SlackMessenger:
    """Implements :class:`bot.workflow.ports.Messenger`."""

    def __init__(self, client: Client, direct_messages: SlackDirectMessages) -> None:
        self._client = client
        self._direct_messages = direct_messages
        self._history = History(client)
        self._uploads = FileUploads(client)

    async def deliver(self, message: OutboxMessage, details: ChangeDetails, sheet: bytes | None) -> MessageRef:
        """Post or edit ``message`` and return where it is."""
        match message.topic:
            case Topic.PREVIEW:
                await self._preview(message, details)
                return MessageRef()
            case Topic.CARD:
                return await self._standing(message, details.change.card, card_text(details), card(details))
            case Topic.APPROVAL_CARD:
                place = details.change.approval_card
                return await self._standing(message, place, approval_text(details), approval_card(details))
            case Topic.THREAD:
                text, blocks = line(details, message.data)
                return await self._post(message, details.change.card.channel, text, blocks, details.change.card.ts)
            case Topic.PLAN | Topic.RESULTS:
                return await self._upload(message, details, sheet or b"")
            case Topic.SHEET:
                return await self._hand_back(details, sheet or b"")
            case Topic.REMINDER:
                text, blocks = reminder(details, message.data)
                place = details.change.approval_card
                return await self._post(message, place.channel, text, blocks, place.ts or None)
            case Topic.FAILURE:
                text, blocks = failure(details, message.data, await self._link(details.change.card))
                channel = message.channel or details.policy.failure_channel
                return await self._post(message, channel, text, blocks)
            case Topic.FORMER:
                return await self._forward(message, details)

    async def _preview(self, message: OutboxMessage, details: ChangeDetails) -> None:
        """Show the plan's progress in the modal, and tell the person there if Slack does not accept the plan."""
        place = details.change.view
        try:
            view = preview(details, str(message.data.get("progress", "")))
            await call(self._client.views_update(view_id=place, view=view))
        except DeliveryRefused as error:
            if error.code == "not_found" or isinstance(error, TokenLost):
                raise
            log.warning("slack refused a plan", change=details.change.id, code=error.code, why=error.message)
            await call(self._client.views_update(view_id=place, view=unshown(details.change)))

    async def _standing(
        self, message: OutboxMessage, place: MessageRef, text: str, blocks: Sequence[Block]
    ) -> MessageRef:
        if not place.ts:
            return await self._post(message, place.channel, text, blocks)

        async def edit(text: str, blocks: Sequence[Block]) -> MessageRef:
            await call(self._client.chat_update(channel=place.channel, ts=place.ts, text=text, blocks=list(blocks)))
            return place

        return await _fitting(edit, text, blocks)

    async def _post(
        self, message: OutboxMessage, channel: str, text: str, blocks: Sequence[Block], thread: str | None = None
    ) -> MessageRef:
        async def post(text: str, blocks: Sequence[Block]) -> MessageRef:
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
            return MessageRef(channel=str(answer["channel"]), ts=str(answer["ts"]))

        return await _fitting(post, text, blocks)

    async def _conversation(self, place: str) -> str:
        """Return the id of the conversation at ``place``: a channel itself, or the direct message with a person."""
        if not place.startswith(("U", "W")):
            return place
        answer = await call(self._client.conversations_open(users=[place]))
        return str(answer["channel"]["id"])

    async def _upload(self, message: OutboxMessage, details: ChangeDetails, sheet: bytes) -> MessageRef:
        place = details.change.card
        await self._uploads.share(sheet_name(message, details), sheet, channel=place.channel, thread=place.ts)
        return place

    async def _forward(self, message: OutboxMessage, details: ChangeDetails) -> MessageRef:
        """Edit a card that was left behind: it says where its successor is, and has no buttons."""
        what = Topic(message.data["what"])
        successor = details.change.card if what is Topic.CARD else details.change.approval_card
        if not successor.ts:
            raise DeliveryPostponed("There is no new card yet.", code="no_successor", wait=_SUCCESSOR_WAIT)
        place = MessageRef(channel=str(message.data["channel"]), ts=str(message.data["ts"]))
        text, blocks = former(details.change, what, successor, await self._link(successor))
        await call(
            self._client.chat_update(
                channel=place.channel, ts=place.ts, text=text, blocks=blocks, metadata=mark(message.key)
            )
        )
        return place

    async def _hand_back(self, details: ChangeDetails, sheet: bytes) -> MessageRef:
        change = details.change
        form = "xlsx" if sheet.startswith(b"PK") else "csv"
        name = next(name for name in marked_names(change) if name.endswith(form))
        text = (
            f"{change.public_id}: your sheet; its column “Errors” says what is wrong. Fix the rows, press "
            "“Edit” in the form or start again with /numbers, and upload it again. The column can stay."
        )
        await self._direct_messages.send(change.requester, name, sheet, text)
        return MessageRef()

    async def _link(self, place: MessageRef) -> str:
        """Return the address of the card; empty if Slack does not tell, as a notice without a link still helps."""
        if not place.ts:
            return ""
        try:
            answer = await call(self._client.chat_getPermalink(channel=place.channel, message_ts=place.ts))
        except DeliveryError:
            return ""
        return str(answer["permalink"])

    async def find(
        self, message: OutboxMessage, details: ChangeDetails, besides: Collection[MessageRef] = ()
    ) -> MessageRef | None:
        """Return where an interrupted message arrived; None if it did not. The search begins at its first attempt.

        Messages at the places ``besides`` are older ones with the same name.
        """
        change = details.change
        match message.topic:
            case Topic.CARD:
                return await self._find_in_channel(message, change.card.channel, besides)
            case Topic.APPROVAL_CARD:
                return await self._find_in_channel(message, change.approval_card.channel, besides)
            case Topic.REMINDER:
                return await self._find_below(message, details, change.approval_card)
            case Topic.FAILURE:
                channel = message.channel or details.policy.failure_channel
                return await self._find_in_channel(message, channel, besides)
            case Topic.THREAD | Topic.PLAN | Topic.RESULTS:
                return await self._find_below(message, details, change.card)
            case Topic.SHEET:
                names = marked_names(change)
                return (
                    MessageRef()
                    if await self._direct_messages.arrived(change.requester, names, message.key, message.floor)
                    else None
                )
            case Topic.PREVIEW | Topic.FORMER:
                return None

    async def _find_in_channel(
        self, message: OutboxMessage, place: str, besides: Collection[MessageRef]
    ) -> MessageRef | None:
        channel = await self._conversation(place)
        async for each in self._history.channel(channel, message.floor):
            found = MessageRef(channel=channel, ts=str(each["ts"]))
            if key_of(each) == message.key and found not in besides:
                return found
        return None

    async def _find_below(self, message: OutboxMessage, details: ChangeDetails, place: MessageRef) -> MessageRef | None:
        if not place.ts:
            return await self._find_in_channel(message, place.channel, ())
        names = (sheet_name(message, details),)
        async for each in self._history.thread(place.channel, place.ts, message.floor):
            if key_of(each) == message.key or self._direct_messages.is_shared(each, names):
                return place
        return None

    async def lost(self, channel: str) -> bool:
        """Tell whether the bot can no longer post in ``channel``; raises DeliveryError if Slack does not answer."""
        if channel.startswith(("U", "W", "D")):
            return False
        try:
            info = (await call(self._client.conversations_info(channel=channel)))["channel"]
        except ChannelLost:
            return True
        return bool(info.get("is_archived")) or not info.get("is_member")


async def _fitting(
    send: Callable[[str, Sequence[Block]], Awaitable[MessageRef]], text: str, blocks: Sequence[Block]
) -> MessageRef:
    """Send a message; if Slack finds it too long, send a short one with the same buttons instead."""
    try:
        return await send(text, blocks)
    except ContentRefused as error:
        if error.code not in _TOO_LONG:
            raise
        return await send(*shortened(text, blocks))


def sheet_name(message: OutboxMessage, details: ChangeDetails) -> str:
    """Return the name of the file that goes with a message: ``CHG-42-plan.csv``; a later plan's name says so."""
    plan = f"-{message.data['plan']}" if "plan" in message.data else ""
    return f"{details.change.public_id}-{message.topic.value}{plan}.{message.form.value}"


def marked_names(change: Change) -> tuple[str, ...]:
    """Return the possible names of a returned sheet; a change returns only one."""
    return tuple(f"{change.public_id}-errors.{form}" for form in ("csv", "xlsx"))
