"""Reading a JSON request body and writing the documented answers."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bot.sandbox.close.errors import not_an_object, not_json, refused
from bot.sandbox.provider import bodies
from bot.sandbox.provider.errors import JsonObject


async def read_object(request: web.Request) -> JsonObject:
    """Return the JSON object in the body.

    Raises:
        RefusedError: 415 for another content type, 400 for no JSON or for JSON that is not an object.

    """
    return await bodies.read_object(
        request, wrong_type=lambda: refused(415), not_json=not_json, not_an_object=not_an_object
    )


def listing(rows: Iterable[JsonObject], *, has_more: bool) -> web.Response:
    """Answer ``{"data": […], "has_more": …}``, the only two fields of a list."""
    return web.json_response({"data": list(rows), "has_more": has_more})
