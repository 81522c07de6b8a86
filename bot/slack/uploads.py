"""Sharing files: the address, the bytes, and the sharing, of which only the last is seen by anybody."""

from __future__ import annotations

from typing import Final

import aiohttp

from bot.errors import DeliveryPostponed, DeliveryRefused, DeliveryUnknown
from bot.slack.client import Client
from bot.slack.web_api import call, retry_after

#: Seconds to wait after a step that nobody can see did not work.
_AGAIN: Final = 5.0


class FileUploads:
    """Uploads files, step by step: before the last step nothing has happened, whatever went wrong."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def share(
        self, name: str, content: bytes, *, channel: str, thread: str | None = None, text: str | None = None
    ) -> None:
        """Share a file in ``channel``, below ``thread``, with ``text`` (mrkdwn) beside it.

        Raises DeliveryUnknown only when it may have been shared.
        """
        try:
            ticket = await call(self._client.files_getUploadURLExternal(filename=name, length=len(content)))
            await self._send(str(ticket["upload_url"]), name, content)
        except DeliveryUnknown as error:
            raise DeliveryPostponed(f"Slack did not take the file {name}.", code=error.code, wait=_AGAIN) from error
        await call(
            self._client.files_completeUploadExternal(
                files=[{"id": ticket["file_id"], "title": name}],
                channel_id=channel,
                thread_ts=thread,
                initial_comment=text,
            )
        )

    async def _send(self, url: str, name: str, content: bytes) -> None:
        session = self._client.session
        if session is None:  # for the type checker: the client is made with one
            raise DeliveryRefused("There is no connection to Slack.")
        try:
            async with session.post(url, data=content, allow_redirects=False) as response:
                status, headers = response.status, response.headers
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DeliveryUnknown("Slack did not answer.", code="no_answer") from error
        if status == 429:
            raise DeliveryPostponed("Slack asks to slow down.", wait=retry_after(headers))
        if status >= 500:
            raise DeliveryUnknown("Slack had an internal error.", code=f"http_{status}")
        if status != 200:
            raise DeliveryRefused(f"Slack did not take the bytes of {name} (HTTP {status}).", code=f"http_{status}")
