"""Query strings, read strictly: single and repeated parameters, paging and sorting (deepObject style).

The real service is known to ignore a query parameter that it does not recognise and to answer with
unfiltered results. Under an endpoint that changes numbers that would be a disaster, so a client must never
send one. The stand-in is therefore stricter: an unknown parameter is refused with 400, an unacceptable
value with 422, both with code 10031 ("Invalid request filter"), which the API's error table lists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bot.sandbox.provider.calls import grouped
from bot.sandbox.telnyx.errors import bad_filter, bad_page, bad_sort
from bot.sandbox.telnyx.paging import Page, Paging

MAX_PAGE = 250


class Query:
    """One request's parameters. Whatever was not asked for by name is refused by ``end``.

    Args:
        pairs: the decoded names and values, in order.
        status: the status for unacceptable paging and sorting (the look-up lists declare only 400).

    """

    def __init__(self, pairs: Iterable[tuple[str, str]], *, status: int = 422) -> None:
        self._values = grouped(pairs)
        self._known: set[str] = set()
        self._status = status

    def _know(self, name: str) -> None:
        """Remember the filter without its operator, so that a wrong operator is told from a wrong filter."""
        filter_name, bracket, _operator = name.partition("]")
        self._known.add(filter_name + bracket)

    def one(self, name: str, choices: Collection[str] | None = None) -> str | None:
        """Return the single value of a parameter, if given; a blank or repeated one is refused."""
        self._know(name)
        values = self._values.pop(name, None)
        if values is None:
            return None
        if len(values) > 1:
            raise bad_filter(name, "The parameter must be given once.")
        if not values[0].strip():
            raise bad_filter(name, "The parameter must not be blank.")
        if choices is not None and values[0] not in choices:
            raise bad_filter(name, f"The value must be one of {', '.join(sorted(choices))}.")
        return values[0]

    def pattern(self, name: str) -> str | None:
        """Return the text to look for inside a field; it must have at least three characters."""
        part = self.one(name)
        if part is not None and len(part) < 3:
            raise bad_filter(name, "The filter requires at least three characters.")
        return part

    def many(self, name: str, *, scalar: bool) -> list[str]:
        """Return the values of a repeated ``name[]``, or of a plain ``name`` when ``scalar`` allows it."""
        self._know(name)
        values = self._values.pop(f"{name}[]", [])
        if scalar:
            values = self._values.pop(name, []) + values
        return values

    def page(self, paging: Paging, default_size: int = 20) -> Page:
        """Return the page asked for: number from 1, size 1 to 250."""
        number, size = self._page_part("number", 1), self._page_part("size", default_size)
        if size > MAX_PAGE:
            raise bad_page("size", status=self._status)
        return Page(number, size, paging)

    def _page_part(self, part: str, default: int) -> int:
        values = self._values.pop(f"page[{part}]", None)
        if values is None:
            return default
        if len(values) > 1 or not (values[0].isascii() and values[0].isdigit()) or int(values[0]) < 1:
            raise bad_page(part, status=self._status)
        return int(values[0])

    def sort(self, choices: Collection[str]) -> str | None:
        """Return the sort order asked for, if any."""
        values = self._values.pop("sort", None)
        if values is None:
            return None
        if len(values) > 1 or values[0] not in choices:
            raise bad_sort(status=self._status)
        return values[0]

    def end(self) -> None:
        """Refuse what is left: a known filter in a wrong form with 422, anything unknown with 400."""
        for name in self._values:
            if any(name == known or name.startswith(f"{known}[") for known in self._known):
                raise bad_filter(name, "The filter does not accept a value in this form.")
            raise bad_filter(name, "The filter is not known here.", status=400)
