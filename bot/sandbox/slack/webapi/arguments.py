"""A call's arguments, from query string, form or JSON body; JSON values come as strings or as themselves."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from bot.sandbox.slack.records import Json
from bot.sandbox.slack.refusal import Refusal, invalid_arguments

T = TypeVar("T")


class Arguments:
    """The parameters of one call."""

    def __init__(self, raw: Json) -> None:
        self.raw = raw

    def text(self, name: str) -> str | None:
        """Return a string argument, or None when it is absent."""
        value = self.raw.get(name)
        if value is None:
            return None
        return value if isinstance(value, str) else str(value)

    def required(self, name: str) -> str:
        """Return a string argument; raises Refusal ``invalid_arguments`` without it."""
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name} [json-pointer:/{name}]")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean argument in any of its spellings."""
        value = self.raw.get(name)
        if value is None:
            return default
        return str(value).lower() in {"1", "true"}

    def number(self, name: str, *, default: int) -> int:
        """Return a whole number; raises Refusal ``invalid_arguments`` for anything else."""
        value = self.raw.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise invalid_arguments(f"must be an integer [json-pointer:/{name}]") from error

    def names(self, name: str) -> list[str]:
        """Return a comma list, or a JSON list of strings."""
        value = self.raw.get(name)
        if isinstance(value, list):
            return [str(each) for each in value]
        return [each.strip() for each in str(value or "").split(",") if each.strip()]

    def parsed(self, name: str, error: str = "invalid_arguments") -> Any:  # noqa: ANN401 - whatever JSON the app sent
        """Return a JSON argument, or None when it is absent; raises Refusal ``error`` when it is not JSON."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        if value == "":
            return None
        try:
            return json.loads(value)
        except ValueError as problem:
            raise Refusal(error) from problem


def page(items: list[T], arguments: Arguments, *, most: int, default: int) -> tuple[list[T], str]:
    """Return one page of a list and the cursor of the next, empty at the end; cursors are opaque to the app."""
    limit = arguments.number("limit", default=default) or default
    if not 1 <= limit <= most:
        raise Refusal("invalid_limit")
    cursor = arguments.text("cursor") or "next:0"
    head, _, start = cursor.partition(":")
    if head != "next" or not start.isdigit():
        raise Refusal("invalid_cursor")
    begin = int(start)
    end = begin + limit
    return items[begin:end], f"next:{end}" if end < len(items) else ""
