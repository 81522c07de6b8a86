"""The lists that settings choose from: connections, billing groups, addresses, tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from aiohttp import web

from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.answers import data, listing
from bot.sandbox.telnyx.errors import not_found
from bot.sandbox.telnyx.query import Query
from bot.sandbox.telnyx.records import Address, Connection
from bot.sandbox.telnyx.rows import address_row, billing_group_row, connection_row

CONNECTION_SORTS = ("created_at", "connection_name", "active")
ADDRESS_SORTS = ("created_at", "first_name", "last_name", "business_name", "street_address")


class _Created(Protocol):
    created_at: datetime


Record = TypeVar("Record", bound=_Created)


class LookupRoutes:
    """Read-only look-ups."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, without the version in front."""
        return [
            web.get("/connections", self.connections),
            web.get("/connections/{id}", self.connection),
            web.get("/billing_groups", self.billing_groups),
            web.get("/billing_groups/{id}", self.billing_group),
            web.get("/addresses", self.addresses),
            web.get("/addresses/{id}", self.address),
            web.get("/user_tags", self.user_tags),
        ]

    async def connections(self, request: web.Request) -> web.Response:
        """Answer a page of connections (250 by default, unlike every other list)."""
        query = Query(request.query.items(), status=400)
        part = query.pattern("filter[connection_name][contains]")
        fqdn = query.one("filter[fqdn]")
        profile = query.one("filter[outbound_voice_profile_id]")
        page, sort = query.page(self._account.paging, default_size=250), query.sort(_both_ways(CONNECTION_SORTS))
        query.end()

        def wanted(connection: Connection) -> bool:
            return (
                (part is None or part.casefold() in connection.connection_name.casefold())
                and fqdn in (None, connection.fqdn)
                and profile in (None, connection.outbound_voice_profile_id)
            )

        found = _sorted(filter(wanted, self._account.connections.values()), sort)
        rows, meta = page.cut(found)
        return listing(map(connection_row, rows), meta)

    async def connection(self, request: web.Request) -> web.Response:
        """Answer one connection."""
        Query(request.query.items()).end()
        return data(connection_row(_pick(self._account.connections, request, "/")))

    async def billing_groups(self, request: web.Request) -> web.Response:
        """Answer a page of billing groups; there is no filter and no sorting."""
        query = Query(request.query.items(), status=400)
        page = query.page(self._account.paging)
        query.end()
        rows, meta = page.cut(_sorted(self._account.billing_groups.values(), None))
        return listing(map(billing_group_row, rows), meta)

    async def billing_group(self, request: web.Request) -> web.Response:
        """Answer one billing group."""
        Query(request.query.items()).end()
        return data(billing_group_row(_pick(self._account.billing_groups, request)))

    async def addresses(self, request: web.Request) -> web.Response:
        """Answer a page of addresses."""
        query = Query(request.query.items(), status=400)
        tests = self._address_filters(query)
        page, sort = query.page(self._account.paging), query.sort(_both_ways(ADDRESS_SORTS))
        query.end()
        wanted = [address for address in self._account.addresses.values() if all(test(address) for test in tests)]
        rows, meta = page.cut(_sorted(wanted, sort))
        return listing(map(address_row, rows), meta)

    def _address_filters(self, query: Query) -> list[Callable[[Address], bool]]:
        """Read the address filters. A bare ``filter[customer_reference]`` looks for a part, as documented."""
        found: list[Callable[[Address], bool]] = []
        if (street := query.pattern("filter[street_address][contains]")) is not None:
            found.append(lambda address: street.casefold() in address.street_address.casefold())
        names = ("filter[customer_reference]", "filter[customer_reference][contains]")
        parts = [part for part in map(query.one, names) if part is not None]
        found.extend(_reference_contains(part.casefold()) for part in parts)
        if (exact := query.one("filter[customer_reference][eq]")) is not None:
            found.append(lambda address: address.customer_reference == exact)
        if (book := query.one("filter[address_book][eq]", ("true", "false"))) is not None:
            found.append(lambda address: address.address_book == (book == "true"))
        if (used := query.one("filter[used_as_emergency]", ("true", "false"))) is not None:
            in_use = self._emergency_addresses()
            found.append(lambda address: (address.id in in_use) == (used == "true"))
        return found

    def _emergency_addresses(self) -> set[str | None]:
        numbers = self._account.numbers.values()
        return {number.emergency_address_id for number in numbers if number.status == "active"}

    async def address(self, request: web.Request) -> web.Response:
        """Answer one address."""
        Query(request.query.items()).end()
        return data(address_row(_pick(self._account.addresses, request)))

    async def user_tags(self, request: web.Request) -> web.Response:
        """Answer all tags in use, in the casing of their first use; there is no paging."""
        query = Query(request.query.items(), status=400)
        prefix = (query.one("filter[starts_with]") or "").casefold()
        query.end()
        tags = [tag for tag in self._account.tags_in_use() if tag.casefold().startswith(prefix)]
        return data({"number_tags": tags, "outbound_profile_tags": []})


def _reference_contains(part: str) -> Callable[[Address], bool]:
    return lambda address: part in (address.customer_reference or "").casefold()


def _pick(records: dict[str, Record], request: web.Request, pointer: str = "/base") -> Record:
    record = records.get(request.match_info["id"])
    if record is None:
        raise not_found(pointer)
    return record


def _both_ways(sorts: Iterable[str]) -> list[str]:
    """Sorts of these lists take a ``-`` in front for descending order."""
    return [sign + sort for sort in sorts for sign in ("", "-")]


def _sorted(records: Iterable[Record], sort: str | None) -> list[Record]:
    """Return records in an order; newest first without one. Records without a value come first."""
    order = sort or "-created_at"
    name = order.removeprefix("-")
    descending = order.startswith("-")
    oldest_first = list(records)
    if descending:
        oldest_first.reverse()

    def key(record: Record) -> tuple[bool, object]:
        value = getattr(record, name)
        return (value is not None, value)

    return sorted(oldest_first, key=key, reverse=descending)
