"""Telnyx's own description of its API, as a judge of what is sent to the stand-in and of what that answers.

``telnyx_schema.json`` has the names, types and values of Telnyx's OpenAPI document for the endpoints that Linesman
calls (bot/providers/telnyx/API.md, "Sources"). Neither the bot nor the stand-in reads it, so a fault that both share is
seen here.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler
from jsonschema import Draft202012Validator

from bot.sandbox.telnyx.middleware import PREFIX, Middleware

_SCHEMA: Final = Path(__file__).with_suffix(".json")


@functools.cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(_SCHEMA.read_text())
    return schema


@dataclass(frozen=True)
class Exchange:
    """One call of the stand-in, and what it answered."""

    method: str
    #: Without the API's version.
    path: str
    query: tuple[tuple[str, str], ...]
    #: Parsed; None where there was none, or no JSON.
    body: Any
    status: int
    answer: Any

    @property
    def operation(self) -> tuple[str, dict[str, Any]]:
        """Return the name of the operation, and what the schema has about it; raises LookupError."""
        for name, operation in sorted(_schema()["operations"].items(), key=lambda item: "{" in item[0]):
            if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(name)), f"{self.method} {self.path}"):
                return name, operation
        raise LookupError(f"Telnyx has no {self.method} {self.path}")

    def wrong_in_the_request(self) -> Iterator[str]:
        """Yield what Telnyx does not know of the request."""
        name, operation = self.operation
        for parameter, value in self.query:
            if parameter not in operation["query"]:
                yield f"{name} takes no parameter {parameter}"
            elif (values := operation["query"][parameter]) and value not in values:
                yield f"{name} does not take {value!r} for {parameter}"
        if "body" in operation:
            yield from (f"{name}, in the body: {fault}" for fault in _faults(self.body, operation["body"]))

    def wrong_in_the_answer(self) -> Iterator[str]:
        """Yield what Telnyx would not have answered; refusals, which are not described the same everywhere, aside."""
        if self.status >= HTTPStatus.BAD_REQUEST:
            return
        name, operation = self.operation
        if str(self.status) not in operation["responses"]:
            yield f"{name} never answers {self.status}"
            return
        wanted = operation["responses"][str(self.status)]
        yield from (f"{name}, in the answer: {fault}" for fault in _faults(self.answer, wanted))


def _faults(value: Any, schema: dict[str, Any]) -> Iterator[str]:
    judge = Draft202012Validator({**schema, "components": _schema()["components"]})
    for error in judge.iter_errors(value):
        if error.instance is not None:  # Telnyx's own examples are null where its types do not allow it
            yield f"{error.json_path} {error.message}"


class Recording(list[Exchange]):
    """Everything that stand-ins of Telnyx are asked and answer."""

    def around(self, serve: Any) -> Any:
        """Return ``Middleware.serve`` with a recording of what passes."""

        async def serving(middleware: Middleware, request: web.Request, handler: Handler) -> web.StreamResponse:
            body = await request.read()
            response: web.StreamResponse = await serve(middleware, request, handler)
            answer = response.body if isinstance(response, web.Response) else None
            path = request.rel_url.raw_path.removeprefix(PREFIX)
            query = tuple(request.query.items())
            exchange = Exchange(request.method, path, query, _parsed(body), response.status, _parsed(answer))
            self.append(exchange)
            return response

        return serving


def _parsed(body: Any) -> Any:
    try:
        return json.loads(body) if isinstance(body, bytes) else None
    except ValueError:
        return None
