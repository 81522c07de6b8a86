"""The parts that every listener is given."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.changes.text.characters import visible
from bot.errors import ChannelLost, DeliveryError
from bot.slack.click_runner import Answer, ClickRunner
from bot.slack.direct_messages import SlackDirectMessages
from bot.slack.home_publisher import HomePublisher
from bot.slack.interactions import Interaction
from bot.slack.modals import Modals
from bot.slack.permalinks import Permalinks
from bot.slack.views.elements import View, escape, given_back, section
from bot.slack.views.preview import notice
from bot.slack.web_api import call
from bot.workflow.approval.approvals import Approvals
from bot.workflow.approval.asking import ApprovalRequests
from bot.workflow.approval.delegations import DelegationControl
from bot.workflow.approval.extensions import Extensions
from bot.workflow.authorization import Authorization
from bot.workflow.control.cancellation import Cancellation
from bot.workflow.control.freezes import FreezeControl
from bot.workflow.control.locks import LockControl
from bot.workflow.control.resolution import Resolution
from bot.workflow.execution.ending import ChangeEnd
from bot.workflow.execution.rollout import RolloutControl
from bot.workflow.planning.choices import Choices
from bot.workflow.planning.follow_ups import FollowUps
from bot.workflow.planning.requests import Requests
from bot.workflow.planning.templates import Templates
from bot.workflow.queries.audit_export import AuditExport
from bot.workflow.queries.change_details import ChangeDetailsReader
from bot.workflow.queries.lists import ChangeLists
from bot.workflow.queries.number_lookup import NumberLookup
from bot.workflow.queries.results import ResultsExport
from bot.workflow.queries.value_export import ValueExports

log = structlog.get_logger(__name__)

#: Most characters given back in one message: Slack accepts about 13,200 in all its blocks, including the text above
#: (API.md, "Lengths of texts and elements").
GIVEN_BACK: Final = 12_000


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts that listeners work with."""

    client: AsyncWebClient
    clicks: ClickRunner
    modals: Modals
    choices: Choices
    requests: Requests
    follow_ups: FollowUps
    approval_requests: ApprovalRequests
    approvals: Approvals
    delegation_control: DelegationControl
    extensions: Extensions
    cancellation: Cancellation
    freeze_control: FreezeControl
    lock_control: LockControl
    audit_export: AuditExport
    resolution: Resolution
    rollout: RolloutControl
    change_end: ChangeEnd
    authorization: Authorization
    change_details: ChangeDetailsReader
    results_export: ResultsExport
    change_lists: ChangeLists
    number_lookup: NumberLookup
    templates: Templates
    home_publisher: HomePublisher
    permalinks: Permalinks
    value_exports: ValueExports
    direct_messages: SlackDirectMessages

    def to_person(self, act: Interaction) -> Answer:
        """Return a way to answer the person behind ``act`` so that only they see it; see :meth:`explain`."""

        async def answer(text: str) -> None:
            await self.explain(act, text)

        return answer

    def in_modal(self, act: Interaction, view_id: str = "") -> Answer:
        """Return a way to answer in the modal ``view_id``, or in the modal of the click ``act``.

        Without a reachable modal, they are told as with :meth:`to_person`.
        """

        async def answer(text: str) -> None:
            try:
                if place := view_id or act.view.id:
                    await self.show(place, notice(escape(text)))
                    return
            except DeliveryError as error:
                log.info("answered outside of the modal", why=error.message)
            await self.explain(act, text)

        return answer

    async def explain(self, act: Interaction, text: str, typed: Sequence[str] = ()) -> None:
        """Say why something did not work, and give back the text in ``typed``.

        A modal opened for the click says it, as it would otherwise load for ever. Without a modal, it is said where
        they are, in as many messages as the typed text needs.
        """
        if await self.modals.explain(act.trigger, notice(escape(text), typed=typed)):
            return
        first, *further = _in_messages(typed)
        kept = given_back(first)
        await self.say(act, escape(text), [section(escape(text)), *kept] if kept else None)
        for pieces in further:
            await self.say(act, "More of what you typed.", given_back(pieces))

    async def say(
        self,
        act: Interaction,
        text: str,
        blocks: list[dict[str, Any]] | None = None,
        *,
        replace: bool = False,
    ) -> None:
        """Say ``text`` (mrkdwn) only to the person behind ``act``; ``replace`` replaces the message that they clicked.

        While Slack cannot be reached, or does not say whether it accepted the message, it is sent again later: every
        click gets an answer. Raises DeliveryRefused when Slack will never accept it.
        """
        await self.clicks.until_heard(lambda: self._say(act, text, blocks, replace=replace))

    async def _say(self, act: Interaction, text: str, blocks: list[dict[str, Any]] | None, *, replace: bool) -> None:
        """Send it once.

        The response URL works in any conversation, even if the bot is not a member; it is valid for half an hour, and
        shortcuts have none.
        """
        if act.response_url:
            hook = AsyncWebhookClient(act.response_url, session=self.client.session, retry_handlers=[])
            with suppress(aiohttp.ClientError, TimeoutError):  # it is sent in another way then
                answer = await hook.send(text=text, blocks=blocks, response_type="ephemeral", replace_original=replace)
                if answer.status_code == 200:
                    return
        if act.channel:
            try:
                await call(self.client.chat_postEphemeral(channel=act.channel, user=act.user, text=text, blocks=blocks))
            except ChannelLost as error:  # the bot is not a member; it can still send a direct message
                log.info("answered in a direct message", channel=act.channel, why=error.message)
            else:
                return
        await call(self.client.chat_postMessage(channel=act.user, text=text, blocks=blocks))

    async def send_file(self, user: str, name: str, content: bytes, text: str) -> None:
        """Put a file into the direct messages with ``user``, below ``text`` (mrkdwn)."""
        opened = await call(self.client.conversations_open(users=user))
        await call(
            self.client.files_upload_v2(
                filename=name, title=name, content=content, channel=opened["channel"]["id"], initial_comment=text
            )
        )

    async def replace(self, act: Interaction, text: str, blocks: list[dict[str, Any]]) -> None:
        """Replace the message of the pressed button by ``blocks``. This is optional: a refusal is ignored."""
        if act.response_url:
            hook = AsyncWebhookClient(act.response_url, session=self.client.session, retry_handlers=[])
            with suppress(aiohttp.ClientError, TimeoutError):
                answer = await hook.send(text=text, blocks=blocks, replace_original=True)
                if answer.status_code != 200:
                    log.info("message was not replaced", status=answer.status_code)

    async def show(self, view_id: str, view: View) -> None:
        """Replace the content of an open modal; see :meth:`bot.slack.modals.Modals.show`."""
        await self.modals.show(view_id, view)

    async def reveal(self, act: Interaction) -> str:
        """Open a loading modal on top of the modal of the click, and return its id."""
        opening = self.modals.push if act.view.modal else self.modals.open
        return await opening(act.trigger)

    async def open(self, act: Interaction) -> str:
        """Open a loading modal and return its id; must happen within three seconds of the click."""
        return await self.modals.open(act.trigger)


def _in_messages(typed: Sequence[str]) -> list[list[str]]:
    """Return the pieces of typed text for each message; one empty list without any."""
    messages: list[list[str]] = [[]]
    room = GIVEN_BACK
    for piece in typed:
        length = len(visible(piece))
        if messages[-1] and length > room:
            messages.append([])
            room = GIVEN_BACK
        messages[-1].append(piece)
        room -= length
    return messages
