"""The page's HTTP server: on loopback, for this machine's browser and for no page of somebody else's."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.sandbox.page.live import Live
from bot.sandbox.slack import SlackStandIn

STATIC: Final = Path(__file__).parent / "static"
#: What can be asked for, by the end of its name. The system's own table of types is not asked: it may be anything.
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageServer:
    """Serves the page, its files and its socket on a listening socket."""

    def __init__(self, place: socket.socket, slack: SlackStandIn, live: Live) -> None:
        self._place = place
        self._slack = slack
        self._live = live
        port = place.getsockname()[1]
        #: Names by which a browser may call this server. Behind any other one is a name of somebody else's that was
        #: made to lead here.
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        self.url = f"http://127.0.0.1:{port}"
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._index)
        app.router.add_get("/static/{name}", self._static)
        app.router.add_get("/files/{id}", self._file)
        app.router.add_get("/live", live.serve)
        app.on_response_prepare.append(_protect)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)

    async def start(self) -> None:
        """Serve."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._place).start()

    async def stop(self) -> None:
        """Close every page and stop listening."""
        await self._live.close()
        await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        own = origin is not None and origin.removeprefix("http://") in self._hosts
        asked_by_others = not own if request.path == "/live" else origin is not None and not own
        if request.host not in self._hosts or asked_by_others:
            return web.Response(status=403, text="This is the sandbox of this machine: open it by its own address.")
        return await handler(request)

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return _sent("index.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        return _sent(request.match_info["name"])

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = self._slack.workspace.files.get(request.match_info["id"])
        if file is None or file.deleted:
            raise web.HTTPNotFound
        answer = web.Response(body=file.content, content_type="application/octet-stream")
        answer.headers[hdrs.CONTENT_DISPOSITION] = _attachment(file.name)
        return answer


def _sent(name: str) -> web.StreamResponse:
    """Return a file of the page; raises HTTPNotFound for anything else."""
    kind = TYPES.get(Path(name).suffix)
    if kind is None or not re.fullmatch(r"[\w-]+\.\w+", name, re.ASCII):
        raise web.HTTPNotFound
    return web.FileResponse(STATIC / name, headers={hdrs.CONTENT_TYPE: kind})


def _attachment(name: str) -> str:
    """Return the header that has a browser keep a file, whatever is in it, under its name."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


async def _protect(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
