"""Telnyx's part in the faults on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.sandbox.provider.faults import ProviderFaults
from bot.sandbox.telnyx.errors import server_trouble
from bot.sandbox.telnyx.rates import nominal_headers


class Faults(ProviderFaults):
    """The ordered faults, as Telnyx words them."""

    def error(self, status: int, text: str | None) -> web.Response:
        """Answer the documented envelope with a status: 401, 403, 404, 429, 500, 502, 503 or 504."""
        error = server_trouble(status, text).response()
        error.headers.update(nominal_headers())
        return error

    def waits(self, retry_after: float | None, reset: float | None) -> Mapping[str, str]:
        """Return ``retry-after``, and ``x-ratelimit-reset`` with nothing remaining."""
        found: dict[str, str] = {}
        if retry_after is not None:
            found["retry-after"] = f"{retry_after:g}"
        if reset is not None:
            found["x-ratelimit-remaining"] = "0"
            found["x-ratelimit-reset"] = f"{reset:g}"
        return found
