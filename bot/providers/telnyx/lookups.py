"""Names for the ids that settings hold: connections, billing groups, addresses; and the tags in use.

``GET /user_tags`` has no pages: one call returns all tags. They are remembered for a minute, so that a person typing
letter by letter costs one call; a text that none of them contains is requested by its beginning, as it may be new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.changes.model.settings import Choice
from bot.changes.model.values import JSON
from bot.changes.text.characters import blanks_marked
from bot.errors import BadRequest, ProviderNotFound
from bot.providers.answers import clean
from bot.providers.http import PacedClient, Params
from bot.providers.listing import ListProgress, together
from bot.providers.menus import LONGEST, MOST, menu
from bot.providers.telnyx.settings import EMERGENCY_ADDRESS
from bot.providers.telnyx.wire import Address, BillingGroup, Connection, UserTags, data, one, parse, rows, total

#: Seconds for which an answer is taken as current. A person typing into a menu asks with every letter.
FRESH: Final = 60.0
#: Letters from which the API's own search works.
_SEARCHABLE: Final = 3
_PAGE: Final = 250
#: Pages of a list without its own search; nobody picks from a menu of more than this.
_MOST_PAGES: Final = 20


def connection_label(row: JSON) -> str:
    """Return the connection's name."""
    return parse(Connection, row).connection_name


def billing_group_label(row: JSON) -> str:
    """Return the billing group's name; empty for a deleted one."""
    group = parse(BillingGroup, row)
    return "" if group.deleted_at else group.name


def address_label(row: JSON) -> str:
    """Return an address on one line: ``Acme, 100 Main St, Denver CO 80202, US``."""
    address = parse(Address, row)
    person = f"{address.first_name} {address.last_name}"
    street = f"{address.street_address} {address.extended_address}"
    place = f"{address.locality} {address.administrative_area} {address.postal_code}"
    parts = (address.business_name.strip() or person, street, place, address.country_code)
    return ", ".join(clean(part) for part in parts if part.strip())


@dataclass(frozen=True, slots=True)
class LookupList:
    """One list in which names are looked up."""

    path: str
    label: Callable[[JSON], str]
    #: The query parameter for searches, from three letters on; empty without one.
    search: str


#: Setting -> the list of its ids. Billing groups have neither filter nor search, so all their pages are read.
LISTS: Final[Mapping[str, LookupList]] = {
    "connection_id": LookupList("/connections", connection_label, "filter[connection_name][contains]"),
    "billing_group_id": LookupList("/billing_groups", billing_group_label, ""),
    EMERGENCY_ADDRESS: LookupList("/addresses", address_label, "filter[street_address][contains]"),
}


@dataclass(frozen=True, slots=True)
class _Answered:
    """The answer of a list: id -> label in its order, and whether that is everything."""

    labels: Mapping[str, str]
    whole: bool
    until: float


class Lookups:
    """The names of one account, remembered for a minute."""

    def __init__(self, http: PacedClient) -> None:
        self._http = http
        self._listings: dict[tuple[str, str], _Answered] = {}
        self._names: dict[tuple[str, str], tuple[str, float]] = {}
        # Menus ask again before the first answer is there; one request goes to Telnyx, the others wait for it.
        self._asking: dict[tuple[str, str], asyncio.Lock] = {}

    async def choices(self, setting: str, text: str) -> tuple[Choice, ...]:
        """Return up to 100 entries of the setting's list whose label contains ``text``, ignoring case.

        A PIN that somebody has written into a name is masked.
        """
        source, wanted = LISTS[setting], " ".join(text.split())
        listing = await self._listing(source, "")
        labels = dict(listing.labels)
        searched: Mapping[str, str] = {}
        if not listing.whole and source.search and len(wanted) >= _SEARCHABLE:
            searched = (await self._listing(source, wanted)).labels
        near = {id_: label for id_, label in labels.items() if wanted.casefold() in label.casefold()}
        tell = await self._http.masking.telling()
        return menu([(id_, tell(label)) for id_, label in (near | dict(searched)).items()], whole=listing.whole)

    async def labels(self, setting: str, ids: Iterable[str]) -> Mapping[str, str]:
        """Return id -> label for those of ``ids`` that exist."""
        source, wanted = LISTS[setting], set(ids)
        if not wanted:
            return {}
        if len(wanted) > 1 or not source.search:
            await self._listing(source, "")
        known = {id_: label for id_ in wanted if (label := self._remembered(source, id_)) is not None}

        async def ask(id_: str) -> tuple[str, str]:
            try:
                row = one(await self._http.read("GET", f"{source.path}/{{id}}", parts={"id": id_}), id_)
            except (ProviderNotFound, BadRequest):  # a malformed id is treated like an unknown one
                return id_, ""
            return id_, self._remember(source, {id_: source.label(row)})[id_]

        asked = dict(await together(ask, sorted(wanted - known.keys())))
        tell = await self._http.masking.telling()  # somebody may have written a PIN into a name
        return {id_: clean(tell(label), LONGEST) for id_, label in (known | asked).items() if label}

    async def _listing(self, source: LookupList, text: str) -> _Answered:
        """Return the list, or the results of its search for ``text``, from memory while that is fresh."""
        key = (source.path, text.casefold())
        async with self._asking.setdefault(key, asyncio.Lock()):
            held = self._listings.get(key)
            if held is not None and held.until > self._http.now():
                return held
            labels: dict[str, str] = {}
            listing = ListProgress()
            for number in range(1, (1 if source.search else _MOST_PAGES) + 1):
                answer = await self._page(source, text, number)
                page = {str(row.get("id", "")): source.label(row) for row in rows(answer)}
                labels |= page
                listing.take(page, total(answer))
                if listing.over:
                    break
            labels = self._remember(source, {id_: label for id_, label in labels.items() if id_ and label})
            self._forget_old()
            held = self._listings[key] = _Answered(labels, listing.whole, self._http.now() + FRESH)
            return held

    async def _page(self, source: LookupList, text: str, number: int) -> JSON:
        params: dict[str, str | int] = {"page[number]": number, "page[size]": _PAGE}
        if text:
            params[source.search] = text
        return await self._http.read("GET", source.path, params=params)

    def _remember(self, source: LookupList, labels: dict[str, str]) -> dict[str, str]:
        until = self._http.now() + FRESH
        self._names |= {(source.path, id_): (label, until) for id_, label in labels.items()}
        return labels

    def _remembered(self, source: LookupList, id_: str) -> str | None:
        label, until = self._names.get((source.path, id_), (None, 0.0))
        return label if until > self._http.now() else None

    def _forget_old(self) -> None:
        """Drop expired entries, so that searches do not accumulate."""
        now = self._http.now()
        self._listings = {key: listing for key, listing in self._listings.items() if listing.until > now}
        self._names = {key: held for key, held in self._names.items() if held[1] > now}
        self._asking = {key: lock for key, lock in self._asking.items() if lock.locked() or key in self._listings}


#: The name of the list where choices are requested.
TAGS: Final = "tags"
_PATH: Final = "/user_tags"


class Tags:
    """The tags of one account's numbers."""

    def __init__(self, http: PacedClient) -> None:
        self._http = http
        self._known: tuple[str, ...] = ()
        self._until = float("-inf")
        # Menus ask again before the first answer is there; one request goes to Telnyx, the others wait for it.
        self._asking = asyncio.Lock()

    async def choices(self, text: str) -> tuple[Choice, ...]:
        """Return up to 100 tags that contain ``text``, ignoring case; those that begin with it come first.

        A tag longer than a menu's value is left out, as half of it would be another tag. Labels mark unusual blanks, as
        tags that differ in a blank are different tags.
        """
        wanted = " ".join(text.split()).casefold()
        known = await self._all()
        found = [tag for tag in known if wanted in tag.casefold()]
        if not found and wanted:
            found = list(await self._ask({"filter[starts_with]": " ".join(text.split())}))
        found.sort(key=lambda tag: (not tag.casefold().startswith(wanted), tag.casefold()))
        return tuple(Choice(tag, blanks_marked(tag)) for tag in found if len(tag) <= LONGEST)[:MOST]

    async def _all(self) -> tuple[str, ...]:
        async with self._asking:
            if self._until <= self._http.now():
                self._known = await self._ask({})
                self._until = self._http.now() + FRESH
            return self._known

    async def _ask(self, params: Params) -> tuple[str, ...]:
        tags = parse(UserTags, data(await self._http.read("GET", _PATH, params=params))).number_tags
        return tuple(dict.fromkeys(tag for tag in tags if tag))
