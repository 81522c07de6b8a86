"""What concerns one person right now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.changes.input.list_query import SORTS, ListQuery
from bot.changes.model.kinds import Kind
from bot.changes.model.list_rows import ListRow
from bot.changes.model.locks import Freeze
from bot.errors import NotAuthorized
from bot.workflow.approval.undecided import UndecidedRequests
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.ports import ChangeDetails
from bot.workflow.queries.change_details import ChangeDetailsReader
from bot.workflow.queries.lists import ChangeLists

#: Most changes in one section; lists show the rest.
SHOWN: Final = 5

_SORTS: Final = {sort.word: sort for sort in SORTS}


@dataclass(frozen=True, kw_only=True, slots=True)
class HomeContents:
    """The content of one person's Home tab."""

    #: Requests that this person may approve now, longest-waiting first.
    waiting: Sequence[ChangeDetails]
    #: How many more wait for this person, among the oldest requests that were checked.
    more_waiting: int
    running: Sequence[ListRow]
    mine: Sequence[ListRow]
    failures: Sequence[ListRow]
    #: The freeze in force; None when there is none.
    freeze: Freeze | None
    #: The kinds that are available, by name.
    kinds: Mapping[str, Kind]
    #: Methods that Slack keeps closed for a while, and until when.
    slack_waits: Mapping[str, datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class NoHomeContents:
    """The content of the Home tab of a person who may not view."""

    #: For the person; ends with a full stop.
    why: str


class HomeTab:
    """Reads the content of Home tabs."""

    def __init__(
        self,
        context: Context,
        authorization: Authorization,
        change_details: ChangeDetailsReader,
        change_lists: ChangeLists,
        undecided: UndecidedRequests,
    ) -> None:
        self._context = context
        self._authorization = authorization
        self._change_details = change_details
        self._change_lists = change_lists
        self._undecided = undecided

    async def mark(self) -> tuple[int, bool]:
        """Return a mark that differs when something may have changed for somebody, and whether anything runs.

        Not every step of a running change is in the audit log: its figures move between two events.
        """
        running = ListQuery(sorts=(_SORTS["running"],))
        async with self._context.database.reading() as tx:
            newest = await tx.events.newest()
            return newest, bool(await tx.list_rows.page(running, self._change_lists.kinds, limit=1))

    async def of(self, user: str) -> HomeContents | NoHomeContents:
        """Return what concerns ``user`` now, or why it is not shown."""
        try:
            await self._authorization.may_read(user)
        except NotAuthorized as error:
            return NoHomeContents(why=error.message)
        mine_to_decide = await self._undecided.of(user)
        waiting = [await self._change_details.read(change) for change in mine_to_decide[:SHOWN]]
        async with self._context.database.reading() as tx:
            freeze = await tx.freezes.current()
        return HomeContents(
            waiting=waiting,
            more_waiting=max(len(mine_to_decide) - SHOWN, 0),
            running=await self._newest(ListQuery(sorts=(_SORTS["running"],))),
            mine=await self._newest(ListQuery(people=(user,))),
            failures=await self._newest(ListQuery(sorts=(_SORTS["failed"],))),
            freeze=freeze,
            kinds={kind.name: kind for kind in self._context.catalogue.kinds},
            slack_waits=self._context.slack.waits(),
        )

    async def _newest(self, listing: ListQuery) -> Sequence[ListRow]:
        return (await self._change_lists.page(listing, limit=SHOWN)).entries
