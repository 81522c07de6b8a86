"""What happens in a world: who wants what and when, and what goes wrong, all of it from the seed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

#: Fewest changes of a world, and most unless fewer are ordered.
FEWEST: Final = 3
MOST: Final = 20
#: Troubles of a world for each of its changes, at the least and at the most.
TROUBLES: Final = (1.0, 3.0)

#: In which part of the time changes are wanted, and what waits for a moment of one begins.
EARLY: Final = 0.6
WAITS: Final = ("change", "unanswered", "put_off")

#: What may go wrong, and how often compared with the others.
TROUBLE: Final = {
    "slack_fault": 6,
    "provider_fault": 10,
    "kill": 4,
    "kill_at_commit": 6,
    "cut_off": 3,
    "sigterm": 1,
    "clock_step": 2,
    "full_disk": 1,
    "slack_down": 1,
    "meddling": 4,
    "lying_job": 4,
    "lagging_list": 2,
    "late_acks": 2,
    "failing_number": 4,
    "lost_pages": 2,
    "freeze": 3,
    "cancel": 3,
    "unanswered": 8,
    "put_off": 2,
    "unlock": 2,
    "late_click": 2,
    "last_moment": 3,
    "redelivery": 3,
    "stranger": 3,
    "slow_telnyx": 1,
}
#: Troubles that come on top of these, and in which part of the worlds: what hardly any would have by chance.
ON_TOP: Final = {
    "unproven": 0.18,
    "unreadable": 0.12,
    "crowded": 0.1,
    "refused": 0.1,
    "turned_down": 0.15,
    "unconfirmed": 0.15,
    "overtaken": 0.1,
}
#: In which part of the time these begin, to wait for their moment.
FIRST: Final = 0.25


@dataclass(frozen=True)
class Order:
    """A world to play."""

    seed: int
    #: For how long things happen in it.
    minutes: float = 30.0
    #: Most changes that people want in it.
    changes: int = MOST
    #: Items of its script that are left out.
    without: Collection[int] = ()
    #: Where to write every step; empty for nowhere.
    trace: str = ""


@dataclass(frozen=True)
class Item:
    """One thing that happens, with chances of its own, so that leaving another one out changes nothing in it."""

    number: int
    what: str
    at: float
    seed: int

    @property
    def random(self) -> Random:
        """The chances of this item, anew each time."""
        return Random(self.seed)

    def __str__(self) -> str:
        return f"{self.number}: {self.what} at {self.at:.0f} s"


def script(order: Order) -> Sequence[Item]:
    """Return what happens in the world of ``order``."""
    random = Random(f"script {order.seed}")
    changes = ["change"] * random.randint(FEWEST, order.changes)
    many = round(len(changes) * random.uniform(*TROUBLES))
    troubles = random.choices(list(TROUBLE), list(TROUBLE.values()), k=many)
    on_top = [what for what, often in ON_TOP.items() if Random(f"{what} {order.seed}").random() < often]
    items = [
        Item(number, what, _when(random, order, what), random.getrandbits(48))
        for number, what in enumerate([*changes, *troubles, *on_top])
    ]
    return [item for item in items if item.number not in order.without]


def _when(random: Random, order: Order, what: str) -> float:
    """Return when it happens, in seconds; changes are wanted early enough for something to go wrong with them."""
    part = FIRST if what in ON_TOP else EARLY if what in WAITS else 1.0
    return random.random() * order.minutes * 60 * part
