"""Reading numbers with the fewest calls.

Named numbers are resolved by ownership checks, 1000 per call, which also tell the id and whether a number can be
changed now. A filter is resolved by its pages, whose rows also have the values; a matching number that the ownership
check does not know cannot be changed now. The missing values are then read from one or both of two lists
(``values.py``), by pages or singly (``pages.py``).

A condition that no list accepts goes to a CSV download (``downloads.py``). Its file must name numbers that the pages of
the other conditions also have, and fewer of them: a file that names them all shows nothing, as an ignored filter would
give the same.

Numbers may be added or removed while the pages of a filter are read, which shifts every later page. That shows in the
totals of the pages or in a number that comes twice; the pages are then read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from itertools import islice
from typing import Final

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.changes.model.values import JSON
from bot.errors import Unavailable
from bot.providers.answers import unasked
from bot.providers.http import PacedClient
from bot.providers.listing import together
from bot.providers.telnyx.downloads import Downloads, confirmed
from bot.providers.telnyx.pages import PAGE, Pages, Row, chunks
from bot.providers.telnyx.partial_snapshots import PartialSnapshot, PartialSnapshots, lacking, parted
from bot.providers.telnyx.search import Search
from bot.providers.telnyx.values import Source, fields, shown_along, sources
from bot.providers.telnyx.wire import Ownership, data, parse

#: The most numbers in one ownership check (API.md, "Ownership check").
OWNERSHIP: Final = 1000
#: How often the pages of a filter are read when numbers shift between them.
_SWEEPS: Final = 3


class Reader:
    """Reads numbers of one account."""

    def __init__(self, http: PacedClient, encryption: Encryption | None, downloads: Downloads) -> None:
        self._http = http
        self._downloads = downloads
        self._encryption = encryption
        self._pages = Pages(http)

    async def find(self, target: Target, names: Iterable[str], kind: Kind) -> AsyncGenerator[Snapshot, None]:
        """Stream snapshots of the target's numbers that are in the account, with the values of ``names``."""
        search = Search.of(target.conditions, kind)
        asked = dict.fromkeys(names)
        if target.whole_objects:
            asked |= dict.fromkeys(shown_along(asked, kind))
        wanted = _Wanted(target, tuple(asked), kind, search)
        if target.e164:
            self._pages.forget()  # numbers that should be gone have left a shorter list
        matched = await self._matched(wanted) if target.conditions else {}
        if target.limit is not None and len(matched) > target.limit:
            # Only their count matters now, so nothing more is read of them, and nothing can be done with them.
            for id_, draft in islice(matched.items(), target.limit + 1):
                yield Snapshot(id=id_, e164=draft.e164, status=draft.status, editable=False)
            return
        drafts = await self._drafts(wanted, matched)
        found = 0
        async with aclosing(self._snapshots(wanted, drafts)) as ready:
            async for snapshots in ready:
                for snapshot in snapshots:
                    yield snapshot
                    found += 1
                    if target.limit is not None and found > target.limit:
                        return

    async def size(self) -> int | None:
        """Return how many numbers the account has, with one call; None when Telnyx does not say."""
        return (await self._pages.first(Source.DETAIL)).total

    async def _matched(self, wanted: _Wanted) -> PartialSnapshots:
        """Return the numbers that the filter finds, without excluded ones; all of them, or a few more than the limit.

        Raises :class:`bot.errors.BadRequest` when Telnyx lists a number that does not match.
        """
        if not wanted.search.unlisted:
            return _kept(await self._listed(wanted, wanted.target.limit), wanted)
        named = await self._downloads.numbers(wanted.search)
        listed = await self._listed(wanted, None)
        both = confirmed(wanted.search, named, {draft.e164 for draft in listed.values()})
        return _kept({id_: draft for id_, draft in listed.items() if draft.e164 in both}, wanted)

    async def _listed(self, wanted: _Wanted, limit: int | None) -> PartialSnapshots:
        """Return the numbers on the filtered pages; excluded ones may be among them."""
        most = None if limit is None else limit + len(wanted.excluded) + 1
        source, _ = wanted.home
        query = wanted.search.query(source)
        for _ in range(_SWEEPS):
            listed, totals = 0, set[int | None]()
            found: PartialSnapshots = {}
            async with aclosing(self._pages.sweep(source, query, most)) as sweep:
                async for page in sweep:
                    listed += len(page.rows)
                    totals.add(page.total)
                    for row in page.rows:
                        self._accept(row, wanted, found)
            if limit is not None and len(_kept(found, wanted)) > limit:
                return found
            if listed == len(found) and totals in ({None}, {len(found)}):
                return found
        raise Unavailable(
            "Numbers came and went while Telnyx listed those that match the filter; nothing was planned. "
            "Try again in a minute."
        )

    def _accept(self, row: Row, wanted: _Wanted, found: PartialSnapshots) -> None:
        source, others = wanted.home
        wanted.search.check(row, source)
        id_ = str(row.get("id") or "")
        if not id_ or not row.get("phone_number"):
            raise Unavailable("Telnyx listed a number that matches the filter without saying which one it is.")
        found[id_] = draft = PartialSnapshot(matched=True, lacks=others)
        draft.take(row, source, wanted.fields[source], self._encryption)

    async def _drafts(self, wanted: _Wanted, matched: PartialSnapshots) -> PartialSnapshots:
        """Return all numbers to stream by their ids: matching ones, and those named besides."""
        # A hundred thousand numbers take a while, and the loop has clicks to answer meanwhile.
        named, numbers = await asyncio.to_thread(_named, wanted, matched)
        return await asyncio.to_thread(_together, wanted, matched, named, await self._owned(numbers))

    async def _snapshots(self, wanted: _Wanted, drafts: PartialSnapshots) -> AsyncGenerator[Sequence[Snapshot], None]:
        """Complete the drafts and stream them, a page at a time."""
        held: PartialSnapshots = {}
        async with aclosing(self._completed(wanted, drafts)) as ready:
            async for ids in ready:
                snapshots = []
                for id_ in ids:
                    draft = drafts[id_]
                    if wanted.excludes(id_, draft.e164):
                        continue
                    if draft.editable is not None or not wanted.target.editable_asked:
                        snapshots.append(draft.snapshot(id_, editable=draft.editable is not False))
                    else:
                        held[id_] = draft
                yield snapshots
        # Only an ownership check says whether a number can be changed, and it accepts no ids.
        editable = (await self._owned([draft.e164 for draft in held.values() if draft.e164])).keys()
        for some in chunks([*held], PAGE):
            yield [held[id_].snapshot(id_, editable=id_ in editable) for id_ in some]

    async def _completed(self, wanted: _Wanted, drafts: PartialSnapshots) -> AsyncGenerator[Sequence[str], None]:
        """Read the missing values and yield the ids of complete drafts; drop numbers that are gone."""
        for some in chunks([*drafts], PAGE):
            yield [id_ for id_ in some if not drafts[id_].lacks]
            await asyncio.sleep(0)  # others get a turn: nothing here waits for anything
        for source in Source:
            still = await asyncio.to_thread(lacking, source, drafts)
            async with aclosing(self._filled(source, still, wanted)) as filled:
                async for ids in filled:
                    yield [id_ for id_ in ids if not drafts[id_].lacks]
            for id_, draft in still.items():
                if source in draft.lacks:
                    del drafts[id_]

    async def _filled(
        self, source: Source, drafts: Mapping[str, PartialSnapshot], wanted: _Wanted
    ) -> AsyncGenerator[Sequence[str], None]:
        """Fill the drafts from ``source`` and yield the ids of those that it has, a page at a time.

        Matching numbers are on this list's filtered pages, which are fewer.
        """
        query = wanted.search.query(source)
        matched, others = await asyncio.to_thread(parted, drafts) if query else (set[str](), {*drafts})
        size = len(matched) if wanted.search.whole_in(source) else None
        gone, taken = partial(self._gone, drafts), wanted.fields[source]
        for ids, narrowing, known in ((matched, query, size), (others, {}, None)):
            async with aclosing(self._pages.rows_of(source, ids, narrowing, gone, known)) as found:
                async for rows in found:
                    for id_, row in rows:
                        draft = drafts[id_]
                        if draft.matched:
                            wanted.search.check(row, source, home=wanted.home[0])
                        draft.take(row, source, taken, self._encryption)
                    yield [id_ for id_, _ in rows]

    async def _gone(self, drafts: Mapping[str, PartialSnapshot], ids: Collection[str]) -> frozenset[str]:
        """Return those of ``ids`` that the account no longer owns, as far as their E.164 is known.

        That alone is no proof, as the check's other omissions are not documented (API.md, "Ownership check"). Together
        with a list of the whole account that does not have them either, it is.
        """
        known = {id_: e164 for id_ in ids if (e164 := drafts[id_].e164)}
        return frozenset(known) - (await self._owned([*known.values()])).keys()

    async def _owned(self, numbers: Sequence[str]) -> dict[str, str]:
        """Return id -> E.164 for those of ``numbers`` that the account owns and may change now."""

        async def ask(chunk: Sequence[str]) -> dict[str, str]:
            # A POST only because of its size: it changes nothing, so it may be repeated.
            body: JSON = {"phone_numbers": list(chunk)}
            answer = await self._http.read("POST", "/phone_numbers/actions/verify_ownership", json=body)
            found = parse(Ownership, data(answer)).found
            asked = frozenset(chunk)
            for number in found:
                if number.number_val_e164 not in asked:
                    raise unasked("Telnyx", number.number_val_e164 or number.id)
            return {number.id: number.number_val_e164 for number in found if number.id}

        owned: dict[str, str] = {}
        for found in await together(ask, chunks(numbers, OWNERSHIP)):
            owned |= found
        return owned


class _Wanted:
    """One question: which numbers, and which of their values."""

    def __init__(self, target: Target, names: Sequence[str], kind: Kind, search: Search) -> None:
        self.target = target
        self.search = search
        #: The fields to read in a row of each list.
        self.fields = {source: fields(source, names, kind) for source in Source}
        self.excluded = frozenset(target.excluded)
        self.needed = sources(names)
        self.home = search.home(self.needed)

    def excludes(self, id_: str, e164: str) -> bool:
        """Tell whether the number was excluded by either of its names."""
        return id_ in self.excluded or e164 in self.excluded


def _kept(found: PartialSnapshots, wanted: _Wanted) -> PartialSnapshots:
    """Return the numbers that are not excluded."""
    return {id_: draft for id_, draft in found.items() if not wanted.excludes(id_, draft.e164)}


def _named(wanted: _Wanted, matched: PartialSnapshots) -> tuple[Sequence[str], Sequence[str]]:
    """Return the numbers named besides matching ones, and all numbers that an ownership check accepts."""
    here = matched.keys() | {draft.e164 for draft in matched.values()}
    named = [text for text in wanted.target.identifiers if text not in here and text not in wanted.excluded]
    return named, [*(text for text in named if text.startswith("+")), *(draft.e164 for draft in matched.values())]


def _together(
    wanted: _Wanted, matched: PartialSnapshots, named: Sequence[str], owned: Mapping[str, str]
) -> PartialSnapshots:
    """Return the matching numbers and those of ``named`` besides; ``owned`` ones are known."""
    for id_, draft in matched.items():
        draft.editable = id_ in owned
    needed = frozenset(wanted.needed)
    besides = {
        id_: PartialSnapshot(e164=e164, editable=True, lacks=needed)
        for id_, e164 in owned.items()
        if id_ not in matched and id_ not in wanted.excluded
    }
    # Nothing is known about an id before its row is read, so one row is read even when no setting is requested.
    unchecked = [text for text in named if not text.startswith("+") and text not in owned]
    lacks, e164 = needed or frozenset({Source.DETAIL}), wanted.target.e164
    besides |= {id_: PartialSnapshot(e164=e164.get(id_, ""), lacks=lacks) for id_ in unchecked}
    return matched | besides
