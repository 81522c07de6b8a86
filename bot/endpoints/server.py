"""The HTTP server: deliveries from Slack, and pages for operators.

Anybody who can reach the port can send anything. Until Slack's signature is verified over the raw bytes, nothing is
decompressed, decoded or parsed, no more is read than Slack ever sends, and only one log line remains.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog
from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.endpoints.connections import IDLE, LINGER, Connections, terse_logger
from bot.slack.manifest import EVENTS_PATH

log = structlog.get_logger(__name__)

#: Largest body that is read, in bytes. Slack's largest is the submission of a modal: a view of at most 250 kB
#: (slack/API.md, "Modals and the Home tab") with typed text, 3000 characters in each of its at most 100 blocks, all
#: percent-encoded, which makes up to three bytes of one.
LARGEST: Final = 2 * 1024 * 1024
#: Seconds within which a body must arrive. Slack itself gives up after three.
BODY_WITHIN: Final = 5.0
#: Slack's signature and its time: ``v0=`` and 64 hexadecimal digits, seconds since 1970.
_SIGNATURE: Final = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
#: Seconds that requests in progress may take after the server stops.
SHUTDOWN: Final = 1.5


class SlackEndpoint:
    """The endpoint for Slack's deliveries: accepts signed requests, from :meth:`open` to :meth:`close`."""

    def __init__(self, signing_secret: str) -> None:
        self._app: AsyncApp | None = None
        self._verifier = SignatureVerifier(signing_secret)

    def open(self, app: AsyncApp) -> None:
        """Pass Slack's deliveries to ``app`` from now on."""
        self._app = app

    def close(self) -> None:
        """Accept nothing more; Slack is told so, and tells people who click."""
        self._app = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request: 401 unless Slack signed it, 503 while the endpoint is closed."""
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body, why = await self._proven(request)
        except TimeoutError:
            body, why = "", "its body did not come in time"
        if why:
            log.warning("request refused", why=why, size=request.content_length)
            answer = web.Response(status=401, text="Slack did not sign this.")
            answer.force_close()  # the rest of the body is not read
            return answer
        if self._app is None:
            return web.Response(status=503, text="Linesman is starting or stopping.")
        # Bolt verifies the signature once more, as it cannot be told that this is done.
        bolt = AsyncBoltRequest(body=body, query=request.query_string, headers=dict(request.headers))
        return await to_aiohttp_response(await self._app.async_dispatch(bolt))

    async def _proven(self, request: web.Request) -> tuple[str, str]:
        """Return the body if Slack signed it, or else the reason why not."""
        headers = request.headers
        if headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
            return "", "it is compressed, which Slack never does"
        times = headers.getall("X-Slack-Request-Timestamp", [])
        signatures = headers.getall("X-Slack-Signature", [])
        if len(times) != 1 or len(signatures) != 1:
            return "", "it has no signature, or more than one"
        if not _TIMESTAMP.fullmatch(times[0]) or not _SIGNATURE.fullmatch(signatures[0]):
            return "", "its signature is malformed"
        if (request.content_length or 0) > LARGEST:
            return "", "it is larger than anything from Slack"
        try:
            text = (await request.read()).decode()
        except web.HTTPRequestEntityTooLarge:
            return "", "it is larger than anything from Slack"
        except UnicodeDecodeError:
            return "", "its body is not UTF-8"
        if not self._verifier.is_valid(text, times[0], signatures[0]):
            return "", "its signature is wrong or too old"
        return text, ""


class Probes(Protocol):
    """The texts of the pages for operators."""

    async def problem(self) -> str:
        """Return the problem, or an empty text."""

    async def warnings(self) -> Sequence[str]:
        """Return warnings, for troubles that do not stop the work."""

    async def metrics(self) -> bytes:
        """Return the metrics in Prometheus' text format."""


def build_server(slack: SlackEndpoint | None, probes: Probes) -> web.Application:
    """Return the application.

    ``slack`` is None in Socket Mode: then only health and metrics are served. The answer to /readyz includes warnings
    with status 200, because a 503 would take the bot out of service, including clicks, over something that does not
    affect its work.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_: web.Request) -> web.Response:
        problem = await probes.problem()
        if problem:
            return web.Response(status=503, text=problem)
        return web.Response(text="\n".join(["ready", *await probes.warnings()]))

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=await probes.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    server = web.Application(client_max_size=LARGEST)
    server.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", show_metrics)])
    if slack is not None:
        server.add_routes([web.post(EVENTS_PATH, slack.handle)])
    return server


@asynccontextmanager
async def listening(server: web.Application, place: socket.socket) -> AsyncIterator[int]:
    """Serve at ``place`` until the block ends; yields the port."""
    # Never decompressed: compressed bodies are refused, and no zip bomb is unpacked on the only event loop.
    runner = web.AppRunner(
        server,
        access_log=None,
        logger=terse_logger(),
        shutdown_timeout=SHUTDOWN,
        auto_decompress=False,
        keepalive_timeout=IDLE,
        lingering_time=LINGER,
    )
    await runner.setup()
    try:
        host, port, *_ = place.getsockname()
        async with Connections(runner).accepting(place):
            log.info("listening", host=host, port=port)
            yield int(port)
    finally:
        await runner.cleanup()
