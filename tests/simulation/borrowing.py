"""Those who borrow a right to approve use it, in time and too late, and whoever lends it approves beside them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import Message, SlackUser
from tests.simulation.delegations import Lent

if TYPE_CHECKING:
    from tests.simulation.world import World

#: How often whoever borrows it presses Approve, and declines, at each look; before it is lent and after its end, too.
PRESSES: Final = 0.7
DECLINES: Final = 0.1
#: How often whoever lends it approves, too, what was approved with it, and within how many seconds they do.
BESIDE: Final = 0.7
HURRY: Final = 5.0
#: How often a request is left alone until a right has ended that is to be used too late, and how often it is used then.
LEFT: Final = 0.6
LATE: Final = 3
#: What somebody has approved for somebody, in a way that counts.
APPROVED: Final = (
    "SELECT change_id FROM decisions WHERE on_behalf_of = ? AND person = ? AND verb = 'approve' AND lapse = ''"
)


class Borrowing:
    """What is approved with lent rights in one world, and beside them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = world.people
        #: Until when some requests are left to whoever uses a right too late.
        self._late: datetime | None = None

    def leaves(self, change: int) -> bool:
        """Tell whether everybody leaves a request alone for somebody whose right will have ended."""
        if self._late is None or Random(f"left {self._world.seed} {change}").random() >= LEFT:
            return False
        [(expires,)] = self._world.judge.rows("SELECT expires_at FROM changes WHERE id = ?", change)
        return expires is not None and datetime.fromisoformat(expires).replace(tzinfo=UTC) > self._late

    def approved(self, by: SlackUser, to: SlackUser) -> set[int]:
        """Return the changes that ``to`` has approved for ``by``, in a way that counts."""
        return {change for (change,) in self._world.judge.rows(APPROVED, by.id, to.id)}

    def open_to(self, by: SlackUser, to: SlackUser) -> list[Message]:
        """Return the requests of neither of them, or all where there are no such."""
        requests = self._people.requests()
        asked = dict(self._world.judge.rows("SELECT id, requester FROM changes"))
        return [each for change, each in requests if asked[change] not in (by.id, to.id)] or [
            each for _, each in requests
        ]

    async def press(self, random: Random, by: SlackUser) -> None:
        """Press Approve, or decline, at each look for as long as the world goes on."""
        people = self._people
        while True:
            await asyncio.sleep(random.random() * 30)
            for change, message in people.requests():
                chance = random.random()
                if self.leaves(change):
                    continue
                if chance < PRESSES:
                    await people.click(by, "approve", message)
                elif chance < PRESSES + DECLINES and not self._world.calm:
                    await random.choice((people.reject, self._world.revising.send_back))(by, change, message)

    async def press_beside(self, random: Random, by: SlackUser, to: SlackUser) -> None:
        """Have whoever lends it approve soon, once each, what was approved with it and waits for another approval."""
        seen = set[int]()
        while True:
            await asyncio.sleep(random.random() * HURRY)
            used = self.approved(by, to) - seen
            seen |= used
            for change, message in self._people.requests():
                if change in used and random.random() < BESIDE:
                    await self._people.click(by, "approve", message)

    async def press_late(self, random: Random, lent: Lent, by: SlackUser) -> None:
        """Have whoever borrows it press Approve when its end has passed, by not much more than it was lent for.

        Some requests wait for that: nobody decides on them before.
        """
        world = self._world
        pause = timedelta(minutes=lent.minutes) / (LATE + 1)
        self._late = lent.until + pause * LATE
        await asyncio.sleep(max(0.0, (lent.until - world.nature.now()).total_seconds()))
        for _ in range(LATE):
            await asyncio.sleep(random.random() * pause.total_seconds())
            for _, message in self._people.requests():
                await self._people.click(by, "approve", message)
        self._late = None
