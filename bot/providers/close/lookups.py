"""Names for the ids that settings hold: users and groups.

Neither list can be searched, so each is read whole and remembered for a minute: a person typing letter by letter costs
one read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from bot.changes.model.settings import Choice
from bot.changes.model.values import JSON
from bot.errors import BadRequest, ProviderNotFound
from bot.providers.answers import clean
from bot.providers.close.kinds import GROUPS, PARTICIPANTS
from bot.providers.close.rows import Row, data, has_more, one
from bot.providers.http import PacedClient, Params
from bot.providers.listing import ListProgress, together
from bot.providers.menus import LONGEST, menu

#: Seconds for which a read list is taken as current.
FRESH: Final = 60.0
_PAGE: Final = 100
#: Most pages read; nobody picks from a menu of more people than this.
_MOST_PAGES: Final = 50

_PATHS: Final = {PARTICIPANTS: "/user/", GROUPS: "/group/"}


def label(row: Mapping[str, JSON]) -> str:
    """Return the name of a user or a group for people: ``Ana Reyes (ana@example.com)``, ``Sales``."""
    if "name" in row:
        return clean(row["name"] or "")
    name = " ".join(str(row.get(part) or "") for part in ("first_name", "last_name")).strip()
    email = str(row.get("email") or "")
    return clean(f"{name} ({email})" if name and email else name or email)


class Lookups:
    """The users and groups of one organization."""

    def __init__(self, http: PacedClient) -> None:
        self._http = http
        self._lists: dict[str, tuple[Mapping[str, str], float]] = {}
        self._members: tuple[Mapping[str, frozenset[str]], float] | None = None
        # Menus ask again before the first answer is there; one request goes to Close, the others wait for it.
        self._asking = asyncio.Lock()

    async def choices(self, setting: str, text: str) -> tuple[Choice, ...]:
        """Return up to 100 users or groups whose label contains ``text``, ignoring case."""
        wanted = " ".join(text.split()).casefold()
        found = [(id_, name) for id_, name in (await self._all(setting)).items() if wanted in name.casefold()]
        found.sort(key=lambda pair: pair[1].casefold())
        return menu(found)

    async def labels(self, setting: str, ids: Iterable[str]) -> Mapping[str, str]:
        """Return id -> label for those of ``ids`` that exist; a recent one is requested by itself."""
        wanted = set(ids)
        if not wanted:
            return {}
        known = await self._all(setting)

        async def ask(id_: str) -> tuple[str, str]:
            try:
                answer = await self._http.read(
                    "GET", f"{_PATHS[setting]}{{id}}/", parts={"id": id_}, params=_params(setting)
                )
            except (ProviderNotFound, BadRequest):  # a malformed id is treated like an unknown one
                return id_, ""
            return id_, label(one(answer, id_))

        asked = dict(await together(ask, sorted(wanted - known.keys())))
        named = {id_: known[id_] for id_ in wanted & known.keys()} | asked
        return {id_: clean(name, LONGEST) for id_, name in named.items() if name}

    async def groups_of(self, user: str) -> frozenset[str]:
        """Return the ids of the groups of ``user``. Only single groups tell their members."""
        now = self._http.now()
        if self._members is None or self._members[1] <= now:
            groups = sorted(await self._all(GROUPS))

            async def members(id_: str) -> tuple[str, frozenset[str]]:
                try:
                    answer = await self._http.read(
                        "GET", "/group/{id}/", parts={"id": id_}, params={"_fields": "id,members"}
                    )
                except ProviderNotFound:
                    return id_, frozenset()
                return id_, _members(one(answer, id_))

            self._members = (dict(await together(members, groups)), now + FRESH)
        return frozenset(id_ for id_, users in self._members[0].items() if user in users)

    async def _all(self, setting: str) -> Mapping[str, str]:
        """Return id -> label of the whole list, from memory while it is fresh."""
        async with self._asking:
            held = self._lists.get(setting)
            if held is not None and held[1] > self._http.now():
                return held[0]
            labels: dict[str, str] = {}
            skip, listing = 0, ListProgress()
            for _ in range(_MOST_PAGES):
                answer = await self._http.read("GET", _PATHS[setting], params=_params(setting, skip))
                rows = data(answer)
                page = {str(row["id"]): label(row) or str(row["id"]) for row in rows if row.get("id")}
                labels |= page
                listing.take(page)
                # Groups have no pages: unless Close says that there is more, their first answer is complete.
                more = has_more(answer) is not False and not (setting == GROUPS and has_more(answer) is None)
                if not more or listing.over:
                    break
                skip += len(rows)
            self._lists[setting] = (labels, self._http.now() + FRESH)
            return labels


def _params(setting: str, skip: int | None = None) -> Params | None:
    """Return the query: groups return their names only on request and have no pages; users are the opposite."""
    if setting == GROUPS:
        return {"_fields": "id,name"}
    return None if skip is None else {"_limit": _PAGE, "_skip": skip}


def _members(row: Row) -> frozenset[str]:
    members = row.get("members")
    entries = members if isinstance(members, list) else []
    return frozenset(str(each.get("user_id") if isinstance(each, dict) else each) for each in entries)
