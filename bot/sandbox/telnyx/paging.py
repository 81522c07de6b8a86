"""How lists are cut into pages, and the ways in which they can be cut wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from bot.sandbox.provider.errors import JsonObject

Item = TypeVar("Item")


@dataclass(slots=True)
class Paging:
    """How all lists of an account behave; correctly by default."""

    #: Rows on a page at most, whatever size is asked for and told.
    cap: int | None = None
    #: Whether every page is the first one.
    repeats: bool = False
    #: What every page says is on all pages together: the truth, nothing at all, or this figure.
    total: Literal["true", "untold"] | int = "true"


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    number: int
    size: int
    paging: Paging

    def cut(self, items: Sequence[Item]) -> tuple[Sequence[Item], JsonObject]:
        """Return the items of this page and the ``meta`` object that goes with them."""
        paging = self.paging
        size = self.size if paging.cap is None else min(paging.cap, self.size)
        first = 0 if paging.repeats else (self.number - 1) * size
        meta: JsonObject = {"page_number": self.number, "page_size": self.size}
        if paging.total != "untold":
            total = len(items) if paging.total == "true" else paging.total
            meta |= {"total_pages": -(-total // self.size), "total_results": total}
        return items[first : first + size], meta
