"""Reading numbers by the fewest calls.

A pasted list is resolved by ownership checks, 1000 numbers a call, which also tell the id and whether a number can
be changed now. Values are then read from one or both of two lists (``snapshots.py``), and for each either number by
number or by paging through the account, 250 a page, whichever is fewer calls. The account's size is in every page,
so the first one is read to learn it when that cannot cost more than a tenth on top.

Pages are sorted by number: by creation time, the documented default, a number bought meanwhile would shift every
later page. A number that no page had is read singly, so that none is lost to a shift.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from math import ceil
from typing import Final, TypeAlias

from bot.changes.kinds import Kind
from bot.changes.snapshots import Snapshot, Target
from bot.changes.values import JSON, Value
from bot.changes.vault import Vault
from bot.errors import BadRequest, Missing, Unavailable
from bot.providers.http import PacedClient
from bot.providers.telnyx.snapshots import Source, sources, values
from bot.providers.telnyx.together import WIDTH, together
from bot.providers.telnyx.wire import Ownership, data, parse, rows, total

Row: TypeAlias = dict[str, JSON]

#: The largest page, and the most numbers in one ownership check (telnyx.md 3.1 and 3.5).
PAGE: Final = 250
OWNERSHIP: Final = 1000
#: From this many numbers on, a call to learn the account's size is at most a tenth of what it may save.
_WORTH_ASKING: Final = 10


@dataclass(slots=True)
class _Draft:
    """One number while its values come in."""

    e164: str = ""
    status: str = ""
    values: dict[str, Value] = field(default_factory=dict)


class Reader:
    """Reads numbers of one account; remembers how many there are."""

    def __init__(self, http: PacedClient, vault: Vault | None) -> None:
        self._http = http
        self._vault = vault
        #: Numbers in the account, as the latest page said; None before the first.
        self._size: int | None = None

    async def find(self, target: Target, names: Iterable[str], kind: Kind) -> AsyncGenerator[Snapshot, None]:
        """Stream snapshots of the target's numbers that are in the account, with the values of ``names``."""
        names = tuple(dict.fromkeys(names))
        owned = await self._owned([text for text in target.identifiers if text.startswith("+")])
        unchecked = {text for text in target.identifiers if not text.startswith("+")} - owned.keys()
        needed = sources(names)
        if not needed:
            for id_, e164 in owned.items():
                yield Snapshot(id=id_, e164=e164)
            owned, needed = {}, (Source.DETAIL,) if unchecked else ()
        drafts = {id_: _Draft(e164=e164) for id_, e164 in owned.items()} | {id_: _Draft() for id_ in unchecked}
        for source in needed[:-1]:
            drafts = {id_: drafts[id_] async for id_ in self._filled(source, drafts, names, kind)}
        held: dict[str, _Draft] = {}
        for source in needed[-1:]:
            async with aclosing(self._filled(source, drafts, names, kind)) as ready:
                async for id_ in ready:
                    if id_ in unchecked:
                        held[id_] = drafts[id_]
                    else:
                        yield _snapshot(id_, drafts[id_], editable=True)
        # Only an ownership check says whether a number can be changed, and it takes no ids.
        editable = (await self._owned([draft.e164 for draft in held.values() if draft.e164])).keys()
        for id_, draft in held.items():
            yield _snapshot(id_, draft, editable=id_ in editable)

    async def count(self) -> int | None:
        """Return how many numbers the account has, by one call; None when Telnyx does not say."""
        answer = await self._page(Source.DETAIL, 1, size=1)
        return total(answer)

    async def _owned(self, numbers: Sequence[str]) -> dict[str, str]:
        """Return id -> E.164 for those of ``numbers`` that the account owns and may change now."""

        async def ask(chunk: Sequence[str]) -> Ownership:
            # A POST only because of its size: it changes nothing, so it may be tried again.
            body: JSON = {"phone_numbers": list(chunk)}
            answer = await self._http.read("POST", "/phone_numbers/actions/verify_ownership", json=body)
            return parse(Ownership, data(answer))

        answers = await together(ask, _chunks(numbers, OWNERSHIP))
        return {number.id: number.number_val_e164 for answer in answers for number in answer.found if number.id}

    async def _filled(
        self, source: Source, drafts: Mapping[str, _Draft], names: Sequence[str], kind: Kind
    ) -> AsyncGenerator[str, None]:
        """Fill the drafts from ``source`` and yield the id of each that it has."""
        async with aclosing(self._rows(source, set(drafts))) as found:
            async for id_, row in found:
                draft = drafts[id_]
                draft.e164 = str(row.get("phone_number") or draft.e164)
                draft.values |= values(row, source, names, kind, self._vault)
                if source is Source.DETAIL:
                    draft.status = str(row.get("status") or "")
                yield id_

    async def _rows(self, source: Source, missing: set[str]) -> AsyncGenerator[tuple[str, Row], None]:
        """Yield (id, row) for those of ``missing`` that exist, by pages while they are fewer than the numbers left."""
        read = 0
        while (left := self._pages(len(missing)) - read) > 0 and len(missing) > left:
            # Until the first page has told the size there is no second one to ask for.
            width = min(WIDTH, left)
            answers = await together(lambda number: self._page(source, number), range(read + 1, read + width + 1))
            read += width
            for answer in answers:
                for row in rows(answer):
                    id_ = str(row.get("id", ""))
                    if id_ in missing:
                        missing.remove(id_)
                        yield id_, row
        for chunk in _chunks(sorted(missing), WIDTH * 10):
            singles = await together(lambda id_: self._single(source, id_), chunk)
            for id_, single in zip(chunk, singles, strict=True):
                if single is not None:
                    yield id_, single

    def _pages(self, wanted: int) -> int:
        """Return how many pages the account has; unknown, it is worth one page for many numbers and none for few."""
        if self._size is None:
            return 1 if wanted > _WORTH_ASKING else 0
        return ceil(self._size / PAGE)

    async def _page(self, source: Source, number: int, size: int = PAGE) -> JSON:
        params: dict[str, str | int] = {"page[number]": number, "page[size]": size, "sort": "phone_number"}
        if source is Source.DETAIL:
            # Without it a fault of the messaging profiles, which we do not read, fails the whole page with a 503.
            params["handle_messaging_profile_error"] = "true"
        answer = await self._http.read("GET", source.value, params=params)
        known = total(answer)
        if known is None:
            listed = len(rows(answer))
            # Nobody says how many there are: a full page promises one more.
            known = (number - 1) * size + listed + (listed == size)
        self._size = known
        return answer

    async def _single(self, source: Source, id_: str) -> Row | None:
        try:
            answer = data(await self._http.read("GET", source.single, parts={"id": id_}))
        except (Missing, BadRequest):  # an id of the wrong form exists as little as an unknown one
            return None
        if not isinstance(answer, dict):
            raise Unavailable("Telnyx answered a question for one number with something else.")
        return answer


def _snapshot(id_: str, draft: _Draft, *, editable: bool) -> Snapshot:
    return Snapshot(id=id_, e164=draft.e164, status=draft.status, editable=editable, values=draft.values)


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
