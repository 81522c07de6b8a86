"""Answers that say something else than the stand-in would: whatever a test makes of their documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from aiohttp import web

#: Changes the JSON document of an answer in place.
Rewrite: TypeAlias = Callable[[Any], None]


class Rewrites:
    """The ordered rewrites."""

    def __init__(self) -> None:
        self._rewrites: list[tuple[str, str, Rewrite]] = []

    def add(self, method: str, path: str, change: Rewrite) -> None:
        """Let ``change`` have every answer to a method and path, a shell pattern over the path as in ``Call``."""
        self._rewrites.append((method, path, change))

    def clear(self) -> None:
        """Let answers be as they are."""
        self._rewrites.clear()

    def apply(self, method: str, path: str, response: web.StreamResponse) -> web.StreamResponse:
        """Return the response to a call as it is sent."""
        mine = [change for asked, where, change in self._rewrites if asked == method and fnmatchcase(path, where)]
        if not mine or not isinstance(response, web.Response) or not response.text:
            return response
        document = json.loads(response.text)
        for change in mine:
            change(document)
        response.text = json.dumps(document)
        return response
