"""Files that Telnyx's answers link to. They may be anywhere, so they are fetched with care.

The API key goes to the API itself and to no other host. An address is often as good as a password, as it is signed: it
appears in no error and no log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, cast

import httpx

from bot.changes.sheets import LARGEST
from bot.errors import Unavailable
from bot.providers.http import PacedClient
from bot.telemetry import tracing

#: How often a temporary fault is tried again, and how many redirects one try may follow.
TRIES: Final = 3
REDIRECTS: Final = 3
_LAST_PORT: Final = 65535
#: How these calls are counted: the path is not ours to show.
_CALL: Final = ("GET", "(file of a download)")


class _MayPass(Exception):
    """A fault after which another try may succeed; its text says what it was."""


class LinkedFiles:
    """Fetches files that answers of the API behind ``http`` link to; ``transport`` is for tests."""

    def __init__(self, http: PacedClient, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = http
        self._transport = transport

    async def fetch(self, address: str) -> bytes:
        """Return the content of the file; raises :class:`bot.errors.Unavailable` when it cannot be fetched."""
        why = ""
        for attempt in range(TRIES):
            if attempt:
                await self._http.sleep(attempt)
            try:
                return await self._once(address)
            except _MayPass as fault:
                why = str(fault)
        raise _unavailable(why)

    async def _once(self, address: str) -> bytes:
        asked, outcome, within = self._http.now(), "Unusable", self._http.bounds.timeout
        try:
            async with asyncio.timeout(within), httpx.AsyncClient(transport=self._transport, timeout=within) as client:
                with tracing.span(" ".join(_CALL)):
                    response, content = await self._followed(client, address)
            outcome = str(response.status_code)
        except httpx.RequestError as error:
            outcome = type(error).__name__
            raise _MayPass(f"the connection failed ({outcome})") from None
        except TimeoutError:
            outcome = "Timeout"
            raise _MayPass(f"it did not come within {within:g} s") from None
        finally:
            self._http.calls.took(*_CALL, outcome, seconds=self._http.now() - asked)
        if response.status_code >= 500 or response.status_code == 429:
            raise _MayPass(f"its host answered {response.status_code}")
        if response.status_code != 200:
            raise _unavailable(f"its host answered {response.status_code}")
        return content

    async def _followed(self, client: httpx.AsyncClient, address: str) -> tuple[httpx.Response, bytes]:
        """Return the answer at the end of all redirects, and its content."""
        url = self._checked(address)
        for _ in range(REDIRECTS + 1):
            async with client.stream("GET", url, headers=self._headers(url)) as response:
                if not response.has_redirect_location:
                    return response, await _content(response)
                url = self._checked(response.headers["location"], url)
        raise _unavailable("it is redirected again and again")

    def _checked(self, address: str, base: httpx.URL | None = None) -> httpx.URL:
        """Return the address; it must be as safe to call as the API."""
        try:
            url = base.join(address) if base else httpx.URL(address)
        except httpx.InvalidURL:
            raise _unavailable("its address is not valid") from None
        safe = {"https", self._http.client.base_url.scheme}
        if url.scheme not in safe or not url.host or url.userinfo or (url.port or 0) > _LAST_PORT:
            raise _unavailable("its address is not one of https")
        return url

    def _headers(self, url: httpx.URL) -> dict[str, str]:
        """Return the headers for ``url``: with the key only if it belongs to the API."""
        api = self._http.client.base_url
        ours = (url.scheme, url.host, url.port) == (api.scheme, api.host, api.port)
        key = self._http.client.headers.get("Authorization", "")
        return {"User-Agent": "linesman", **({"Authorization": key} if ours and key else {})}


async def _content(response: httpx.Response) -> bytes:
    content = bytearray()
    # If left early, the generator must be closed before the response that it reads from.
    async with aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_bytes())) as chunks:
        async for chunk in chunks:
            content += chunk
            if len(content) > LARGEST:
                raise _unavailable(f"it is larger than {LARGEST // 1024 // 1024} MB; narrow the filter")
    return bytes(content)


def _unavailable(why: str) -> Unavailable:
    return Unavailable(
        f"Telnyx's list of the numbers that match the filter cannot be fetched: {why}. Nothing was planned; try again "
        "in a minute."
    )
