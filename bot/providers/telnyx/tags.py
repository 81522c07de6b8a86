"""The tags in use, for menus.

``GET /user_tags`` has no pages: one call tells all tags. They are remembered for a minute, so that a person typing
letter by letter costs one call; a text that none of them contains is asked for by its beginning, as it may be new.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from bot.changes.model.settings import Choice
from bot.providers.http import PacedClient, Params
from bot.providers.menus import LONGEST, MOST
from bot.providers.telnyx.lookups import FRESH
from bot.providers.telnyx.wire import UserTags, data, parse

#: What the list is called where choices are asked for.
TAGS: Final = "tags"
_PATH: Final = "/user_tags"
#: Blanks that nobody would see, or would take for fewer: a tag with two of them is another tag.
_BLANKS: Final = re.compile(r"^\s|\s$|(?<=\s)\s|[^\S ]")


class Tags:
    """The tags of one account's numbers."""

    def __init__(self, http: PacedClient) -> None:
        self._http = http
        self._known: tuple[str, ...] = ()
        self._until = float("-inf")
        # Menus ask again before the first answer is there; one of them asks Telnyx, the others wait for it.
        self._asking = asyncio.Lock()

    async def choices(self, text: str) -> tuple[Choice, ...]:
        """Return up to 100 tags that contain ``text``, casing aside; those that begin with it come first.

        A tag longer than a menu's value is left out: half of it would be another tag.
        """
        wanted = " ".join(text.split()).casefold()
        known = await self._all()
        found = [tag for tag in known if wanted in tag.casefold()]
        if not found and wanted:
            found = list(await self._ask({"filter[starts_with]": " ".join(text.split())}))
        found.sort(key=lambda tag: (not tag.casefold().startswith(wanted), tag.casefold()))
        return tuple(Choice(tag, _BLANKS.sub("␣", tag)) for tag in found if len(tag) <= LONGEST)[:MOST]

    async def _all(self) -> tuple[str, ...]:
        async with self._asking:
            if self._until <= self._http.now():
                self._known = await self._ask({})
                self._until = self._http.now() + FRESH
            return self._known

    async def _ask(self, params: Params) -> tuple[str, ...]:
        tags = parse(UserTags, data(await self._http.read("GET", _PATH, params=params))).number_tags
        return tuple(dict.fromkeys(tag for tag in tags if tag))
