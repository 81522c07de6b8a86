"""What every listener is given."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.errors import ChannelLost, DeliveryError
from bot.slack.calls import call
from bot.slack.desk import Answer, Desk
from bot.slack.homes import Homes
from bot.slack.links import Links
from bot.slack.mail import SlackMail
from bot.slack.modals import Modals
from bot.slack.views.elements import View, escape
from bot.slack.views.preview import notice
from bot.workflow.answering import Answering
from bot.workflow.approval import Approval
from bot.workflow.authority import Authority
from bot.workflow.bases import Bases
from bot.workflow.cancelling import Cancelling
from bot.workflow.choices import Choices
from bot.workflow.exporting import Exporting
from bot.workflow.finding import Finding
from bot.workflow.freezing import Freezing
from bot.workflow.inquiring import Inquiries
from bot.workflow.listing import Listings
from bot.workflow.proposing import Proposals
from bot.workflow.reporting import Reporting
from bot.workflow.stories import Stories
from bot.workflow.templates import Templates
from bot.workflow.trying import Trying
from bot.workflow.unlocking import Unlocking

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Front:
    """The parts that listeners work with."""

    client: AsyncWebClient
    desk: Desk
    modals: Modals
    choices: Choices
    proposals: Proposals
    bases: Bases
    approval: Approval
    cancelling: Cancelling
    freezing: Freezing
    unlocking: Unlocking
    exporting: Exporting
    answering: Answering
    trying: Trying
    authority: Authority
    stories: Stories
    reporting: Reporting
    listings: Listings
    finding: Finding
    templates: Templates
    homes: Homes
    links: Links
    inquiries: Inquiries
    mail: SlackMail

    def to_person(self, body: Mapping[str, Any]) -> Answer:
        """Return how to answer the person behind ``body`` where they clicked, so that only they see it."""

        async def answer(text: str) -> None:
            await self.say(body, escape(text))

        return answer

    def in_modal(self, body: Mapping[str, Any], view_id: str = "") -> Answer:
        """Return how to answer in the modal ``view_id``, or in the one in which the person behind ``body`` clicked.

        Where there is none, or it cannot be reached, they are told as with :meth:`to_person`.
        """

        async def answer(text: str) -> None:
            try:
                if place := view_id or (body.get("view") or {}).get("id", ""):
                    await self.show(place, notice(escape(text)))
                    return
            except DeliveryError as error:
                log.info("answered outside of the modal", why=error.message)
            await self.say(body, escape(text))

        return answer

    async def say(
        self,
        body: Mapping[str, Any],
        text: str,
        blocks: list[dict[str, Any]] | None = None,
        *,
        replace: bool = False,
    ) -> None:
        """Say ``text`` (mrkdwn) to the person behind ``body`` only, with ``replace`` in place of what they clicked in.

        While Slack cannot be reached, or does not say whether it took it, it is said again later: whoever clicks is
        answered. Raises DeliveryRefused when Slack will not.
        """
        await self.desk.until_heard(lambda: self._say(body, text, blocks, replace=replace))

    async def _say(
        self, body: Mapping[str, Any], text: str, blocks: list[dict[str, Any]] | None, *, replace: bool
    ) -> None:
        """Say it once.

        The response URL works in any conversation, also where the bot is not a member; it lives half an hour, and
        shortcuts have none.
        """
        user = body["user_id"] if "user_id" in body else body["user"]["id"]
        if url := body.get("response_url"):
            hook = AsyncWebhookClient(url, session=self.client.session, retry_handlers=[])
            with suppress(aiohttp.ClientError, TimeoutError):  # it is said in another way then
                answer = await hook.send(text=text, blocks=blocks, response_type="ephemeral", replace_original=replace)
                if answer.status_code == 200:
                    return
        if channel := body.get("channel_id") or (body.get("channel") or {}).get("id"):
            try:
                await call(self.client.chat_postEphemeral(channel=channel, user=user, text=text, blocks=blocks))
            except ChannelLost as error:  # the bot is not in there; in a direct message it can say it
                log.info("answered in a direct message", channel=channel, why=error.message)
            else:
                return
        await call(self.client.chat_postMessage(channel=user, text=text, blocks=blocks))

    async def send_file(self, user: str, name: str, content: bytes, text: str) -> None:
        """Put a file into the direct messages with ``user``, ``text`` (mrkdwn) above it."""
        opened = await call(self.client.conversations_open(users=user))
        await call(
            self.client.files_upload_v2(
                filename=name, title=name, content=content, channel=opened["channel"]["id"], initial_comment=text
            )
        )

    async def replace(self, body: Mapping[str, Any], text: str, blocks: list[dict[str, Any]]) -> None:
        """Put ``blocks`` in the place of the message whose button was pressed. It is a nicety: a refusal is let go."""
        if url := body.get("response_url"):
            hook = AsyncWebhookClient(url, session=self.client.session, retry_handlers=[])
            with suppress(aiohttp.ClientError, TimeoutError):
                answer = await hook.send(text=text, blocks=blocks, replace_original=True)
                if answer.status_code != 200:
                    log.info("message was not replaced", status=answer.status_code)

    async def show(self, view_id: str, view: View) -> None:
        """Replace what is in an open modal; see :meth:`bot.slack.modals.Modals.show`."""
        await self.modals.show(view_id, view)

    async def reveal(self, body: Mapping[str, Any], view: View) -> str:
        """Open a modal for a click, on top of the modal in which it was made, and return its id."""
        if (body.get("view") or {}).get("type") != "modal":
            return await self.open(body["trigger_id"], view)
        return await self.modals.push(body["trigger_id"], view)

    async def open(self, trigger: str, view: View) -> str:
        """Open a modal and return its id; must happen within three seconds of the click."""
        return await self.modals.open(trigger, view)
