"""Pages of lists that grow at their newer end: a page is named by the entry that it follows, never by an offset.

So a page stays the same however many entries arrive meanwhile, and reading it costs the same wherever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
_Shown_co = TypeVar("_Shown_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page lies: beside the entry ``id``, on its older or on its newer side."""

    id: int
    newer: bool = False

    def __str__(self) -> str:
        return f"{'>' if self.newer else '<'}{self.id}"


def read_cursor(text: str) -> Cursor | None:
    """Return the cursor that ``str(cursor)`` wrote; None, which is the newest page, for anything else."""
    digits = text[1:]
    if text[:1] not in {"<", ">"} or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    return Cursor(int(digits), newer=text[0] == ">")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[_Shown_co]):
    """Some entries, newest first, and where to go on from them."""

    entries: Sequence[_Shown_co] = ()
    older: Cursor | None = None
    newer: Cursor | None = None


def cut(
    found: Sequence[Entry], cursor: Cursor | None, limit: int, id_of: Callable[[Entry], int]
) -> ListPage[Entry] | None:
    """Return the page of up to ``limit`` entries.

    ``found`` holds one entry more than a page, where there is one, and begins beside the cursor: newest first, or
    oldest first for a cursor on the newer side. None when the newest page has to be read in place of this one, for
    it would be a shorter part of it, or nothing at all.
    """
    more = len(found) > limit
    shown = list(found[:limit])
    if cursor is not None and (not shown or (cursor.newer and not more)):
        return None
    if cursor is not None and cursor.newer:
        shown.reverse()
        return ListPage(shown, Cursor(id_of(shown[-1])), Cursor(id_of(shown[0]), newer=True))
    older = Cursor(id_of(shown[-1])) if more else None
    return ListPage(shown, older, Cursor(id_of(shown[0]), newer=True) if cursor is not None else None)
