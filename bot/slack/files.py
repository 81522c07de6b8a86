"""Files: fetching uploads, and sharing our own.

Sharing takes three calls: the address, the bytes, and the sharing itself; only the last one is visible.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.model.draft import Upload
from bot.changes.sheets import LARGEST
from bot.changes.text.addresses import parts_of
from bot.errors import DeliveryPostponed, DeliveryRefused, DeliveryUnknown, InputError
from bot.slack.client import Client
from bot.slack.web_api import call, retry_after

#: Slack's host for files (API.md, "Files"). The token goes to no other host.
HOST: Final = "files.slack.com"
#: Seconds for the whole download.
WITHIN: Final = 60.0
_FIELD: Final = "sheet"
_PAGE: Final = "text/html"
#: Slack's errors for a file that the app may not see, also used in a file's ``file_access``.
_DENIED: Final = frozenset({"access_denied", "not_visible", "no_permission"})
_UPLOAD_HERE: Final = "download it and upload it in the form"


class SlackFiles:
    """Implements :class:`bot.workflow.ports.Files`."""

    def __init__(self, client: AsyncWebClient, *, within: float = WITHIN) -> None:
        self._client = client
        self._within = within

    async def fetch(self, upload: Upload) -> bytes:
        """Return the content of ``upload``; raises as the port says."""
        file = await self._told(upload)
        if file.get("name"):
            upload = replace(upload, name=str(file["name"]))
        if file.get("mode") in {"tombstone", "hidden_by_limit"} or file.get("file_access") == "file_not_found":
            raise _gone(upload)
        if file.get("file_access") in _DENIED:
            raise _denied(upload)
        if int(file.get("size") or 0) > LARGEST:
            raise InputError({_FIELD: _too_large(upload)})
        url = str(file.get("url_private_download") or file.get("url_private") or "")
        if not url and not file.get("is_external"):
            raise InputError({_FIELD: f"Slack gives no download link for “{upload.name}”; {_UPLOAD_HERE}."})
        if file.get("is_external") or not self._ours(url):
            raise InputError(
                {_FIELD: (f"“{upload.name}” is stored outside Slack and cannot be read there; upload the file itself.")}
            )
        # Instead of a file that it does not deliver, Slack returns the sign-in page (API.md, "Files"). A file that is
        # itself a web page has the same type; its reader finds out what it is.
        return await self._download(url, upload, may_be_page=file.get("mimetype") == _PAGE)

    async def _told(self, upload: Upload) -> dict[str, Any]:
        """Return Slack's description of the file; for a file from a Slack Connect channel only this call has one."""
        try:
            answer = await call(self._client.files_info(file=upload.id))
        except DeliveryRefused as error:
            if error.code in {"file_not_found", "file_deleted"}:
                raise _gone(upload) from error
            if error.code == "missing_scope":
                raise _not_readable(upload) from error
            if error.code in _DENIED:
                raise _denied(upload) from error
            raise
        file: dict[str, Any] = answer["file"]
        return file

    def _ours(self, url: str) -> bool:
        """Tell whether ``url`` is on Slack's own host for files, or on the API's host if that is another one."""
        here, api = parts_of(url), urlsplit(self._client.base_url)
        if here is None:
            return False
        if api.hostname != "slack.com" and (here.scheme, here.netloc) == (api.scheme, api.netloc):
            return True
        return here.scheme == "https" and here.netloc in {HOST, f"files.{api.hostname}"}  # GovSlack has its own

    async def _download(self, url: str, upload: Upload, *, may_be_page: bool) -> bytes:
        session = self._client.session
        if session is None:  # for the type checker: the client is made with one
            raise DeliveryRefused("There is no connection to Slack.")
        headers = {"Authorization": f"Bearer {self._client.token}"}
        limit = aiohttp.ClientTimeout(total=self._within)
        content = bytearray()
        try:
            # A redirect leads to the sign-in page, and would carry the token along.
            async with session.get(url, headers=headers, timeout=limit, allow_redirects=False) as response:
                _check(response, upload, may_be_page=may_be_page)
                async for chunk in response.content.iter_chunked(65_536):
                    content += chunk
                    if len(content) > LARGEST:
                        raise InputError({_FIELD: _too_large(upload)})
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DeliveryUnknown(f"Slack did not deliver “{upload.name}”.") from error
        return bytes(content)


def _check(response: aiohttp.ClientResponse, upload: Upload, *, may_be_page: bool) -> None:
    if response.status == 429:
        raise DeliveryPostponed("Slack asks to wait.", wait=retry_after(response.headers))
    if response.status >= 500:
        raise DeliveryUnknown(f"Slack did not deliver “{upload.name}” (HTTP {response.status}).")
    if response.status == 404:
        raise _gone(upload)
    if response.status != 200 or (response.content_type == _PAGE and not may_be_page):
        raise _not_readable(upload)


def _gone(upload: Upload) -> InputError:
    return InputError({_FIELD: f"“{upload.name}” is no longer in Slack; upload the sheet again."})


def _denied(upload: Upload) -> InputError:
    what = f"“{upload.name}” is not open to the bot: its owner, or the workspace that it was shared from, restricts it"
    return InputError({_FIELD: f"{what}; {_UPLOAD_HERE}."})


def _not_readable(upload: Upload) -> DeliveryRefused:
    return DeliveryRefused(
        (
            f"Slack does not let the bot read “{upload.name}”. Ask an operator to give the app the scope "
            "files:read and to reinstall it."
        ),
        code="not_readable",
    )


def _too_large(upload: Upload) -> str:
    return f"“{upload.name}” is larger than {LARGEST // 1_000_000} MB; split it into several sheets."


#: Seconds to wait after an invisible step failed.
_AGAIN: Final = 5.0


class FileUploads:
    """Uploads files in steps: before the last step nothing has happened, whatever went wrong."""

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
        try:
            await call(
                self._client.files_completeUploadExternal(
                    files=[{"id": ticket["file_id"], "title": name}],
                    channel_id=channel,
                    thread_ts=thread,
                    initial_comment=text,
                )
            )
        except DeliveryRefused as error:
            if error.code != "file_not_found":
                raise
            # The bytes never arrived, whatever the answer was: something in front of Slack may have sent it.
            raise DeliveryPostponed(f"Slack did not get the file {name}.", code=error.code, wait=_AGAIN) from error

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
