"""What settings refer to: users and groups; and who is asking."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web

from bot.sandbox.close.account import Account
from bot.sandbox.close.answers import listing
from bot.sandbox.close.errors import refused
from bot.sandbox.close.query import Caps, Query
from bot.sandbox.close.rows import GROUP_FIELDS, ME_FIELDS, group_row, me_row, pick, user_row

ORDERS = ("last_name,first_name", "first_name,last_name")
#: What a group shows unless more is asked for: names and members have to be asked for
#: (providers/close/API.md, "Users and groups").
_BARE = ["id", "organization_id"]

Record = TypeVar("Record")


class LookupRoutes:
    """Read-only look-ups."""

    def __init__(self, account: Account, caps: Caps) -> None:
        self._account = account
        self._caps = caps

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, without the version in front."""
        return [
            web.get("/me/", self.me),
            web.get("/user/", self.users),
            web.get("/user/{id}/", self.user),
            web.get("/group/", self.groups),
            web.get("/group/{id}/", self.group),
        ]

    async def me(self, request: web.Request) -> web.Response:
        """Answer the acting user."""
        query = Query(request.query.items())
        fields = query.fields(ME_FIELDS)
        query.end()
        return web.json_response(pick(me_row(self._account), fields))

    async def users(self, request: web.Request) -> web.Response:
        """Answer a page of users, by default in the order in which they came."""
        query = Query(request.query.items())
        order, page = query.one("_order_by", ORDERS), query.page(self._caps)
        query.end()
        found = list(self._account.users.values())
        if order is not None:
            first, second = order.split(",")
            found.sort(key=lambda user: (getattr(user, first), getattr(user, second)))
        users, more = page.cut(found, self._account.paging)
        return listing((user_row(user, self._account) for user in users), has_more=more)

    async def user(self, request: web.Request) -> web.Response:
        """Answer one user; the parameters that the list has are documented here too, and mean nothing."""
        query = Query(request.query.items())
        query.one("_order_by", ORDERS)
        query.page(self._caps)
        query.end()
        return web.json_response(user_row(_found(self._account.users, request), self._account))

    async def groups(self, request: web.Request) -> web.Response:
        """Answer all groups; there is no paging, and members cannot be asked for here."""
        query = Query(request.query.items())
        fields = query.fields([name for name in GROUP_FIELDS if name != "members"])
        query.end()
        rows = (pick(group_row(group, self._account), fields or _BARE) for group in self._account.groups.values())
        return listing(rows, has_more=False)

    async def group(self, request: web.Request) -> web.Response:
        """Answer one group."""
        query = Query(request.query.items())
        fields = query.fields(GROUP_FIELDS)
        query.end()
        group = _found(self._account.groups, request)
        return web.json_response(pick(group_row(group, self._account), fields or _BARE))


def _found(records: dict[str, Record], request: web.Request) -> Record:
    record = records.get(request.match_info["id"])
    if record is None:
        raise refused(404)
    return record
