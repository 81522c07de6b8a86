"""Lists of changes, a page at a time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Final

from bot.changes.glances import Glance
from bot.changes.listings import Listing, read_listing
from bot.changes.paging import Cursor, Page, cut
from bot.workflow.authority import Authority
from bot.workflow.context import Context

#: Changes on one page: with their reasons they stay within what Slack takes in one message.
PAGE: Final = 8


class Listings:
    """Reads lists, for whoever may look."""

    def __init__(self, context: Context, authority: Authority) -> None:
        self._context = context
        self._authority = authority

    @property
    def kinds(self) -> Collection[str]:
        """Names of the kinds that can be shown: those whose provider is switched on."""
        return [kind.name for kind in self._context.catalogue.kinds]

    def read(self, text: str, *, by: str) -> Listing:
        """Return what ``text`` asks for; raises :class:`bot.errors.InputError` with every mistake at once."""
        today = self._context.clock().astimezone(UTC).date()
        return read_listing(text, me=by, kinds=self._context.catalogue.kinds, today=today)

    async def shown(self, listing: Listing, cursor: Cursor | None = None, *, by: str) -> Page[Glance]:
        """Return one page for ``by``, newest first; raises NotAllowed."""
        await self._authority.read(by)
        return await self.page(listing, cursor)

    async def page(self, listing: Listing, cursor: Cursor | None = None, *, limit: int = PAGE) -> Page[Glance]:
        """Return one page, newest first."""
        async with self._context.database.reading() as tx:
            found = await tx.glances.page(listing, self.kinds, cursor=cursor, limit=limit + 1)
            page = cut(found, cursor, limit, _id)
            if page is None:
                found = await tx.glances.page(listing, self.kinds, limit=limit + 1)
                page = cut(found, None, limit, _id)
        return page or Page()


def _id(glance: Glance) -> int:
    return glance.id
