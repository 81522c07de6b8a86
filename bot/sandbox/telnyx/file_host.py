"""The host that keeps files: another one than the API's, as stores of files are."""

from __future__ import annotations

from uuid import uuid4

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.sandbox.provider.clock import Clock
from bot.sandbox.provider.middleware import ProviderMiddleware
from bot.sandbox.telnyx.faults import Faults


class FileHost(ProviderMiddleware):
    """Keeps files under addresses that nobody can guess. Spoil it with ``faults``; ``calls`` is what it was asked for.

    A request with an API key is refused, as a store of files refuses one that is signed and authorised besides: a
    client that gives its key away fails everywhere.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__("", clock, Faults())
        self._files: dict[str, bytes] = {}
        self._port = 0

    async def start(self) -> web.AppRunner:
        """Serve on a free port; clean the runner up at the end."""
        app = web.Application(middlewares=[self.middleware])
        app.router.add_get("/{name}", self.file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self._port = runner.addresses[0][1]
        return runner

    def keep(self, content: bytes) -> str:
        """Keep a file and return its address."""
        name = f"{uuid4()}.csv"
        self._files[name] = content
        return f"http://127.0.0.1:{self._port}/{name}"

    async def file(self, request: web.Request) -> web.Response:
        """Answer a file."""
        content = self._files.get(request.match_info["name"])
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="text/csv")

    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as a store of files does, which knows no API keys."""
        if hdrs.AUTHORIZATION in request.headers:
            return web.Response(status=400, text="Only one authorisation is allowed")
        try:
            return await handler(request)
        except web.HTTPNotFound as missing:
            return web.Response(status=missing.status, text="No such file")
