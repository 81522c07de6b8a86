"""Close's part in the faults on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.sandbox.close.errors import refusal_text, refused
from bot.sandbox.provider.faults import ProviderFaults

#: What an ordered fault may answer. Close documents the first group; the second is a gateway's.
REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 415, 429})
TROUBLES = frozenset({500, 502, 503, 504})


class Faults(ProviderFaults):
    """The ordered faults, as Close words them."""

    def error(self, status: int, text: str | None) -> web.Response:
        """Answer a status that a test ordered; a 5xx has no documented body and comes as a gateway's page."""
        if status not in REFUSALS | TROUBLES:
            raise ValueError(f"the stand-in has no answer for status {status}")
        if status in TROUBLES:
            page = f"<html><body><h1>{status}</h1>{text or 'upstream trouble'}</body></html>"
            return web.Response(text=page, status=status, content_type="text/html")
        if status == 400:
            return web.json_response({"errors": [text or refusal_text(400)], "field-errors": {}}, status=400)
        return refused(status, text).response()

    def waits(self, retry_after: float | None, reset: float | None) -> Mapping[str, str]:
        """Return ``Retry-After`` and ``RateLimit``, and nothing else that tells of rates."""
        found: dict[str, str] = {}
        if retry_after is not None:
            found["Retry-After"] = f"{retry_after:g}"
        if reset is not None:
            found["RateLimit"] = f"limit=100, remaining=0, reset={reset:g}"
        return found
