"""Reading a JSON request body and writing the documented answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from aiohttp import web

from bot.sandbox.provider import bodies
from bot.sandbox.provider.errors import JsonObject
from bot.sandbox.telnyx.errors import not_json, not_json_type, not_well_formed


async def read_object(request: web.Request) -> JsonObject:
    """Return the JSON object in the body.

    Raises:
        RefusedError: 400 for another content type, for no JSON, or for JSON that is not an object.

    """
    return await bodies.read_object(request, wrong_type=not_json_type, not_json=not_json, not_an_object=not_well_formed)


def iso(moment: datetime) -> str:
    """Format a moment as Telnyx does: ISO 8601 in UTC with milliseconds and a ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def data(value: object, status: int = 200) -> web.Response:
    """Answer ``{"data": …}``."""
    return web.json_response({"data": value}, status=status)


def listing(rows: Iterable[JsonObject], meta: JsonObject) -> web.Response:
    """Answer ``{"data": […], "meta": …}``."""
    return web.json_response({"data": list(rows), "meta": meta})


def raw_data(text: str, status: int = 200) -> web.Response:
    """Answer ``{"data": …}`` around JSON that is written already."""
    return web.Response(text=f'{{"data": {text}}}', status=status, content_type="application/json")


def raw_listing(texts: Iterable[str], meta: JsonObject) -> web.Response:
    """Answer ``{"data": […], "meta": …}`` around rows that are written already."""
    text = f'{{"data": [{", ".join(texts)}], "meta": {json.dumps(meta)}}}'
    return web.Response(text=text, content_type="application/json")
