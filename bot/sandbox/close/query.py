"""Query strings, read strictly, with all complaints in one answer.

Whether the real service ignores a parameter that it does not know is unknown
(providers/close/API.md, "Finding numbers"). An ignored filter selects every number, so a client must never send one:
the stand-in refuses it, as the schemas of the bodies do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.sandbox.close.errors import EXTRA, invalid
from bot.sandbox.provider.calls import grouped
from bot.sandbox.provider.errors import JsonObject

Item = TypeVar("Item")

DEFAULT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Caps:
    """The largest ``_limit`` and ``_skip``. Both vary per resource and are not published for any that we read.

    The defaults are the smallest reading of the first (Close's own page size) and what a third party measured for
    leads of the second.
    """

    limit: int = DEFAULT_LIMIT
    skip: int = 35_000


@dataclass(slots=True)
class Paging:
    """How all lists of an organization are cut into pages; correctly by default."""

    #: Rows on a page at most, whatever limit is asked for.
    cap: int | None = None
    #: Whether every page is the first one.
    repeats: bool = False
    #: What every page says of there being more; None for the truth.
    more: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    skip: int
    limit: int

    def cut(self, items: Sequence[Item], paging: Paging) -> tuple[Sequence[Item], bool]:
        """Return the items of this page, and whether there are more behind it."""
        first = 0 if paging.repeats else self.skip
        end = first + (self.limit if paging.cap is None else min(paging.cap, self.limit))
        return items[first:end], len(items) > end if paging.more is None else paging.more


class Query:
    """One request's parameters. ``end`` refuses what was not asked for by name, and whatever else was wrong."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values = grouped(pairs)
        self._errors: JsonObject = {}

    def one(self, name: str, choices: Collection[str] | None = None) -> str | None:
        """Return the single value of a parameter, if given."""
        values = self._values.pop(name, None)
        if values is None:
            return None
        if len(values) > 1:
            self._errors[name] = "The parameter must be given once."
        elif not values[0].strip():
            self._errors[name] = "The parameter must not be blank."
        elif choices is not None and values[0] not in choices:
            self._errors[name] = f"Input should be {' or '.join(map(repr, choices))}"
        else:
            return values[0]
        return None

    def flag(self, name: str) -> bool | None:
        """Return a boolean parameter, if given."""
        value = self.one(name, ("true", "false"))
        return None if value is None else value == "true"

    def fields(self, known: Collection[str]) -> list[str] | None:
        """Return the names in ``_fields``, if given; each of them must be a field of the resource."""
        value = self.one("_fields")
        if value is None:
            return None
        names = value.split(",")
        if unknown := [name for name in names if name not in known]:
            self._errors["_fields"] = f"Unknown field: {unknown[0]!r}"
        return names

    def page(self, caps: Caps) -> Page:
        """Return the page asked for."""
        return Page(
            skip=self._whole("_skip", default=0, least=0, most=caps.skip),
            limit=self._whole("_limit", default=min(DEFAULT_LIMIT, caps.limit), least=1, most=caps.limit),
        )

    def _whole(self, name: str, *, default: int, least: int, most: int) -> int:
        text = self.one(name)
        if text is None:
            return default
        try:
            value = int(text)
        except ValueError:
            self._errors[name] = "Input should be a valid integer, unable to parse string as an integer"
            return default
        if value < least:
            self._errors[name] = f"Input should be greater than or equal to {least}"
        elif value > most:
            self._errors[name] = f"Input should be less than or equal to {most}"
        return value

    def end(self) -> None:
        """Finish reading.

        Raises:
            RefusedError: 400 with a field error for each parameter that is unknown or unacceptable.

        """
        errors = {**self._errors, **dict.fromkeys(self._values, EXTRA)}
        if errors:
            raise invalid(errors)
