"""How a stand-in says no."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

JsonObject = dict[str, object]


class RefusedError(Exception):
    """The stand-in refuses a request, as the real service would, with this JSON."""

    def __init__(self, status: int, body: JsonObject, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """Return the answer that says so."""
        return web.json_response(self.body, status=self.status, headers=self.headers)
