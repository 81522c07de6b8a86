"""What every request passes: the log, the ordered faults, the API key, the rate limit."""

from __future__ import annotations

import asyncio
import json
import secrets
from email.utils import format_datetime

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.sandbox.telnyx.answers import refusal
from bot.sandbox.telnyx.clock import Clock
from bot.sandbox.telnyx.errors import RefusedError, not_found, server_trouble, unauthenticated
from bot.sandbox.telnyx.faults import PAGE, Fault, Faults
from bot.sandbox.telnyx.job_book import JobBook
from bot.sandbox.telnyx.rates import RateLimit, nominal_headers
from bot.sandbox.telnyx.records import Call
from bot.sandbox.telnyx.rewrites import Rewrites

PREFIX = "/v2"


class Gate:
    """Middleware around all endpoints.

    Attributes:
        calls: every request so far, in order of arrival.
        faults: the faults that tests ordered.
        rewrites: what tests make of answers.
        rate_limit: the limit in force, if any.

    """

    def __init__(self, api_key: str, clock: Clock, jobs: JobBook) -> None:
        self.calls: list[Call] = []
        self.faults = Faults()
        self.rewrites = Rewrites()
        self.rate_limit: RateLimit | None = None
        self._expected = f"Bearer {api_key}".encode()
        self._clock = clock
        #: Whether answers say when they were given, in the time of the stand-in.
        self.dated = True
        self._jobs = jobs

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
        return self.rewrites.apply(request, response)

    async def date(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Put the ``Date`` on an answer, or take away the one that aiohttp puts there."""
        response.headers[hdrs.DATE] = format_datetime(self._clock.now(), usegmt=True)
        if not self.dated:
            del response.headers[hdrs.DATE]

    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the caller, let the jobs catch up with the clock, and answer."""
        try:
            given = request.headers.get(hdrs.AUTHORIZATION, "").encode()
            if not secrets.compare_digest(given, self._expected):
                raise unauthenticated()
            if self.rate_limit is not None:
                self.rate_limit.count(self._clock.now())
            self._jobs.settle()
            response = await handler(request)
        except RefusedError as error:
            response = refusal(error)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            response = refusal(not_found())
        limit = self.rate_limit
        response.headers.update(limit.headers(self._clock.now()) if limit else nominal_headers())
        return response

    async def _spoil(
        self,
        request: web.Request,
        handler: Handler,
        fault: Fault,
    ) -> web.StreamResponse | None:
        """Let a fault happen to a request; ``None`` means that no answer is sent."""
        if fault.kind == "delay":
            return await self._late(request, handler, fault)
        good = await self._serve(request, handler) if fault.effect_first else None
        if fault.kind in ("drop_before", "drop_after"):
            return None
        if fault.kind in ("malformed", "empty"):
            text = "<html><body>upstream" if fault.kind == "malformed" else ""
            status = 200 if good is None else good.status
            return web.Response(text=text, status=status, content_type="text/html")
        if fault.kind == "redirect":
            return web.Response(status=302, headers={hdrs.LOCATION: fault.location})
        if fault.kind == "hollow":
            return web.json_response({"data": {}})
        if fault.kind == "gateway":
            page = PAGE.format(status=fault.status)
            return web.Response(text=page, status=fault.status, content_type="text/html")
        await asyncio.sleep(fault.seconds)
        bad = refusal(server_trouble(429 if fault.kind == "rate_limited" else fault.status))
        bad.headers.update({**nominal_headers(), **fault.headers()})
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
