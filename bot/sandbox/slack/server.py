"""The stand-in's HTTP server: the Web API, uploads, downloads, response addresses and Socket Mode on one port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from email.utils import format_datetime

from aiohttp import hdrs, web

from bot.sandbox.slack import webapi
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.ratelimits import MethodLimits
from bot.sandbox.slack.records import Call, Json
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.responses import respond
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.webapi.files import receive_upload
from bot.sandbox.slack.workspace import Workspace

#: Slack takes files of up to 1 GB; a bot's sheets are far smaller
LARGEST_BODY = 256 * 1024 * 1024
LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"


class Server:
    """Serves one workspace on a loopback port."""

    def __init__(self, ws: Workspace, sockets: Sockets, limits: MethodLimits) -> None:
        self._ws = ws
        self._sockets = sockets
        self._limits = limits
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> None:
        """Listen on 127.0.0.1; port 0 takes any free one."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/v1/{ticket}", self._upload)
        app.router.add_get("/files-pri/{file}/{name}", self._download)
        app.router.add_post("/actions/{team}/{token}", self._respond)
        app.router.add_get("/link/", self._sockets.serve)
        app.on_response_prepare.append(self._date)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self._ws.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        await self._sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        """Put the ``Date`` on an answer in the workspace's time, or take away the one that aiohttp puts there."""
        response.headers[hdrs.DATE] = format_datetime(self._ws.now(), usegmt=True)
        if not self._ws.dated:
            del response.headers[hdrs.DATE]

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        try:
            params = await read_params(request)
        except Refusal as refusal:
            return _ok(self._ws.journal.call(method, {}), refusal.body())
        token = _token(request, params)
        call = self._ws.journal.call(method, params)

        def effect() -> web.Response:
            try:
                return self._answer(call, token)
            except Refusal as refusal:
                return _ok(call, refusal.body())

        return await self._through_faults(request, call, effect)

    def _answer(self, call: Call, token: str) -> web.Response:
        if (closed := self._limits.closed(call.method, call.params)) is not None:
            seconds, again = closed
            if again:
                self._ws.journal.complain(f"{call.method} was called again although Slack had said to wait {seconds} s")
            return _limited(call, seconds)
        wait = self._limits.retry_after(call.method, call.params)
        if wait is not None:
            return _limited(call, wait)
        if call.method == "apps.connections.open":
            return _ok(call, self._open_socket(token))
        body = webapi.answer(self._ws, call.method, token, webapi.Arguments(call.params))
        return _ok(call, body, scopes=self._ws.scopes)

    def _open_socket(self, token: str) -> Json:
        if token == self._ws.bot_token:
            raise Refusal("not_allowed_token_type")
        if token != self._ws.app_token:
            raise Refusal("invalid_auth")
        return {"ok": True, "url": self._sockets.address()}

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        content = await _uploaded(request)
        call = self._ws.journal.call("upload", {"length": len(content)})
        ticket = request.match_info["ticket"]

        def effect() -> web.Response:
            try:
                text = receive_upload(self._ws, ticket, content)
            except Refusal as refusal:
                call.status, call.error = 400, refusal.error
                return web.Response(status=400, text=refusal.error)
            call.status = 200
            return web.Response(text=text)

        return await self._through_faults(request, call, effect)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        try:
            params = await read_params(request)
        except Refusal as refusal:
            call = self._ws.journal.call("response_url", {})
            call.status, call.error = 400, refusal.error
            return web.Response(status=400, text=refusal.error)
        call = self._ws.journal.call("response_url", params)

        def effect() -> web.Response:
            try:
                respond(self._ws, request.match_info["token"], params)
            except Refusal as refusal:
                call.status, call.error = 404, refusal.error
                return web.json_response(refusal.body(), status=404)
            call.status = 200
            return web.Response(text="ok")

        return await self._through_faults(request, call, effect)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self._ws.files.get(request.match_info["file"].partition("-")[2])
        allowed = _bearer(request) == self._ws.bot_token and "files:read" in self._ws.scopes
        call = self._ws.journal.call("download", {"file": file.id if file else ""})

        def effect() -> web.Response:
            call.status = 200
            if file is None or file.deleted or not allowed:
                call.error = "login page"
                return web.Response(text=LOGIN_PAGE, content_type="text/html")
            return web.Response(body=file.content, content_type=file.mimetype)

        return await self._through_faults(request, call, effect)

    async def _through_faults(
        self, request: web.Request, call: Call, effect: Callable[[], web.Response]
    ) -> web.StreamResponse:
        fault = self._ws.faults.take(call.method, call.params)
        call.spoilt = fault is not None
        try:
            if fault is None:
                return effect()
            done = effect() if fault.effect_first else None
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
                answer = effect() if done is None else done
                fault.passed += 1
                return answer
            if fault.kind == "drop_late":
                fault.owed.append(effect)
            if fault.kind in ("drop_before", "drop_after", "drop_late"):
                call.status, call.error = None, "connection dropped"
                return _drop(request)
            return _instead(call, fault)
        finally:
            self._ws.journal.touch()


def _instead(call: Call, fault: Fault) -> web.Response:
    match fault.kind:
        case "error":
            told: Json = {"response_metadata": {"messages": list(fault.messages)}} if fault.messages else {}
            return _ok(call, {"ok": False, "error": fault.error, **told})
        case "rate_limited":
            return _limited(call, fault.retry_after)
        case "redirect":
            call.status, call.error = 302, f"redirected to {fault.location}"
            return web.Response(status=302, headers={"Location": fault.location})
        case "malformed":
            call.status, call.error = 200, "malformed"
            return web.Response(text="<html>upstream is having a moment</html>", content_type="text/html")
        case _:
            call.status, call.error = fault.status, f"status {fault.status}"
            return web.Response(status=fault.status, text="")


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _limited(call: Call, seconds: int) -> web.Response:
    call.status, call.error = 429, "ratelimited"
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": str(seconds)})


def _ok(call: Call, body: Json, scopes: set[str] | None = None) -> web.Response:
    call.status, call.error = 200, body.get("error")
    headers = {"x-oauth-scopes": ",".join(sorted(scopes))} if scopes is not None else {}
    return web.json_response(body, headers=headers)


def _bearer(request: web.Request) -> str:
    sort, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if sort.lower() == "bearer" else ""


def _token(request: web.Request, params: Json) -> str:
    """Return the token, taken out of the parameters so that the log holds none."""
    given = params.pop("token", "")
    return _bearer(request) or str(given)


async def read_params(request: web.Request) -> Json:
    """Return a request's parameters from its query string and its form or JSON body; raises Refusal for bad JSON."""
    params: Json = dict(request.query)
    if not request.can_read_body:
        return params
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text())
        except ValueError as error:
            raise Refusal("invalid_json") from error
        if not isinstance(body, dict):
            raise Refusal("json_not_object")
        return params | body
    form = await request.post()
    return params | {name: value for name, value in form.items() if isinstance(value, str)}


async def _uploaded(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    form = await request.post()
    for value in form.values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
