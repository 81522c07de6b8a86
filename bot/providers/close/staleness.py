"""Fresh reads of the numbers of one run, just before each is changed, with the fewest calls.

A page of the list shows a hundred numbers for one call and has its own rate limit (API.md, "Rate limits"), so a run's
numbers are taken up in the order of the pages, not of the plan. Pages are read one after another, each when the numbers
of the previous one are used up, and from the beginning again at the end; numbers whose read is too old wait for their
page to return. Few numbers, or numbers that no page shows, are read one by one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from bot.changes.model.bulk_runs import NumberState, RunNumber
from bot.changes.model.kinds import Kind
from bot.errors import ProviderError
from bot.providers.close.reading import Reader
from bot.providers.close.rows import Row, values

#: Seconds for which a read counts: a change by somebody else within them cannot be detected at all, as Close has no
#: conditional update (API.md, "Updates").
FRESH: Final = 5.0
#: Fewer numbers than this are read one by one: a page would show too few of them.
_WORTH_PAGES: Final = 10


@dataclass(frozen=True, slots=True)
class FreshRead:
    """Close's answer about one number, and when it was requested."""

    #: None when the number no longer exists.
    row: Row | None
    #: In seconds of the client's clock.
    at: float


class FreshReads:
    """Hands out the numbers of one run one after another, each with its read if a page has shown it."""

    def __init__(self, reader: Reader, kind: Kind, numbers: Iterable[RunNumber], now: Callable[[], float]) -> None:
        self._reader = reader
        self._kind = kind
        #: The client's clock, in seconds.
        self.now = now
        self._left = {number.id: number for number in numbers if not number.state.over}
        self._names = sorted({name for number in self._left.values() for name in number.wanted})
        self._shown: dict[str, FreshRead] = {}
        self._ready: deque[str] = deque()
        self._skip = 0
        #: Pages in a row that showed hardly any of the numbers.
        self._misses = 0
        self._paging = True
        self._turn = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._left)

    def only_sent(self) -> None:
        """Hand out only numbers that may have been sent before."""
        self._left = {id_: number for id_, number in self._left.items() if number.state is NumberState.SENT}

    async def next(self) -> tuple[RunNumber, FreshRead | None] | None:
        """Return the next number and its read; None when there is none left."""
        async with self._turn:
            if not self._freshest() and self._worth_a_page():
                await self._page()
            if id_ := self._freshest():
                self._ready.popleft()
                return self._left.pop(id_), self._shown.pop(id_)
            for id_ in self._left:
                return self._left.pop(id_), None
            return None

    def fresh(self, seen: FreshRead) -> bool:
        """Tell whether ``seen`` still counts."""
        return self.now() - seen.at <= FRESH

    def _freshest(self) -> str:
        """Return a number with a fresh read; empty without one."""
        while self._ready:
            id_ = self._ready[0]
            if id_ in self._left and self.fresh(self._shown[id_]):
                return id_
            self._ready.popleft()
            self._shown.pop(id_, None)
        return ""

    def _worth_a_page(self) -> bool:
        """Tell whether to read another page: stop when misses exceed a tenth of the single reads."""
        waiting = sum(number.state is NumberState.WAITING for number in self._left.values())
        self._paging = self._paging and waiting >= _WORTH_PAGES and self._misses <= waiting / 10
        return self._paging

    async def _page(self) -> None:
        """Read the next page of the list. If that fails, the numbers are read one by one."""
        at = self.now()
        try:
            rows, more = await self._reader.page(self._skip, self._names)
        except ProviderError:
            self._paging = False
            return
        for row in rows:
            id_ = str(row["id"])
            number = self._left.get(id_)
            # A number that may have been sent before is read by itself: its update may arrive any moment.
            if number is None or number.state is not NumberState.WAITING:
                continue
            # If the row lacks a field that would be overwritten, a single read may return it.
            if number.wanted.keys() <= values(row, number.wanted, self._kind).keys():
                self._shown[id_] = FreshRead(row, at)
                self._ready.append(id_)
        self._misses = 0 if len(self._ready) > 1 else self._misses + 1
        self._skip = self._skip + len(rows) if more and rows else 0
