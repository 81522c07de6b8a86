"""Whether plans are what people meant by what they typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.simulation.judge import SECRET
from tests.simulation.wishes import Wish

if TYPE_CHECKING:
    from tests.simulation.world import World


class Plans:
    """Judges the plans of one world, as soon as somebody sees one."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: What was wished, by change, of the changes that are all of it.
        self.wishes: dict[int, Wish] = {}

    def shown(self, change: int, wish: Wish, meant: set[str], *, whole: bool) -> None:
        """Check a plan that somebody was shown: what they ``meant``, no more, and when it is ``whole`` no less.

        What was meant may have been deleted by another change since.
        """
        if whole:
            self.wishes[change] = wish
        self._world.restores.shown(change, wish)
        rows = self._operations(change, "after")
        numbers = {e164 for e164, _ in rows}
        least = meant & self._world.meant(wish) if whole else set()
        if not least <= numbers <= meant:
            self._wrong(f"CHG-{change} is planned for {sorted(numbers)}, and {sorted(meant)} were meant by {wish}")
        for e164, after in rows:
            for name, value in json.loads(after).items():
                if name in wish.values and name not in SECRET and _typed(value) != wish.values[name]:
                    self._wrong(f"{name} of {e164} is planned as {value!r} by CHG-{change}, and wished by {wish}")

    def requested(self, change: int) -> None:
        """Want a change that goes on to hold each number that it changes, unless an operator has released them."""
        query = (
            "SELECT o.e164 FROM operations o JOIN changes c ON c.id = o.change_id WHERE c.id = ? AND o.batch NOT NULL "
            "AND c.state IN ('awaiting_approval', 'approved', 'running', 'in_effect') AND NOT EXISTS "
            "(SELECT 1 FROM locks l WHERE l.change_id = c.id AND l.number_id = o.number_id) AND NOT EXISTS "
            "(SELECT 1 FROM events e WHERE e.change_id = c.id AND e.what = 'unlocked')"
        )
        for (e164,) in self._world.judge.rows(query, change):
            self._wrong(f"CHG-{change} goes on and does not hold {e164}")

    def followed(self, change: int, earlier: int, word: str) -> None:
        """Check the plan of an undo or a retry: numbers of the earlier change, and the values of before, or of then."""
        before = {e164: json.loads(told) for e164, told in self._operations(earlier, "before")}
        meant = {e164: {**before[e164], **json.loads(told)} for e164, told in self._operations(earlier, "after")}
        then = before if word == "undo" else meant
        for e164, after in self._operations(change, "after"):
            if e164 not in before:
                self._wrong(f"CHG-{change} is to {word} CHG-{earlier}, and has {e164}, which that one had not")
                continue
            for name, value in json.loads(after).items():
                if name not in SECRET and then[e164].get(name) != value:
                    self._wrong(f"CHG-{change} is to {word} CHG-{earlier} and sets {name} of {e164} to {value!r}")

    def _operations(self, change: int, what: str) -> list[tuple[Any, ...]]:
        return self._world.judge.rows(f"SELECT e164, {what} FROM operations WHERE change_id = ?", change)  # noqa: S608 - one of two columns

    def _wrong(self, what: str) -> None:
        self._world.judge.wrong(what)


def _typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
