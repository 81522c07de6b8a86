"""A request whose process was stopped does not go out when others may have taken its work over."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import httpx
import pytest

from bot.errors import Unavailable
from bot.providers.exchange import READY_WITHIN
from bot.providers.http import Bounds, PacedClient

TIMEOUT = 2.0


@pytest.mark.parametrize(
    ("stopped", "goes_out"),
    [pytest.param(READY_WITHIN - 1, True, id="a moment"), pytest.param(READY_WITHIN + TIMEOUT + 1, False, id="long")],
)
async def test_what_comes_too_late_stays_here(*, stopped: float, goes_out: bool) -> None:
    """The process is stopped after the last word, which others count from, and before the first byte."""
    received: list[bytes] = []
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):  # somebody called, and said nothing
            received.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    away = 0.0

    async def ready() -> None:
        nonlocal away
        away = stopped

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server, httpx.AsyncClient(base_url=f"http://{host}:{port}") as http:
        client = PacedClient(
            client=http,
            title="Telnyx",
            refuse=lambda *_: Unavailable("no"),
            bounds=Bounds(timeout=TIMEOUT),
            now=lambda: time.monotonic() + away,
        )
        sending = client.write("POST", "/jobs", json={}, ready=ready)
        if goes_out:
            assert await sending == {}
        else:
            with pytest.raises(Unavailable, match="nothing was sent"):
                await sending

    await asyncio.gather(*filter(None, serving))
    assert len(received) == goes_out
