"""Rows of Telnyx's lists of numbers: page by page, or one by one where that is fewer calls.

The size of a list is in every page of it, so the first one is read to learn it when that cannot cost more than a
tenth on top. Pages are sorted by number: by creation time, the documented default, a number bought meanwhile would
shift every later page.

On which page of the whole list a number was seen is remembered, so that a thousand out of a hundred thousand are read
again by a few pages. That is only where they are looked for first: what is not there is looked for as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from math import ceil
from typing import Final, TypeAlias, cast

from bot.changes.model.values import JSON
from bot.errors import BadRequest, ProviderNotFound, Unavailable
from bot.providers.http import PacedClient, Params
from bot.providers.listing import WIDTH, ListProgress, together
from bot.providers.telnyx.search import Query
from bot.providers.telnyx.values import Source
from bot.providers.telnyx.wire import one, rows, total

Row: TypeAlias = dict[str, JSON]
#: Tells which of these ids are of numbers that are not in the account any more, or says nothing of them.
Gone: TypeAlias = Callable[[Collection[str]], Awaitable[frozenset[str]]]

#: The largest page (API.md, "Lists of numbers").
PAGE: Final = 250
#: Pages of a list at most: a million numbers, far more than a change may have.
_MOST_PAGES: Final = 4000
#: From this many numbers on, a call to learn a list's size is at most a tenth of what it may save.
_WORTH_ASKING: Final = 10
#: Numbers whose pages are remembered at most: those of two of the largest changes.
_REMEMBERED: Final = 200_000


@dataclass(frozen=True, slots=True)
class NumberPage:
    """One page of a list."""

    #: From 1.
    number: int
    rows: Sequence[Row]
    #: Rows on all pages together, as Telnyx says; None when it does not.
    total: int | None
    #: The same, or without its word: the rows up to here, and one more when the page is full.
    known: int


class Pages:
    """The lists of one account; remembers how many numbers there are in it."""

    def __init__(self, http: PacedClient) -> None:
        self._http = http
        #: Numbers in the account, as the latest page without a filter said; None before the first.
        self._size: int | None = None
        #: Id of a number -> the page without a filter on which it was seen last. Both lists are sorted alike.
        self._seen: dict[str, int] = {}

    def forget(self) -> None:
        """Learn anew how many numbers there are, and on which pages they are."""
        self._size = None
        self._seen.clear()

    async def first(self, source: Source) -> NumberPage:
        """Return a page of one row, for the sake of its total."""
        return await self._page(source, 1, {}, size=1)

    async def sweep(self, source: Source, query: Query, most: int | None = None) -> AsyncGenerator[NumberPage, None]:
        """Yield the pages of the list that ``query`` leaves, until it ends, ``most`` rows were read, or it is torn.

        Several are asked for at once as far as the pages so far announce more. Raises
        :class:`bot.errors.Unavailable` when the list does not end (:mod:`bot.providers.listing`).
        """
        listing, read, width = ListProgress(), 0, 1
        while read < _MOST_PAGES:
            numbers = range(read + 1, read + width + 1)
            read += width
            for page in await together(lambda number: self._page(source, number, query), numbers):
                yield page
                listing.take((_key(row) for row in page.rows), page.total)
                if listing.over or listing.torn or (most is not None and listing.count >= most):
                    break
                await asyncio.sleep(0)  # others get a turn before the next page is worked through
            if listing.stuck:
                raise Unavailable("Telnyx lists the same numbers repeatedly; nothing was done. Try again later.")
            if listing.over or listing.torn or (most is not None and listing.count >= most):
                return
            left = min((listing.announced or 0) - listing.count, (most or _MOST_PAGES * PAGE) - listing.count)
            width = min(WIDTH, max(1, ceil(left * read / listing.count)))
        raise Unavailable("Telnyx lists more numbers than can be read; nothing was planned. Narrow the filter.")

    async def rows_of(
        self, source: Source, wanted: set[str], query: Query, gone: Gone, size: int | None = None
    ) -> AsyncGenerator[Sequence[tuple[str, Row]], None]:
        """Yield (id, row) for those of ``wanted`` that exist, by pages while they are fewer than the numbers left.

        They come in portions of a page: to hand on a hundred thousand one by one takes longer than to read them.

        ``query`` narrows the pages down to those that hold the numbers, ``size`` is the number of rows that it
        leaves, where that is known. A number that no page had is read singly, so that none is lost to a shift. Only
        where every page of the account was read, and there are many, those that ``gone`` names are not.
        """
        if size is None and (not query or len(wanted) <= _WORTH_ASKING):
            size = self._size
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        # A hundred thousand take a while, and the loop has clicks to answer meanwhile.
        walk = await asyncio.to_thread(_Walk, wanted, size, {} if query else self._seen)
        asked = self._ask(source, query, walk)
        try:
            while asked is not None:
                found = [walk.take(page) for page in await asked]
                asked = self._ask(source, query, walk)  # these come while the others are worked through
                for each in found:
                    await asyncio.sleep(0)
                    yield each
        finally:
            if asked is not None:
                asked.cancel()
                await asyncio.gather(asked, return_exceptions=True)
        if walk.whole and not query and len(walk.missing) > _WORTH_ASKING:
            walk.missing -= await gone(walk.missing)
        for chunk in chunks(sorted(walk.missing), WIDTH * 10):
            singles = await together(lambda id_: self._single(source, id_), chunk)
            yield [(id_, single) for id_, single in zip(chunk, singles, strict=True) if single is not None]

    def _ask(self, source: Source, query: Query, walk: _Walk) -> asyncio.Task[list[NumberPage]] | None:
        """Ask for the next pages of a walk; None when none is worth it."""
        numbers = walk.following()
        if not numbers:
            return None
        return asyncio.create_task(together(lambda number: self._page(source, number, query), numbers))

    async def _page(self, source: Source, number: int, query: Query, size: int = PAGE) -> NumberPage:
        params: Query = {"page[number]": number, "page[size]": size, "sort": "phone_number", **query}
        if source is Source.DETAIL:
            # Without it a fault of the messaging profiles, which we do not read, fails the whole page with a 503.
            params["handle_messaging_profile_error"] = "true"
        # httpx repeats a parameter that is a list; the client's own type does not mention lists.
        answer = await self._http.read("GET", source.value, params=cast("Params", params))
        listed, told = rows(answer), total(answer)
        # Where nobody says how many there are, a full page promises one more.
        known = (number - 1) * size + len(listed) + (len(listed) == size) if told is None else told
        if not query:
            self._size = known
        return NumberPage(number, listed, told, known)

    async def _single(self, source: Source, id_: str) -> Row | None:
        try:
            row = one(await self._http.read("GET", source.single, parts={"id": id_}), id_)
        except (ProviderNotFound, BadRequest):  # an id of the wrong form exists as little as an unknown one
            return None
        if not row.get("phone_number"):
            raise Unavailable("Telnyx was asked for one number and answered without saying which one it is.")
        return row


class _Walk:
    """A list that is read for the sake of some numbers."""

    def __init__(self, wanted: Collection[str], size: int | None, seen: dict[str, int]) -> None:
        #: The ids that no page had so far.
        self.missing = set(wanted)
        self._most = len(wanted)
        self._size = size
        self._seen = seen
        #: Where the numbers were when they were seen last; another reader may forget that while this one looks.
        self._likely = sorted({page for id_ in wanted if (page := seen.get(id_))})
        self._asked: set[int] = set()
        self._listing = ListProgress()
        #: Whether a page had one of the numbers without saying which number it is.
        self._unnamed = False

    def following(self) -> Sequence[int]:
        """Return the pages that are asked for next: none once single reads are no more calls, and have an end."""
        pages = _pages(self._size, len(self.missing))
        likely = [number for number in self._likely if number not in self._asked and number <= pages]
        if likely and len(likely) < len(self.missing):
            return self._asking(likely[:WIDTH])
        left = pages - len(self._asked)
        # Until the first page has told the size there is no second one to ask for.
        width = min(WIDTH, left)
        if left <= 0 or len(self.missing) <= left or self._listing.over or len(self._asked) + width > self._most:
            return ()
        return self._asking(list(islice((number for number in count(1) if number not in self._asked), width)))

    @property
    def whole(self) -> bool:
        """Whether every row was seen, as far as the pages tell."""
        return self._listing.whole and not self._listing.torn and not self._unnamed

    def _asking(self, numbers: Sequence[int]) -> Sequence[int]:
        self._asked.update(numbers)
        return numbers

    def take(self, page: NumberPage) -> list[tuple[str, Row]]:
        """Count a page and return (id, row) for those of its numbers that were missing."""
        self._size = page.known
        keys = [_key(row) for row in page.rows]
        self._listing.take(keys, page.total)
        found = []
        for id_, row in zip(keys, page.rows, strict=True):
            if id_ not in self.missing:
                continue
            if not row.get("phone_number"):
                self._unnamed = True
                continue
            self.missing.remove(id_)
            self._seen[id_] = page.number
            found.append((id_, row))
        return found


def _key(row: Row) -> str:
    """Return what tells a row from others: its id, or all of it where it has none."""
    return str(row.get("id") or row)


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Return ``items`` in pieces of at most ``size``."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _pages(size: int | None, wanted: int) -> int:
    """Return how many pages a list has; unknown, it is worth one page for many numbers and none for few."""
    if size is None:
        return 1 if wanted > _WORTH_ASKING else 0
    return ceil(size / PAGE)
