"""Fetching the files that people upload."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.records import Upload
from bot.changes.sheets import LARGEST
from bot.errors import DeliveryPostponed, DeliveryRefused, DeliveryUnknown, InputError
from bot.slack.calls import call

#: Where Slack keeps files (slack.md 1.6). The token goes to no other host.
HOST: Final = "files.slack.com"
#: Seconds for the whole download.
WITHIN: Final = 60.0
_FIELD: Final = "sheet"


class SlackFiles:
    """Implements :class:`bot.workflow.ports.Files`."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def fetch(self, upload: Upload) -> bytes:
        """Return the content of ``upload``; raises as the port says."""
        try:
            answer = await call(self._client.files_info(file=upload.id))
        except DeliveryRefused as error:
            if error.code in {"file_not_found", "file_deleted"}:
                raise InputError(
                    {_FIELD: f"“{upload.name}” is not in Slack any more; upload the sheet again."}
                ) from error
            raise
        file: dict[str, Any] = answer["file"]
        if int(file.get("size") or 0) > LARGEST:
            raise InputError({_FIELD: _too_large(upload)})
        url = str(file.get("url_private_download") or file.get("url_private") or "")
        if not self._ours(url):
            raise InputError({_FIELD: f"“{upload.name}” is kept outside Slack, where it is not read; upload the file."})
        return await self._download(url, upload)

    def _ours(self, url: str) -> bool:
        """Tell whether ``url`` is on Slack's own host for files, or on the host of the API where that is another."""
        here, api = urlsplit(url), urlsplit(self._client.base_url)
        if api.hostname != "slack.com" and (here.scheme, here.netloc) == (api.scheme, api.netloc):
            return True
        return here.scheme == "https" and here.netloc == HOST

    async def _download(self, url: str, upload: Upload) -> bytes:
        session = self._client.session
        if session is None:  # for the type checker: the client is made with one
            raise DeliveryRefused("There is no connection to Slack.")
        headers = {"Authorization": f"Bearer {self._client.token}"}
        limit = aiohttp.ClientTimeout(total=WITHIN)
        content = bytearray()
        try:
            # A redirect leads to the page where people sign in, and would carry the token along.
            async with session.get(url, headers=headers, timeout=limit, allow_redirects=False) as response:
                self._check(response, upload)
                async for chunk in response.content.iter_chunked(65_536):
                    content += chunk
                    if len(content) > LARGEST:
                        raise InputError({_FIELD: _too_large(upload)})
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DeliveryUnknown(f"Slack did not hand out “{upload.name}”.") from error
        return bytes(content)

    def _check(self, response: aiohttp.ClientResponse, upload: Upload) -> None:
        if response.status == 429:
            wait = response.headers.get("Retry-After", "")
            raise DeliveryPostponed("Slack asks to wait.", wait=float(wait) if wait.isdecimal() else 5.0)
        if response.status >= 500:
            raise DeliveryUnknown(f"Slack did not hand out “{upload.name}” (HTTP {response.status}).")
        if response.status != 200 or response.content_type == "text/html":
            raise DeliveryRefused(
                f"Slack does not let the bot read “{upload.name}”. Ask an operator to give the app the scope "
                "files:read and to install it again.",
                code="not_readable",
            )


def _too_large(upload: Upload) -> str:
    return f"“{upload.name}” is larger than {LARGEST // 1_000_000} MB; split it into several sheets."
