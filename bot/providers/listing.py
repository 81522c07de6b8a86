"""Reading a list to its end: the conditions that can be used for it, and several calls at a time.

A list is read to its end whatever length the provider reports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import TypeAlias, TypeVar

from bot.changes.model.filter_fields import Condition, FilterField
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Shape
from bot.errors import BadRequest


class ListProgress:
    """The progress of reading a list, page after page or several pages at once.

    A list is ``whole`` after an empty page, or when as many different rows were seen as every page announced. A short
    page is not the end, as a provider may cap its pages below the requested size, and neither is a total that the rows
    contradict. A page without anything new, unless it is empty, makes the list ``stuck``: the provider repeats itself,
    and reading would never end.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._totals: set[int | None] = set()
        self._empty = False
        self._rows = 0
        #: Whether the latest page had only rows that were seen before.
        self.stuck = False

    def take(self, ids: Iterable[str], total: int | None = None) -> None:
        """Count a page by the ids of its rows; ``total`` is the number of rows that it announced for all pages."""
        listed = list(ids)
        page = set(listed)
        self._rows += len(listed)
        self.stuck = bool(page) and page <= self._seen
        self._empty = self._empty or not page
        self._seen |= page
        self._totals.add(total)

    @property
    def count(self) -> int:
        """How many different rows were seen."""
        return len(self._seen)

    @property
    def torn(self) -> bool:
        """Whether the pages contradict each other: a row came twice, or announced totals differ or are too small.

        Rows were added or removed during the reading, and one may have been missed.
        """
        totals = {-1 if total is None else total for total in self._totals}
        return self._rows > self.count or len(totals) > 1 or any(0 <= total < self.count for total in totals)

    @property
    def announced(self) -> int | None:
        """The number of rows announced by every page; None if they did not agree, or there are more already."""
        totals = set(self._totals)
        total = totals.pop() if len(totals) == 1 else None
        return total if total is not None and total >= self.count else None

    @property
    def least_announced(self) -> int | None:
        """The smallest number of rows that a page announced; None if none did."""
        return min((total for total in self._totals if total is not None), default=None)

    @property
    def whole(self) -> bool:
        """Whether there is nothing more to read."""
        return self._empty or self.announced == self.count

    @property
    def over(self) -> bool:
        """Whether reading on is useless: the list is whole, or stuck."""
        return self.whole or self.stuck


Item = TypeVar("Item")
Result = TypeVar("Result")

#: Calls under way for one question. Fewer than the client's own limit, so that a long read leaves room for a menu.
WIDTH = 6


async def together(ask: Callable[[Item], Awaitable[Result]], items: Iterable[Item]) -> list[Result]:
    """Return ``ask`` of every item, in the items' order; the first failure cancels the others and is raised."""
    gate = asyncio.Semaphore(WIDTH)

    async def one(item: Item) -> Result:
        async with gate:
            return await ask(item)

    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
    if failure is not None:
        raise failure
    return [task.result() for task in tasks]


#: Conditions that must all hold.
Conditions: TypeAlias = tuple[tuple[FilterField, Condition], ...]


def searchable(conditions: Iterable[Condition], kind: Kind, known: Collection[str], *, title: str) -> Conditions:
    """Return the conditions with their fields.

    Raises :class:`bot.errors.BadRequest` for a field that the kind does not have, or that is not among the ``known``
    ones, which can be checked in a row.
    """
    fields = {field.name: field for field in kind.filters}
    found = []
    for condition in conditions:
        field = fields.get(condition.field)
        if field is None or condition.field not in known:
            label = field.label if field else condition.field
            raise BadRequest(f"{title} cannot list numbers by “{label}”; nothing was planned.")
        found.append((field, condition))
    return tuple(found)


def digits(name: str) -> FilterField:
    """Return the filter ``name`` that finds numbers by some of their digits."""
    return FilterField(
        name=name,
        label="Phone number",
        only="with these digits",
        shape=Shape.TEXT,
        verb="contains",
        help="Three or more digits that are adjacent in the number, such as 1303.",
        min_length=3,
        digits_only=True,
    )
