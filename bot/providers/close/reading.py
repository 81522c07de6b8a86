"""Finding numbers: by reading the list page by page, or one by one where that takes fewer calls.

A list tells no total, only whether there is more, so pages are read one after another. Each page of a search begins
with the last row of the previous page: if that row is no longer there, rows have moved and one may have been missed, so
the search starts again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.errors import BadRequest, ProviderNotFound, Unavailable
from bot.providers.answers import unasked
from bot.providers.close.filters import FilterContext, Search
from bot.providers.close.kinds import FORWARDING_PAIR
from bot.providers.close.lookups import Lookups
from bot.providers.close.rights import Rights
from bot.providers.close.rows import NUMBERS, ONE_NUMBER, Row, data, has_more, one, values
from bot.providers.http import PacedClient
from bot.providers.listing import ListProgress, together

#: Rows of one page: Close's default. The maximum is not published, and larger pages are refused.
PAGE: Final = 100
#: From this many numbers on, pages are read first: one page may hold all of them.
_WORTH_LISTING: Final = 10
#: Most pages of a list: far more numbers than a change may have.
_MOST_PAGES: Final = 2000
#: Fields of every row that is read.
_ALWAYS: Final = frozenset({"id", "number"})
#: How often a search starts again because the list moved during it.
_RESTARTS: Final = 3


class Reader:
    """The numbers of one organization."""

    def __init__(self, http: PacedClient, lookups: Lookups, rights: Rights) -> None:
        self._http = http
        self._lookups = lookups
        self._rights = rights

    async def find(self, target: Target, names: Iterable[str], kind: Kind) -> AsyncGenerator[Snapshot, None]:
        """Stream snapshots; see :class:`bot.providers.base.Provider`."""
        wanted = tuple(names)
        along = FORWARDING_PAIR if target.whole_objects and not FORWARDING_PAIR.isdisjoint(wanted) else frozenset()
        most = None if target.limit is None else target.limit + 1
        seen: set[str] = set()
        async for row in self._rows(target, wanted, kind):
            id_, e164 = str(row["id"]), str(row.get("number") or "")
            if id_ in seen or {id_, e164} & set(target.excluded):
                continue
            seen.add(id_)
            doubt = await self._rights.doubt(row, wanted) if target.doubts_asked else ""
            yield _snapshot(id_, e164, row, wanted, kind, doubt=doubt, along=along)
            if most is not None and len(seen) >= most:
                return

    async def _rows(self, target: Target, names: Sequence[str], kind: Kind) -> AsyncIterator[Row]:
        if target.identifiers:
            async for row in self._named(target, names, kind):
                yield row
        if target.conditions:
            for row in await self._matching(Search.of(target.conditions, kind), target.limit):
                yield row

    async def read(self, id_: str, names: Iterable[str], kind: Kind, *, whole: bool = False) -> Row | None:
        """Return one number with the settings ``names`` as far as Close returns them; None if it does not exist.

        ``whole`` asks for all fields, for cases in which requesting them by name may be refused. A single number may
        come without fields that the list has (API.md, "Fields of a number"), so when one of ``names`` is missing, it is
        looked up in the list as well.
        """
        wanted = set(names)
        try:
            row = one(
                await self._http.read("GET", ONE_NUMBER, parts={"id": id_}, params=_fields(wanted, whole=whole)), id_
            )
        except ProviderNotFound:
            return None
        if row.get("number") and not wanted <= values(row, wanted, kind).keys():
            listed = await self._by_number(str(row["number"]), wanted, whole=whole)
            return next((each for each in listed if each.get("id") == row["id"]), row)
        return row

    async def page(self, skip: int, names: Iterable[str]) -> tuple[list[Row], bool]:
        """Return a page of the list with the settings ``names``, and whether another one follows."""
        params: dict[str, str | int] = {"_limit": PAGE, "_skip": skip, **_fields(names)}
        answer = await self._http.read("GET", NUMBERS, params=params)
        return [row for row in data(answer) if row.get("id")], has_more(answer) is True

    async def check(self) -> str:
        """Ask who we are, and return the person's name."""
        answer = await self._http.read("GET", "/me/")
        if not isinstance(answer, dict):
            raise Unavailable("Close was asked for the API key's user and answered with something else.")
        name = " ".join(str(answer.get(part) or "") for part in ("first_name", "last_name")).strip()
        return name or str(answer.get("email") or "")

    async def _named(self, target: Target, names: Sequence[str], kind: Kind) -> AsyncIterator[Row]:
        """Yield the rows of named numbers, each at most once.

        Many numbers are looked for in the list, on at most as many pages as there are numbers; those not found are
        requested one by one, as a row can slip between two pages.
        """
        missing = dict.fromkeys(target.identifiers)
        whole = target.doubts_asked
        if len(missing) >= _WORTH_LISTING:
            async for row in self._listed(missing, _fields(names, whole=whole)):
                yield row

        async def ask(identifier: str) -> Row | None:
            if not identifier.startswith("+"):
                return await self.read(identifier, names, kind, whole=whole)
            found = await self._by_number(identifier, names, whole=whole)
            return next((row for row in found if row.get("number") == identifier), None)

        for found in await together(ask, missing):
            if found is not None:
                yield found

    async def _listed(self, missing: dict[str, None], fields: dict[str, str]) -> AsyncIterator[Row]:
        """Yield the rows of the list that are among ``missing``, and remove them from it."""
        pages = 0
        async for rows in self._pages(fields):
            for row in rows:
                if keys := {str(row["id"]), str(row.get("number"))} & missing.keys():
                    yield row
                for key in keys:
                    del missing[key]
            pages += 1
            if pages >= len(missing):
                return

    async def _by_number(self, e164: str, names: Iterable[str], *, whole: bool) -> list[Row]:
        params: dict[str, str | int] = {"number": e164, "_limit": PAGE, **_fields(names, whole=whole)}
        found = data(await self._http.read("GET", NUMBERS, params=params))
        for row in found:
            if row.get("number") != e164:
                raise unasked("Close", str(row.get("number") or row.get("id") or ""))
        return found

    async def _matching(self, search: Search, limit: int | None) -> list[Row]:
        """Return the rows that meet the conditions, from a list that did not move during the reading.

        Whole rows are requested: the fields that show a condition come and go with the revisions of the API (API.md,
        "Revisions of the page"), and a field requested by name may be refused.
        """
        context = await self._context(search)
        query = search.query()
        for _ in range(_RESTARTS + 1):
            found: dict[str, Row] = {}
            last, steady = "", True
            async for rows in self._pages(query, overlap=1):
                steady = not last or last in {str(row.get("id")) for row in rows}
                if not steady:
                    break
                found |= {str(row["id"]): row for row in rows if search.holds(row, context)}
                last = str(rows[-1]["id"]) if rows else ""
                if limit is not None and len(found) > limit:
                    break
            if steady:
                return list(found.values())
        raise Unavailable("Close's list of numbers kept changing while it was read; nothing was planned. Try again.")

    async def _context(self, search: Search) -> FilterContext:
        if not search.participant:
            return FilterContext()
        return FilterContext(await self._lookups.groups_of(search.participant))

    async def _pages(self, query: dict[str, str], *, overlap: int = 0) -> AsyncIterator[list[Row]]:
        """Yield the pages of the list; each begins with the last ``overlap`` rows of the previous one.

        Whatever size was requested, the next page begins where the rows of this one end. Only an empty page, or Close's
        own statement that there is no more, is the end; a page without anything new is an error.
        """
        skip, listing = 0, ListProgress()
        for _ in range(_MOST_PAGES):
            try:
                answer = await self._http.read("GET", NUMBERS, params={**query, "_limit": PAGE, "_skip": skip})
            except BadRequest as error:
                if not skip:
                    raise
                raise BadRequest(
                    f"Close lists no more than {skip + overlap:,} numbers here, and there are more; narrow the filter, "
                    f"or name fewer numbers. {error.message}",
                    code=error.code,
                    pointer=error.pointer,
                    status=error.status,
                ) from error
            listed = data(answer)
            rows = [row for row in listed if row.get("id")]
            yield rows
            listing.take(str(row["id"]) for row in rows)
            if has_more(answer) is False or not rows:
                return
            if listing.stuck:
                raise Unavailable("Close lists the same numbers repeatedly; nothing was done. Try again later.")
            skip += len(listed) - (overlap if len(listed) > overlap else 0)
        raise Unavailable("Close lists more numbers than can be read; nothing was planned. Narrow the filter.")


def _snapshot(
    id_: str, e164: str, row: Row, names: Sequence[str], kind: Kind, *, doubt: str, along: Iterable[str]
) -> Snapshot:
    """Return the row as a snapshot, with what it shows of the settings ``along`` those that were asked for.

    A list is replaced whole. If Close does not return its content, nobody could see what would be lost, so such a
    number cannot be changed.
    """
    told = values(row, dict.fromkeys((*names, *along)), kind)
    editable = all(name in told for name in names if kind.setting(name).listed)
    return Snapshot(id=id_, e164=e164, editable=editable, doubt=doubt, values=told)


def _fields(names: Iterable[str], *, whole: bool = False) -> dict[str, str]:
    """Return the query that asks for the settings ``names``; empty for ``whole`` rows."""
    return {} if whole else {"_fields": ",".join(sorted({*_ALWAYS, *names}))}
