"""The HTTP server: what Slack delivers, and how an operator sees that all is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.slack.manifest import EVENTS_PATH

log = structlog.get_logger(__name__)

#: Largest request body in bytes: a modal's state with every box full is far below it.
LARGEST = 2 * 1024 * 1024
#: Seconds that requests in progress may take once the server stops.
SHUTDOWN = 1.5


def build_server(
    app: AsyncApp | None,
    *,
    ready: Callable[[], Awaitable[str]],
    warnings: Callable[[], Awaitable[Sequence[str]]],
    metrics: Callable[[], Awaitable[bytes]],
) -> web.Application:
    """Return the application.

    ``app`` is None in Socket Mode: then nothing is accepted from Slack over HTTP. ``ready`` returns what is wrong,
    or an empty text. ``warnings`` returns what should be looked at although work goes on: the answer to /readyz tells
    it and is 200 all the same, because a 503 would take the bot out of service, clicks and all, over something that
    its work is safe from.
    """

    async def events(request: web.Request) -> web.StreamResponse:
        if app is None:
            return web.Response(status=404, text="This Linesman uses Socket Mode.")
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_: web.Request) -> web.Response:
        problem = await ready()
        if problem:
            return web.Response(status=503, text=problem)
        return web.Response(text="\n".join(["ready", *await warnings()]))

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=await metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    server = web.Application(client_max_size=LARGEST)
    server.add_routes(
        [
            web.post(EVENTS_PATH, events),
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", show_metrics),
        ]
    )
    return server


@asynccontextmanager
async def listening(server: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block ends; gives the port, which is chosen by the system when ``port`` is 0."""
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=SHUTDOWN)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound: int = runner.addresses[0][1]
        log.info("listening", host=host, port=bound)
        yield bound
    finally:
        await runner.cleanup()
