"""Whether a plan that was sent back is decided on no more, and what comes in its place is what its requester saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import SlackUser
from tests.simulation.people import APPROVERS

if TYPE_CHECKING:
    from tests.simulation.world import World

#: What the plan of a change was made as, since it was sent back: the latest change that took its place.
PRESENT: Final = "SELECT max(id) FROM changes WHERE revises = ? AND replaced_by = ?"
#: Numbers that a change holds whose plan was sent back.
HELD: Final = (
    "SELECT c.id, l.number_id FROM locks l JOIN changes c ON c.id = l.change_id WHERE c.state = 'changes_requested'"
)
#: Every step of every change that ever was sent back, in order, with whose right it was taken.
STEPS: Final = (
    "SELECT change_id, what, actor, coalesce(json_extract(details, '$.on_behalf_of'), actor), digest FROM events "
    "WHERE change_id IN (SELECT change_id FROM events WHERE what = 'changes_requested') ORDER BY id"
)
#: What a change is to do.
PLAN: Final = "SELECT number_id, e164, before, after, batch IS NULL FROM operations WHERE change_id = ? ORDER BY 1"
#: What becomes only of a plan that can be decided on.
DECIDED: Final = ("approved", "rejected", "started", "batch_submitting")


class Revisions:
    """Judges the plans of one world that were sent back, and those in their place."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows = world.judge.rows
        self._wrong = world.judge.wrong
        #: Who has asked for changes to what.
        self._asked: set[tuple[str, int]] = set()
        #: Change -> what its plan was when it was last shown, and when its requester first asked for approval of it.
        self._plans: dict[int, list[tuple[Any, ...]]] = {}
        self._since: dict[int, float] = {}

    # What people do

    def asking(self, by: SlackUser, change: int) -> None:
        """Note that somebody is about to ask for changes."""
        self._asked.add((by.id, change))

    def shown(self, planned: int) -> None:
        """Note a plan that somebody sees."""
        self._plans[planned] = self._plan(planned)

    def requesting(self, planned: int) -> None:
        """Note that somebody is about to ask for approval of a plan, in the place of one that was sent back."""
        self._since.setdefault(planned, self._world.nature.loop.time())

    def planned_as(self, change: int) -> int:
        """Return as which change the present plan of a change was made: itself, unless it was sent back."""
        [(planned,)] = self._rows(PRESENT, change, change)
        return change if planned is None else int(planned)

    def since(self, change: int) -> float:
        """Return since when the present plan of a change can be decided on, in seconds."""
        return self._since.get(self.planned_as(change), 0.0)

    # What comes of it

    def check(self, job: str, change: int) -> None:
        """Want what is sent to be the plan that was last shown, if an earlier one was sent back."""
        planned = self.planned_as(change)
        if planned == change:
            return
        present = self._plan(change)
        if present != self._plans.get(planned):
            self._wrong(f"{job} is of CHG-{change}, which is {present}; as CHG-{planned} it was {self._plans}")

    def look(self) -> None:
        """Want what was sent back to hold no number."""
        for change, number in self._rows(HELD):
            self._wrong(f"CHG-{change} was sent back and holds {number}")

    def end(self) -> None:
        """Want each plan to have been decided on between its request and its being sent back, and never again."""
        self.look()
        requesters = dict(self._rows("SELECT id, requester FROM changes"))
        back: set[int] = set()
        asked: set[tuple[int, str]] = set()
        for change, what, actor, whose, digest in self._rows(STEPS):
            if what == "changes_requested":
                back.add(change)
                may = actor != requesters[change] and whose in APPROVERS - {requesters[change]}
                if (actor, change) not in self._asked or not may:
                    self._wrong(f"CHG-{change} was sent back by {actor}; who asked for changes: {sorted(self._asked)}")
            elif what == "approval_requested":
                back.discard(change)
                if (change, digest) in asked:
                    self._wrong(f"approval of CHG-{change} was requested twice of the plan {digest}")
                asked.add((change, digest))
            elif what in DECIDED and change in back:
                self._wrong(f"CHG-{change} was {what} after it was sent back, and before approval was requested again")

    def _plan(self, change: int) -> list[tuple[Any, ...]]:
        return self._rows(PLAN, change)
