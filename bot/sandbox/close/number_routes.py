"""The endpoints of phone numbers that read and update."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.sandbox.close.account import Account
from bot.sandbox.close.answers import listing, read_object
from bot.sandbox.close.behaviour import Behaviour
from bot.sandbox.close.bodies import read_settings
from bot.sandbox.close.errors import refused
from bot.sandbox.close.query import Caps, Query
from bot.sandbox.close.records import Number
from bot.sandbox.close.rows import NUMBER_FIELDS, number_row, pick, single_row
from bot.sandbox.close.rules import check_update
from bot.sandbox.provider.errors import JsonObject

Predicate = Callable[[Number], bool]


class NumberRoutes:
    """The list of numbers, single numbers, and their update."""

    def __init__(self, account: Account, behaviour: Behaviour, caps: Caps) -> None:
        self._account = account
        self._behaviour = behaviour
        self._caps = caps
        #: Parameters that the list overlooks, such as ``participant_user_id``.
        self.ignored: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, without the version in front."""
        return [
            web.get("/phone_number/", self.list_all),
            web.get("/phone_number/{id}/", self.one),
            web.put("/phone_number/{id}/", self.update),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        """Answer a page of numbers."""
        query = Query((name, value) for name, value in request.query.items() if name not in self.ignored)
        wanted, page, fields = self._filters(query), query.page(self._caps), self._fields(query)
        query.end()
        found = [number for number in self._account.newest_first() if all(holds(number) for holds in wanted)]
        numbers, more = page.cut(found, self._account.paging)
        return listing((pick(number_row(number, self._account), fields) for number in numbers), has_more=more)

    def _filters(self, query: Query) -> list[Predicate]:
        """Read the four filters; how a number is compared is not documented, here it is E.164 and exact."""
        missing = self._account.missing
        found: list[Predicate] = []
        if (exact := query.one("number")) is not None:
            found.append(lambda number: number.number == exact)
        if "user_id" not in missing and (owner := query.one("user_id")) is not None:
            found.append(lambda number: self._account.sole_member(number) == owner)
        if "is_group_number" not in missing and (shared := query.flag("is_group_number")) is not None:
            found.append(lambda number: number.is_group_number == shared)
        if (member := query.one("participant_user_id")) is not None:
            found.append(lambda number: self._account.takes_part(member, number))
        return found

    async def one(self, request: web.Request) -> web.Response:
        """Answer one number by its id; an E.164 text is not an id and gets 404."""
        query = Query(request.query.items())
        fields = self._fields(query)
        query.end()
        asked = request.match_info["id"]
        number = self._account.seen(self._number(self._account.mistaken.get(asked, asked)))
        return web.json_response(pick(single_row(number, self._account), fields))

    def _fields(self, query: Query) -> list[str] | None:
        return query.fields([name for name in NUMBER_FIELDS if name not in self._account.missing])

    async def update(self, request: web.Request) -> web.Response:
        """Change some settings of one number and answer the whole number."""
        Query(request.query.items()).end()
        body = await read_object(request)
        number = self._number(request.match_info["id"])
        row = self._updated(number, body)
        return web.json_response(row)

    def _updated(self, number: Number, body: JsonObject) -> JsonObject:
        settings = read_settings(body, self._account.missing)
        self._behaviour.refuse_if_ordered(number)
        check_update(number, settings, self._account)
        return self._behaviour.carry_out(number, settings)

    def _number(self, id_: str) -> Number:
        number = self._account.numbers.get(id_)
        if number is None:
            raise refused(404)
        return number
