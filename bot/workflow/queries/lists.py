"""Lists of changes, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Final

from bot.changes.input.list_query import ListQuery, read_listing
from bot.changes.model.decisions import Decision
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.list_rows import Cursor, ListPage, ListRow, cut
from bot.changes.policy import open_stage, stage_progress
from bot.store.transaction import Transaction
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context

#: Changes on one page: even with their reasons they fit into one Slack message.
PAGE: Final = 8


class ChangeLists:
    """Reads lists, for people who may view."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._context = context
        self._authorization = authorization

    @property
    def kinds(self) -> Collection[str]:
        """Names of the kinds that can be shown: those whose provider is switched on."""
        return [kind.name for kind in self._context.catalogue.kinds]

    def read(self, text: str, *, by: str) -> ListQuery:
        """Return the query that ``text`` means; raises :class:`bot.errors.InputError` with every mistake at once."""
        today = self._context.clock().astimezone(UTC).date()
        return read_listing(text, me=by, kinds=self._context.catalogue.kinds, today=today)

    async def shown(self, listing: ListQuery, cursor: Cursor | None = None, *, by: str) -> ListPage[ListRow]:
        """Return one page for ``by``, newest first; raises NotAuthorized."""
        await self._authorization.read(by)
        return await self.page(listing, cursor)

    async def page(self, listing: ListQuery, cursor: Cursor | None = None, *, limit: int = PAGE) -> ListPage[ListRow]:
        """Return one page, newest first."""
        async with self._context.database.reading() as tx:
            found = await tx.list_rows.page(listing, self.kinds, cursor=cursor, limit=limit + 1)
            page = cut(found, cursor, limit, _id)
            if page is None:
                found = await tx.list_rows.page(listing, self.kinds, limit=limit + 1)
                page = cut(found, None, limit, _id)
            page = page or ListPage()
            return replace(page, entries=await self._with_stages(tx, page.entries))

    async def _with_stages(self, tx: Transaction, rows: Sequence[ListRow]) -> Sequence[ListRow]:
        """Return the rows; those that wait for one of several stages have its name."""
        waiting = [row.id for row in rows if row.state is ChangeState.AWAITING_APPROVAL]
        decisions = await tx.decisions.of_each(waiting) if waiting else {}
        return [replace(row, stage=self._stage(row, decisions.get(row.id, ()))) for row in rows]

    def _stage(self, row: ListRow, decisions: Sequence[Decision]) -> str:
        policy = self._context.policies.governing(row.kind, row.size, row.settings)
        if row.state is not ChangeState.AWAITING_APPROVAL or policy is None:
            return ""
        return open_stage(stage_progress(policy.stages, decisions, row.waits_since)).stage.name


def _id(list_row: ListRow) -> int:
    return list_row.id
