"""What every request passes: the log, the ordered faults, the credentials, the rate limits."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from email.utils import format_datetime

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.sandbox.close.answers import ordered, refusal
from bot.sandbox.close.clock import Clock
from bot.sandbox.close.errors import RefusedError, refused
from bot.sandbox.close.faults import NONSENSE, PAGE, Fault, Faults
from bot.sandbox.close.rates import Rates
from bot.sandbox.close.records import Call

PREFIX = "/api/v1"


class Gate:
    """Middleware around all endpoints.

    Attributes:
        calls: every request so far, in order of arrival.
        faults: the faults that tests ordered.
        rates: the rate limits in force.

    """

    def __init__(self, api_key: str, access_token: str, clock: Clock) -> None:
        self.calls: list[Call] = []
        self.faults = Faults()
        self.rates = Rates()
        #: An API key is the user of HTTP Basic with an empty password; an OAuth token is a bearer.
        self._expected = (
            b"Basic " + base64.b64encode(f"{api_key}:".encode()),
            f"Bearer {access_token}".encode(),
        )
        self._clock = clock
        #: Whether answers say when they were given, in the time of the stand-in.
        self.dated = True

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve one request and write it down."""
        query: dict[str, list[str]] = {}
        for name, value in request.query.items():
            query.setdefault(name, []).append(value)
        path = request.path.removeprefix(PREFIX)
        call = Call(
            method=request.method,
            path=path,
            query=query,
            body=await _body(request),
            at=self._clock.now(),
        )
        self.calls.append(call)
        fault = self.faults.take(request.method, path)
        response = await (self._serve(request, handler) if fault is None else self._spoil(request, handler, fault))
        if response is None:
            return _hung_up(request)
        call.status = response.status
        return response

    async def date(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Put the ``Date`` on an answer, or take away the one that aiohttp puts there."""
        response.headers[hdrs.DATE] = format_datetime(self._clock.now(), usegmt=True)
        if not self.dated:
            del response.headers[hdrs.DATE]

    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the caller, count the call, and answer."""
        try:
            credential = self._credential(request)
            group = _endpoint_group(request)
            if group is None:
                return await _answer(request, handler)
            self.rates.count(group, credential, self._clock.now())
        except RefusedError as error:
            return refusal(error)
        response = await _answer(request, handler)
        response.headers.update(self.rates.headers(group, credential, self._clock.now()))
        return response

    def _credential(self, request: web.Request) -> str:
        given = request.headers.get(hdrs.AUTHORIZATION, "").encode()
        for expected in self._expected:
            if secrets.compare_digest(given, expected):
                return expected.decode()
        raise refused(401)

    async def _spoil(
        self,
        request: web.Request,
        handler: Handler,
        fault: Fault,
    ) -> web.StreamResponse | None:
        """Let a fault happen to a request; ``None`` means that no answer is sent."""
        if fault.kind == "delay":
            return await self._late(request, handler, fault)
        if fault.kind == "hold":
            response = await self._serve(request, handler) if fault.effect_first else None
            await fault.passes.acquire()
            return response or await self._serve(request, handler)
        good = await self._serve(request, handler) if fault.effect_first else None
        if fault.kind in ("drop_before", "drop_after"):
            return None
        if fault.kind in ("malformed", "empty"):
            nonsense = NONSENSE if fault.text is None else fault.text
            return web.Response(
                text=nonsense if fault.kind == "malformed" else "",
                status=200 if good is None else good.status,
                content_type="text/html" if nonsense == NONSENSE else "application/json",
            )
        if fault.kind == "gateway":
            page = PAGE.format(status=fault.status)
            return web.Response(text=page, status=fault.status, content_type="text/html")
        bad = ordered(fault.status, fault.text)
        bad.headers.update(fault.headers)
        return bad

    async def _late(self, request: web.Request, handler: Handler, fault: Fault) -> web.StreamResponse | None:
        if fault.effect_first:
            response = await self._serve(request, handler)
            await asyncio.sleep(fault.seconds)
            return response
        await asyncio.sleep(fault.seconds)
        if request.transport is None or request.transport.is_closing():
            return None
        return await self._serve(request, handler)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as error:
        return refusal(error)
    except web.HTTPNotFound:
        return refusal(refused(404))
    except web.HTTPMethodNotAllowed:
        return refusal(refused(405))


def _endpoint_group(request: web.Request) -> str | None:
    """Return the method and path of the endpoint, or None when the address is nobody's."""
    resource = request.match_info.route.resource
    return None if resource is None else f"{request.method} {resource.canonical.removeprefix(PREFIX)}"


async def _body(request: web.Request) -> object:
    text = (await request.read()).decode(errors="replace")
    if not text:
        return None
    try:
        body: object = json.loads(text)
    except ValueError:
        return text
    return body


def _hung_up(request: web.Request) -> web.Response:
    """Close the connection; the response that aiohttp insists on goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
