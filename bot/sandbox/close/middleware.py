"""What Close checks of every request: the credentials and the rate limits."""

from __future__ import annotations

import base64
import secrets

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.sandbox.close.errors import refused
from bot.sandbox.close.faults import Faults
from bot.sandbox.close.rates import Rates
from bot.sandbox.provider.clock import Clock
from bot.sandbox.provider.errors import RefusedError
from bot.sandbox.provider.middleware import ProviderMiddleware

PREFIX = "/api/v1"


class Middleware(ProviderMiddleware):
    """Middleware around all endpoints.

    Attributes:
        rates: the rate limits in force.

    """

    def __init__(self, api_key: str, access_token: str, clock: Clock) -> None:
        super().__init__(PREFIX, clock, Faults())
        self.rates = Rates()
        #: An API key is the user of HTTP Basic with an empty password; an OAuth token is a bearer.
        self._expected = (
            b"Basic " + base64.b64encode(f"{api_key}:".encode()),
            f"Bearer {access_token}".encode(),
        )

    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the caller, count the call, and answer."""
        try:
            credential = self._credential(request)
            group = _endpoint_group(request)
            if group is None:
                return await _answer(request, handler)
            self.rates.count(group, credential, self._clock.now())
        except RefusedError as error:
            return error.response()
        response = await _answer(request, handler)
        response.headers.update(self.rates.headers(group, credential, self._clock.now()))
        return response

    def _credential(self, request: web.Request) -> str:
        given = request.headers.get(hdrs.AUTHORIZATION, "").encode()
        for expected in self._expected:
            if secrets.compare_digest(given, expected):
                return expected.decode()
        raise refused(401)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as error:
        return error.response()
    except web.HTTPNotFound:
        return refused(404).response()
    except web.HTTPMethodNotAllowed:
        return refused(405).response()


def _endpoint_group(request: web.Request) -> str | None:
    """Return the method and path of the endpoint, or None when the address is nobody's."""
    resource = request.match_info.route.resource
    return None if resource is None else f"{request.method} {resource.canonical.removeprefix(PREFIX)}"
