"""What every request passes: the log, the ordered faults, and then what the provider checks."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from email.utils import format_datetime

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.sandbox.provider.calls import Call, read_call
from bot.sandbox.provider.clock import Clock
from bot.sandbox.provider.faults import Fault, ProviderFaults
from bot.sandbox.provider.rewrites import Rewrites

#: What a gateway says that does not reach what stands behind it.
_PAGE = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center><hr>nginx</body></html>"
_NONSENSE = "<html><body>upstream"


class ProviderMiddleware(ABC):
    """Middleware around all endpoints of a provider.

    Attributes:
        prefix: the API's version, in front of every path.
        calls: every request so far, in order of arrival.
        faults: the faults that tests ordered.
        rewrites: what tests make of answers.
        dated: whether answers say when they were given, in the time of the stand-in.

    """

    def __init__(self, prefix: str, clock: Clock, faults: ProviderFaults) -> None:
        self.prefix = prefix
        self.calls: list[Call] = []
        self.faults = faults
        self.rewrites = Rewrites()
        self.dated = True
        self._clock = clock

    @abstractmethod
    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the caller, count the call, and answer as the provider does."""

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve one request and write it down."""
        path = request.path.removeprefix(self.prefix)
        call = await read_call(request, path, self._clock.now())
        self.calls.append(call)
        fault = self.faults.take(request.method, path)
        response = await (self.serve(request, handler) if fault is None else self._spoil(request, handler, fault))
        if response is None:
            return _hung_up(request)
        call.status = response.status
        return self.rewrites.apply(request.method, path, response)

    async def date(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Put the ``Date`` on an answer, or take away the one that aiohttp puts there."""
        response.headers[hdrs.DATE] = format_datetime(self._clock.now(), usegmt=True)
        if not self.dated:
            del response.headers[hdrs.DATE]

    async def _spoil(
        self,
        request: web.Request,
        handler: Handler,
        fault: Fault,
    ) -> web.StreamResponse | None:
        """Let a fault happen to a request; ``None`` means that no answer is sent."""
        if fault.kind == "delay" and not fault.effect_first:
            await asyncio.sleep(fault.seconds)
            gone = request.transport is None or request.transport.is_closing()
            return None if gone else await self.serve(request, handler)
        good = await self.serve(request, handler) if fault.effect_first else None
        match fault.kind:
            case "delay":
                await asyncio.sleep(fault.seconds)
                return good
            case "hold":
                await fault.passes.acquire()
                return good or await self.serve(request, handler)
            case "drop_before" | "drop_after":
                return None
            case _:
                return await self._false_answer(fault, 200 if good is None else good.status)

    async def _false_answer(self, fault: Fault, status: int) -> web.Response:
        """Return what comes in place of the answer, which would have had this status."""
        match fault.kind:
            case "malformed" | "empty":
                nonsense = _NONSENSE if fault.text is None else fault.text
                return web.Response(
                    text=nonsense if fault.kind == "malformed" else "",
                    status=status,
                    content_type="text/html" if fault.text is None else "application/json",
                )
            case "redirect":
                return web.Response(status=302, headers={hdrs.LOCATION: fault.location})
            case "hollow":
                return web.json_response({"data": {}})
            case "gateway":
                page = _PAGE.format(status=fault.status)
                return web.Response(text=page, status=fault.status, content_type="text/html")
            case _:
                await asyncio.sleep(fault.seconds)
                error = self.faults.error(fault.status, fault.text)
                error.headers.update(fault.headers)
                return error


def _hung_up(request: web.Request) -> web.Response:
    """Close the connection; the response that aiohttp insists on goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
