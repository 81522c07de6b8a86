"""Rows of Telnyx's lists of numbers: page by page, or one by one where that takes fewer calls.

Every page of a list has the list's size, so the first page is read to learn it when that cannot cost more than a tenth
on top. Pages are sorted by number: sorted by creation time, the documented default, every later page would shift when a
number is bought meanwhile.

The page on which a number was seen in the whole list is remembered, so that reading a thousand out of a hundred
thousand again takes a few pages. That is only where the search begins: numbers not found there are searched for as
usual.
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
#: Tells which of these ids belong to numbers that are no longer in the account, or nothing.
Gone: TypeAlias = Callable[[Collection[str]], Awaitable[frozenset[str]]]

#: Code of "One or more invalid IDs" (API.md, "Errors"): such an id is treated like an unknown one.
_INVALID_ID: Final = "10022"
#: The largest page (API.md, "Lists of numbers").
PAGE: Final = 250
#: Most pages of a list: a million numbers, far more than a change may have.
_MOST_PAGES: Final = 4000
#: From this many numbers on, a call to learn a list's size costs at most a tenth of what it may save.
_WORTH_ASKING: Final = 10
#: Most numbers whose pages are remembered: those of two of the largest changes.
_REMEMBERED: Final = 200_000


@dataclass(frozen=True, slots=True)
class NumberPage:
    """One page of a list."""

    #: From 1.
    number: int
    rows: Sequence[Row]
    #: Rows on all pages together, according to Telnyx; None when it does not say.
    total: int | None
    #: The same or, if unknown, the rows up to here, and one more when the page is full.
    known: int


class Pages:
    """The lists of one account; remembers how many numbers the account has."""

    def __init__(self, http: PacedClient) -> None:
        self._http = http
        #: Numbers in the account, according to the latest page without a filter; None before the first.
        self._size: int | None = None
        #: Id of a number -> the unfiltered page on which it was last seen. Both lists are sorted alike.
        self._seen: dict[str, int] = {}

    def forget(self) -> None:
        """Forget how many numbers there are, and on which pages they are."""
        self._size = None
        self._seen.clear()

    async def first(self, source: Source) -> NumberPage:
        """Return a page of one row, to learn the total."""
        return await self._page(source, 1, {}, size=1)

    async def sweep(self, source: Source, query: Query, most: int | None = None) -> AsyncGenerator[NumberPage, None]:
        """Yield the filtered pages of ``query`` until the list ends, ``most`` rows were read, or it is torn.

        Several pages are requested at once as far as earlier pages announce more. Raises
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
                await asyncio.sleep(0)  # others get a turn before the next page is processed
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

        They come in portions of a page: yielding a hundred thousand one by one takes longer than reading them.

        ``query`` restricts the pages to those with the numbers; ``size`` is the number of its rows, if known. A number
        that no page had is read singly, so that a shift loses none. Only when every page of the account was read, and
        many numbers are left, those that ``gone`` names are skipped.
        """
        if size is None and (not query or len(wanted) <= _WORTH_ASKING):
            size = self._size
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        # A hundred thousand numbers take a while, and the loop has clicks to answer meanwhile.
        walk = await asyncio.to_thread(_Walk, wanted, size, {} if query else self._seen)
        asked = self._ask(source, query, walk)
        try:
            while asked is not None:
                found = [walk.take(page) for page in await asked]
                asked = self._ask(source, query, walk)  # these arrive while the others are processed
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
        """Request the next pages of a walk; None when none is worth it."""
        numbers = walk.following()
        if not numbers:
            return None
        return asyncio.create_task(together(lambda number: self._page(source, number, query), numbers))

    async def _page(self, source: Source, number: int, query: Query, size: int = PAGE) -> NumberPage:
        params: Query = {"page[number]": number, "page[size]": size, "sort": "phone_number", **query}
        if source is Source.DETAIL:
            # Without it, a fault of the messaging profiles, which we do not read, fails the whole page with a 503.
            params["handle_messaging_profile_error"] = "true"
        # httpx repeats a parameter that is a list; the client's own type does not include lists.
        answer = await self._http.read("GET", source.value, params=cast("Params", params))
        listed, told = rows(answer), total(answer)
        # Without a total, a full page promises one more row.
        known = (number - 1) * size + len(listed) + (len(listed) == size) if told is None else told
        if not query:
            self._size = known
        return NumberPage(number, listed, told, known)

    async def _single(self, source: Source, id_: str) -> Row | None:
        try:
            row = one(await self._http.read("GET", source.single, parts={"id": id_}), id_)
        except ProviderNotFound:
            return None
        except BadRequest as error:
            if error.code == _INVALID_ID:
                return None
            # Any other refusal, such as "Resource is being processed", is no proof that the number is gone.
            raise Unavailable(f"Telnyx does not say whether it has the number {id_}. {error.message}") from error
        if not row.get("phone_number"):
            raise Unavailable("Telnyx was asked for one number and answered without saying which one it is.")
        return row


class _Walk:
    """Reading a list for certain numbers."""

    def __init__(self, wanted: Collection[str], size: int | None, seen: dict[str, int]) -> None:
        #: The ids that no page had so far.
        self.missing = set(wanted)
        self._most = len(wanted)
        self._size = size
        self._seen = seen
        #: The pages on which the numbers were last seen; another reader may forget that during this walk.
        self._likely = sorted({page for id_ in wanted if (page := seen.get(id_))})
        self._asked: set[int] = set()
        self._listing = ListProgress()
        #: Whether a page had one of the numbers without its id.
        self._unnamed = False

    def following(self) -> Sequence[int]:
        """Return the pages to request next: none once single reads take no more calls, and certainly end."""
        pages = _pages(self._size, len(self.missing))
        likely = [number for number in self._likely if number not in self._asked and number <= pages]
        if likely and len(likely) < len(self.missing):
            return self._asking(likely[:WIDTH])
        left = pages - len(self._asked)
        # Until the first page has told the size, there is no second one to request.
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
    """Return a key that distinguishes a row from others: its id, or all of it if it has none."""
    return str(row.get("id") or row)


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Return ``items`` in pieces of at most ``size``."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _pages(size: int | None, wanted: int) -> int:
    """Return how many pages a list has; if unknown, one page is worth reading for many numbers and none for few."""
    if size is None:
        return 1 if wanted > _WORTH_ASKING else 0
    return ceil(size / PAGE)
