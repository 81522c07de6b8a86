"""Fresh looks at the numbers of one run, just before each is changed, by the fewest calls.

A page of the list shows a hundred numbers for one call and has a rate limit of its own (API.md, "Rate limits"), so the
numbers of a run are taken up in the order in which pages show them, not in the plan's. Pages are read one after the
other, each when the numbers of the one before are used up, from the beginning again at the end; what got too old waits
for its page to come round. Numbers that are few, or that pages show none of, are looked at one by one.
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

#: Seconds for which a look counts: what somebody changes within them cannot be seen by any means, as Close has no
#: conditional update (API.md, "Updates").
FRESH: Final = 5.0
#: Fewer numbers than this are looked at one by one: a page would show too few of them.
_WORTH_PAGES: Final = 10


@dataclass(frozen=True, slots=True)
class FreshRead:
    """What Close told of one number, and when it was asked."""

    #: None when it has no such number any more.
    row: Row | None
    #: By the client's clock, in seconds.
    at: float


class FreshReads:
    """Hands out the numbers of one run, one after the other, with a look at each where a page has shown it."""

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
        """Hand out only what may have been sent before."""
        self._left = {id_: number for id_, number in self._left.items() if number.state is NumberState.SENT}

    async def next(self) -> tuple[RunNumber, FreshRead | None] | None:
        """Return the next number and the look at it; None when there is none left."""
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
        """Tell whether ``look`` still counts."""
        return self.now() - seen.at <= FRESH

    def _freshest(self) -> str:
        """Return a number at which there is a fresh look; empty when there is none."""
        while self._ready:
            id_ = self._ready[0]
            if id_ in self._left and self.fresh(self._shown[id_]):
                return id_
            self._ready.popleft()
            self._shown.pop(id_, None)
        return ""

    def _worth_a_page(self) -> bool:
        """Tell whether a page may save calls: a tenth of what looks one by one would cost is risked for it."""
        waiting = sum(number.state is NumberState.WAITING for number in self._left.values())
        self._paging = self._paging and waiting >= _WORTH_PAGES and self._misses <= waiting / 10
        return self._paging

    async def _page(self) -> None:
        """Read the next page of the list. Where that fails, the numbers are looked at one by one."""
        at = self.now()
        try:
            rows, more = await self._reader.page(self._skip, self._names)
        except ProviderError:
            self._paging = False
            return
        for row in rows:
            id_ = str(row["id"])
            number = self._left.get(id_)
            # What may have been sent before is looked at by itself: its update may arrive any moment.
            if number is None or number.state is not NumberState.WAITING:
                continue
            # Where a row lacks something that would be overwritten, the number by itself may have it.
            if number.wanted.keys() <= values(row, number.wanted, self._kind).keys():
                self._shown[id_] = FreshRead(row, at)
                self._ready.append(id_)
        self._misses = 0 if len(self._ready) > 1 else self._misses + 1
        self._skip = self._skip + len(rows) if more and rows else 0
