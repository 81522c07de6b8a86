"""What concerns one person right now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.changes.glances import Glance
from bot.changes.holds import Freeze
from bot.changes.kinds import Kind
from bot.changes.listings import SORTS, Listing
from bot.errors import NotAllowed
from bot.workflow.authority import Authority
from bot.workflow.context import Context
from bot.workflow.listing import Listings
from bot.workflow.ports import Story
from bot.workflow.stories import Stories

#: Changes that one part shows; lists show the rest.
SHOWN: Final = 5
#: Waiting requests about which it is asked whether the person may decide on them, those that wait longest first.
ASKED: Final = 50

_SORTS: Final = {sort.word: sort for sort in SORTS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What one person finds on their Home tab."""

    #: Requests that this person may decide on, those that wait longest first.
    waiting: Sequence[Story]
    #: How many more wait for this person, among the oldest ones that were looked at.
    more_waiting: int
    running: Sequence[Glance]
    mine: Sequence[Glance]
    failures: Sequence[Glance]
    #: The freeze in force; None when submissions are free.
    freeze: Freeze | None
    #: The kinds that are available, by name.
    kinds: Mapping[str, Kind]
    #: What Slack keeps closed for a good while yet, and until when.
    slack_waits: Mapping[str, datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unseen:
    """What somebody finds on their Home tab who may not look."""

    #: For the person; ends with a full stop.
    why: str


class Overview:
    """Reads what people find on their Home tabs."""

    def __init__(self, context: Context, authority: Authority, stories: Stories, listings: Listings) -> None:
        self._context = context
        self._authority = authority
        self._stories = stories
        self._listings = listings

    async def mark(self) -> tuple[int, bool]:
        """Return what differs when something may have changed for somebody, and whether anything runs.

        What happens while a change runs is not all in the audit trail: its figures move between two events.
        """
        running = Listing(sorts=(_SORTS["running"],))
        async with self._context.database.reading() as tx:
            newest = await tx.events.newest()
            return newest, bool(await tx.glances.page(running, self._listings.kinds, limit=1))

    async def of(self, user: str) -> Outlook | Unseen:
        """Return what concerns ``user`` now, or why it is not shown."""
        try:
            await self._authority.may_read(user)
        except NotAllowed as error:
            return Unseen(why=error.message)
        mine_to_decide = await self._undecided(user)
        waiting = [await self._stories.read(change) for change in mine_to_decide[:SHOWN]]
        async with self._context.database.reading() as tx:
            freeze = await tx.freezes.current()
        return Outlook(
            waiting=waiting,
            more_waiting=max(len(mine_to_decide) - SHOWN, 0),
            running=await self._newest(Listing(sorts=(_SORTS["running"],))),
            mine=await self._newest(Listing(people=(user,))),
            failures=await self._newest(Listing(sorts=(_SORTS["failed"],))),
            freeze=freeze,
            kinds={kind.name: kind for kind in self._context.catalogue.kinds},
            slack_waits=self._context.slack.waits(),
        )

    async def _newest(self, listing: Listing) -> Sequence[Glance]:
        return (await self._listings.page(listing, limit=SHOWN)).entries

    async def _undecided(self, user: str) -> Sequence[int]:
        """Return the requests that ``user`` may decide on now; none when Slack does not say who they are."""
        async with self._context.database.reading() as tx:
            undecided = await tx.glances.undecided(user, self._listings.kinds, limit=ASKED)
        return [glance.id for glance in undecided if await self._may_decide(user, glance)]

    async def _may_decide(self, user: str, glance: Glance) -> bool:
        try:
            policy = self._authority.policy(glance.kind, glance.numbers, glance.settings)
            await self._authority.approve_under(policy, user, glance.requester, (), fresh=False)
        except NotAllowed:
            return False
        return True
