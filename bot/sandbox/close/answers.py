"""Reading a JSON request body and writing the documented answers."""

from __future__ import annotations

import json
from collections.abc import Iterable

from aiohttp import web

from bot.sandbox.close.errors import JsonObject, RefusedError, not_an_object, not_json, refusal_text, refused

#: What an ordered fault may answer. Close documents the first group; the second is a gateway's.
REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 415, 429})
TROUBLES = frozenset({500, 502, 503, 504})


async def read_object(request: web.Request) -> JsonObject:
    """Return the JSON object in the body.

    Raises:
        RefusedError: 415 for another content type, 400 for no JSON or for JSON that is not an object.

    """
    if request.content_type != "application/json":
        raise refused(415)
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise not_json() from None
    if not isinstance(body, dict):
        raise not_an_object()
    return body


def listing(rows: Iterable[JsonObject], *, has_more: bool) -> web.Response:
    """Answer ``{"data": […], "has_more": …}``, the only two fields of a list."""
    return web.json_response({"data": list(rows), "has_more": has_more})


def refusal(error: RefusedError) -> web.Response:
    """Answer a refusal."""
    return web.json_response(error.body, status=error.status, headers=error.headers)


def ordered(status: int, text: str | None) -> web.Response:
    """Answer a status that a test ordered; a 5xx has no documented body and comes as a gateway's page."""
    if status in TROUBLES:
        page = f"<html><body><h1>{status}</h1>{text or 'upstream trouble'}</body></html>"
        return web.Response(text=page, status=status, content_type="text/html")
    if status == 400:
        return web.json_response({"errors": [text or refusal_text(400)], "field-errors": {}}, status=400)
    return refusal(refused(status, text))
