"""What Telnyx checks of every request: the API key and the rate limit."""

from __future__ import annotations

import secrets

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.sandbox.provider.clock import Clock
from bot.sandbox.provider.errors import RefusedError
from bot.sandbox.provider.middleware import ProviderMiddleware
from bot.sandbox.telnyx.errors import not_found, unauthenticated
from bot.sandbox.telnyx.faults import Faults
from bot.sandbox.telnyx.job_book import JobBook
from bot.sandbox.telnyx.rates import RateLimit, nominal_headers

PREFIX = "/v2"


class Middleware(ProviderMiddleware):
    """Middleware around all endpoints.

    Attributes:
        rate_limit: the limit in force, if any.

    """

    def __init__(self, api_key: str, clock: Clock, jobs: JobBook) -> None:
        super().__init__(PREFIX, clock, Faults())
        self.rate_limit: RateLimit | None = None
        self._expected = f"Bearer {api_key}".encode()
        self._jobs = jobs

    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
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
            response = error.response()
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            response = not_found().response()
        limit = self.rate_limit
        response.headers.update(limit.headers(self._clock.now()) if limit else nominal_headers())
        return response
