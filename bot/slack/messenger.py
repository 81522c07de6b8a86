"""Delivering messages to Slack, and finding out whether an interrupted one arrived."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.messages import Message, Topic
from bot.changes.records import Change, Place
from bot.errors import DeliveryError, DeliveryRefused
from bot.slack.calls import call
from bot.slack.mail import SlackMail
from bot.slack.views.approval_card import approval_card, approval_text
from bot.slack.views.card import card, card_text
from bot.slack.views.elements import Block, shortened
from bot.slack.views.lines import failure, line, reminder
from bot.slack.views.preview import preview
from bot.workflow.ports import Story

#: The metadata event that marks our messages. Its payload holds the outbox key only: anybody in the workspace can
#: read metadata (docs.slack.dev/messaging/message-metadata).
EVENT: Final = "linesman_message"
#: How far Slack's clock and ours may be apart when a channel's history is searched.
SKEW: Final = timedelta(minutes=2)
#: Pages of 200 messages read in a search. An interrupted message is searched for soon after it was sent.
PAGES: Final = 10
#: Refusals of a message that a shorter one does not meet. Limits of whole messages are not all documented
#: (slack.md 1.3), so they are met rather than computed.
_TOO_LONG: Final = frozenset({"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format"})


class SlackMessenger:
    """Implements :class:`bot.workflow.ports.Messenger`."""

    def __init__(self, client: AsyncWebClient, mail: SlackMail, *, failure_channel: str) -> None:
        self._client = client
        self._mail = mail
        self._failure_channel = failure_channel

    async def deliver(self, message: Message, story: Story, sheet: bytes | None) -> Place:
        """Post or edit ``message`` and return where it is."""
        match message.topic:
            case Topic.PREVIEW:
                view = preview(story, str(message.data.get("progress", "")))
                await call(self._client.views_update(view_id=story.change.view, view=view))
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
                    metadata={"event_type": EVENT, "event_payload": {"key": message.key}},
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
        name = sheet_name(message, story)
        await call(
            self._client.files_upload_v2(
                filename=name, title=name, content=sheet, channel=place.channel, thread_ts=place.ts
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

    async def find(self, message: Message, story: Story) -> Place | None:
        """Return where an interrupted message arrived; None when it did not."""
        change = story.change
        match message.topic:
            case Topic.CARD:
                channel = await self._conversation(change.card.channel)
                return await self._find_in_channel(message.key, channel, change.created_at)
            case Topic.APPROVAL_CARD:
                return await self._find_in_channel(message.key, change.approval_card.channel, change.created_at)
            case Topic.REMINDER:
                return await self._find_in_thread(message, story, change.approval_card)
            case Topic.FAILURE:
                channel = await self._conversation(message.channel or self._failure_channel)
                return await self._find_in_channel(message.key, channel, change.created_at)
            case Topic.THREAD | Topic.PLAN | Topic.RESULTS:
                return await self._find_in_thread(message, story, change.card)
            case Topic.SHEET:
                arrived = await self._mail.arrived(change.requester, marked_names(change), change.created_at)
                return Place() if arrived else None
            case Topic.PREVIEW:
                return None

    async def _find_in_channel(self, key: str, channel: str, since: datetime) -> Place | None:
        oldest = f"{(since - SKEW).timestamp():.6f}"
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await call(
                self._client.conversations_history(
                    channel=channel, oldest=oldest, include_all_metadata=True, limit=200, cursor=cursor
                )
            )
            for each in answer["messages"]:
                if _key(each) == key:
                    return Place(channel=channel, ts=str(each["ts"]))
            cursor = answer.get("response_metadata", {}).get("next_cursor") or None
            if cursor is None:
                return None
        raise DeliveryRefused(f"Too much was said in {channel} since to find out whether {key} arrived.")

    async def _find_in_thread(self, message: Message, story: Story, place: Place) -> Place | None:
        answer = await call(
            self._client.conversations_replies(channel=place.channel, ts=place.ts, include_all_metadata=True, limit=200)
        )
        for each in answer["messages"]:
            sheets = [file.get("name") for file in each.get("files", [])]
            if sheet_name(message, story) in sheets or _key(each) == message.key:
                return place
        return None


async def _fitting(
    send: Callable[[str, Sequence[Block]], Awaitable[Place]], text: str, blocks: Sequence[Block]
) -> Place:
    """Send a message, and when Slack finds it too long a short one with the same buttons in its stead."""
    try:
        return await send(text, blocks)
    except DeliveryRefused as error:
        if error.code not in _TOO_LONG:
            raise
        return await send(*shortened(text, blocks))


def sheet_name(message: Message, story: Story) -> str:
    """Return the name of the file that goes with a message: ``CHG-42-plan.csv``."""
    return f"{story.change.public_id}-{message.topic.value}.{message.form.value}"


def marked_names(change: Change) -> tuple[str, ...]:
    """Return what a sheet may be called that is handed back; a change hands back one."""
    return tuple(f"{change.public_id}-errors.{form}" for form in ("csv", "xlsx"))


def _key(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT:
        return ""
    return str(metadata.get("event_payload", {}).get("key", ""))
