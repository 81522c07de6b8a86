"""The endpoints that read numbers, and the one that changes a single number."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.sandbox.provider.errors import JsonObject
from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.answers import data, listing, read_object
from bot.sandbox.telnyx.behaviour import Behaviour
from bot.sandbox.telnyx.bodies import PATCH_FIELDS, check_fields, read_e164, read_update
from bot.sandbox.telnyx.errors import TelnyxRefusedError, bad_filter, not_found
from bot.sandbox.telnyx.filters import (
    LIST_FILTERS,
    NUMBER_SORTS,
    SLIM_FILTERS,
    STATUS_FILTER,
    VOICE_FILTERS,
    Predicate,
    read_number_filters,
    select,
)
from bot.sandbox.telnyx.query import Query
from bot.sandbox.telnyx.records import Number
from bot.sandbox.telnyx.rows import detailed_row, slim_row, voice_row

_FLAG = ("true", "false")
#: The slim list's enum has one status with an underscore; it is taken as it stands.
_SLIM_STATUSES = tuple("port_pending" if status == "port-pending" else status for status in STATUS_FILTER)


class NumberRoutes:
    """Lists of numbers, single numbers, their voice settings, and the ownership check."""

    def __init__(self, account: Account, behaviour: Behaviour) -> None:
        self._account = account
        self._behaviour = behaviour
        #: Parameters that the lists overlook, such as ``filter[tag]``, as the real service is known to do.
        self.ignored: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, without the version in front."""
        return [
            web.get("/phone_numbers", self.list_all),
            web.get("/phone_numbers/slim", self.list_slim),
            web.get("/phone_numbers/voice", self.list_voice),
            web.post("/phone_numbers/actions/verify_ownership", self.verify_ownership),
            web.get("/phone_numbers/{id}", self.one),
            web.patch("/phone_numbers/{id}", self.update),
            web.get("/phone_numbers/{id}/voice", self.one_voice),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        """Answer a page of numbers."""
        query = self._query(request)
        query.one("handle_messaging_profile_error", _FLAG)
        wanted = read_number_filters(query, self._account, LIST_FILTERS)
        return self._page(query, wanted, lambda number: detailed_row(number, self._account))

    async def list_slim(self, request: web.Request) -> web.Response:
        """Answer a page of slim rows.

        What ``include_tags`` and ``include_connection`` add is not documented; here it is ``tags`` and
        ``connection_name``. The filters that need one of them are refused without it.
        """
        query = self._query(request)
        with_tags = query.one("include_tags", _FLAG) == "true"
        with_connection = query.one("include_connection", _FLAG) == "true"
        for name in request.query:
            if name == "filter[tag]" and not with_tags:
                raise bad_filter(name, "The filter requires the include_tags parameter.")
            if name.startswith("filter[voice.connection_name]") and not with_connection:
                raise bad_filter(name, "The filter requires the include_connection parameter.")
        wanted = read_number_filters(query, self._account, SLIM_FILTERS, statuses=_SLIM_STATUSES)

        def row(number: Number) -> JsonObject:
            found = slim_row(number)
            if with_tags:
                found["tags"] = [*number.tags]
            if with_connection:
                found["connection_name"] = self._account.connection_name(number)
            return found

        return self._page(query, wanted, row)

    async def list_voice(self, request: web.Request) -> web.Response:
        """Answer a page of voice settings."""
        query = self._query(request)
        wanted = read_number_filters(query, self._account, VOICE_FILTERS)
        return self._page(query, wanted, voice_row)

    def _query(self, request: web.Request) -> Query:
        return Query((name, value) for name, value in request.query.items() if name not in self.ignored)

    def _page(
        self,
        query: Query,
        wanted: list[Predicate],
        row: Callable[[Number], JsonObject],
    ) -> web.Response:
        page, sort = query.page(self._account.paging), query.sort(NUMBER_SORTS)
        query.end()
        numbers, meta = page.cut(select(self._account.ordered(sort), wanted))
        return listing(map(row, map(self._account.as_read, numbers)), meta)

    async def one(self, request: web.Request) -> web.Response:
        """Answer one number by its id; an E.164 text is not an id and gets 404."""
        return data(detailed_row(self._number(request), self._account))

    async def update(self, request: web.Request) -> web.Response:
        """Change one number at once and answer it."""
        number = self._found(request)
        body = await read_object(request)
        check_fields(body, PATCH_FIELDS)
        settings = read_update(body, self._account)
        if (problem := self._behaviour.carry_out(number, "update_phone_numbers", settings, [])) is not None:
            raise TelnyxRefusedError(422, problem)
        return data(detailed_row(number, self._account))

    async def one_voice(self, request: web.Request) -> web.Response:
        """Answer the voice settings of one number by its id."""
        return data(voice_row(self._number(request)))

    def _number(self, request: web.Request) -> Number:
        return self._account.as_read(self._found(request))

    def _found(self, request: web.Request) -> Number:
        Query(request.query.items()).end()
        asked = request.match_info["id"]
        number = self._account.numbers.get(self._account.mistaken.get(asked, asked))
        if number is None:
            raise not_found()
        return number

    async def verify_ownership(self, request: web.Request) -> web.Response:
        """Answer which of up to 1000 E.164 numbers the account has in an editable state."""
        Query(request.query.items()).end()
        asked = read_e164(await read_object(request))
        found = [number for e164 in asked if (number := self._account.find_editable(e164)) is not None]
        found += [self._account.numbers[id_] for id_ in self._account.intruders]
        owned = {number.phone_number for number in found}
        return data(
            {
                "record_type": "number_ownership_verification",
                "found": [{"id": number.id, "number_val_e164": number.phone_number} for number in found],
                "not_found": [e164 for e164 in asked if e164 not in owned],
            },
        )
