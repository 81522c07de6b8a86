"""The log of requests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One request that the stand-in received."""

    method: str
    #: Without the API's version in front, such as ``/v2``.
    path: str
    #: Decoded parameter names and all their values, in order.
    query: dict[str, list[str]]
    #: Parsed JSON, the raw text when it does not parse, ``None`` without a body.
    body: object
    at: datetime
    #: ``None`` while there is no answer, and permanently when the connection was closed without one.
    status: int | None = None


async def read_call(request: web.Request, path: str, at: datetime) -> Call:
    """Return the entry for a request that has just arrived."""
    return Call(
        method=request.method,
        path=path,
        query=grouped(request.query.items()),
        body=_parsed((await request.read()).decode(errors="replace")),
        at=at,
    )


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return all values of each parameter, in order."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _parsed(text: str) -> object:
    if not text:
        return None
    try:
        body: object = json.loads(text)
    except ValueError:
        return text
    return body
