"""Reading a JSON request body."""

from __future__ import annotations

import json
from collections.abc import Callable

from aiohttp import web

from bot.sandbox.provider.errors import JsonObject, RefusedError

Refusal = Callable[[], RefusedError]


async def read_object(
    request: web.Request, *, wrong_type: Refusal, not_json: Refusal, not_an_object: Refusal
) -> JsonObject:
    """Return the JSON object in the body.

    Raises:
        RefusedError: the one that is given for another content type, for no JSON, or for JSON that is not an object.

    """
    if request.content_type != "application/json":
        raise wrong_type()
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise not_json() from None
    if not isinstance(body, dict):
        raise not_an_object()
    return body
