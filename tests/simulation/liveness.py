"""Whether everything goes on once nothing is wrong any more: to its end, or to a person who is named."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.ending import OVER
from tests.simulation.loop import SimulatedTask
from tests.simulation.people import APPROVALS, buttons

if TYPE_CHECKING:
    from bot.sandbox.telnyx import Job
    from tests.simulation.world import World

#: Seconds within which something has to happen to whatever waits for nobody.
PATIENCE: Final = 600.0
#: Words by which a job at Telnyx tells that it has ended.
ENDS: Final = ("completed", "failed", "expired")
#: What waits for a person, or is kept for a while and then cleared away.
PATIENT_TASKS: Final = ("discard", "wipe", "prune", "expire", "remind", "fallback", "escalate")
#: Rows that a world leaves at the most: for each change, and beside that.
ROWS: Final = {
    "tasks": (4, 5),
    "outbox": (30, 5),
    "runs": (12, 0),
    "locks": (12, 0),
    "sent_secrets": (2, 5),
    "budgets": (0, 30),
    "turns": (0, 60),
    "rate_windows": (0, 30),
    "run_stops": (12, 0),
}
#: What one life of the process has at the most: tasks, connections, things in one container.
TASKS: Final = 60
CONNECTIONS: Final = 60
THINGS: Final = 400


class Liveness:
    """Watches one world once it is calm."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows = world.judge.rows
        #: What was last seen of each thing that goes on, and since when it has been so.
        self._seen: dict[str, tuple[object, float]] = {}

    def look(self) -> None:
        """Want everything that goes on to have moved within ten minutes, or to say whom it waits for."""
        self._world.look()
        now = self._world.nature.loop.time()
        going_on = self._going_on()
        for name, state in going_on.items():
            seen, since = self._seen.get(name, (None, now))
            if seen != state:
                self._seen[name] = state, now
            elif now - since > PATIENCE:
                self._world.judge.wrong(f"{name} has stood still for {PATIENCE:.0f} s and waits for nobody: {state}")
        for name in set(self._seen) - set(going_on):
            del self._seen[name]

    def _going_on(self) -> dict[str, object]:
        """Return what goes on without waiting for anybody, with what tells that it moves."""
        found: dict[str, object] = {}
        wanted = "c.id, c.state, c.kind, c.starts_at, c.ends_at, coalesce(c.part_of, c.id), max(e.id)"
        query = f"SELECT {wanted} FROM changes c JOIN events e ON e.change_id = c.id GROUP BY 1"  # noqa: S608 - our own words
        for change, state, kind, starts, ends, whole, event in self._rows(query):
            waits = (
                self._lasts(change, ends) if state == "in_effect" else self._waits(change, state, kind, starts, whole)
            )
            if state not in OVER and not waits:
                states = "SELECT state, count(*) FROM operations WHERE change_id = ? GROUP BY 1"
                found[f"CHG-{change}"] = state, event, self._rows(states, change)
        for key, version, error in self._rows("SELECT key, version, error FROM outbox WHERE state = 'pending'"):
            found[f"message {key}"] = version, error
        late = datetime.fromtimestamp(self._world.nature.now().timestamp(), UTC).replace(tzinfo=None).isoformat(" ")
        kept = ",".join(f"'{task}'" for task in PATIENT_TASKS)
        due = f"SELECT id, task, subject, attempts FROM tasks WHERE task NOT IN ({kept}) AND due_at < ?"  # noqa: S608 - our own words
        for id_, task, subject, attempts in self._rows(due, late):
            found[f"task {task} of {subject}"] = id_, attempts
        return found

    def _lasts(self, change: int, ends: str) -> bool:
        """Tell whether a change is in effect until its end, or until what restores its numbers is over."""
        if datetime.fromisoformat(ends).replace(tzinfo=UTC) > self._world.nature.now():
            return True
        parts = self._rows("SELECT state FROM changes WHERE part_of = ? AND ends_at IS NULL", change)
        return any(state not in OVER for (state,) in parts)

    def _waits(self, change: int, state: str, kind: str, starts: str | None, whole: int) -> bool:
        """Tell whether a change waits for its time, for the provider, or for a person whom it names."""
        world = self._world
        now = world.nature.now()
        if state == "planned" or world.judge.frozen():
            return True
        if state == "changes_requested":
            card = world.people.posted(change, "card")
            return card is not None and "revise" in buttons(card)
        if state == "approved" and (
            (starts is not None and datetime.fromisoformat(starts).replace(tzinfo=UTC) > now)
            or world.policy.shut(kind, now, now)
        ):
            return True
        if state == "running" and world.policy.shut(kind, now, now) and not self._is_under_way(change):
            return True  # what is not sent waits for its window as well
        if any(_is_open(job) and self._is_of(job, change) for job in world.telnyx.jobs):
            return True
        card, request = world.people.posted(whole, "card"), world.people.posted(change, "approval_card")
        if state == "awaiting_approval":
            return request is not None and request.channel == APPROVALS and "approve" in buttons(request)
        said = world.people.read(card) if card is not None else ""
        return "/numbers resolve" in said or (card is not None and "go_on" in buttons(card))

    def _is_under_way(self, change: int) -> bool:
        # A run at Close is ours, and waits between two numbers.
        ours = "c.kind LIKE 'close.%' AND b.state = 'submitted'"
        query = (
            "SELECT 1 FROM batches b JOIN changes c ON c.id = b.change_id WHERE c.id = ? "  # noqa: S608 - our own words
            f"AND b.state NOT IN ('queued', 'settled') AND NOT ({ours})"
        )
        return bool(self._rows(query, change))

    def _is_of(self, job: Any, change: int) -> bool:
        return bool(self._rows("SELECT 1 FROM batches WHERE change_id = ? AND job = ?", change, job.id))

    def bounded(self) -> None:
        """Want tables, tasks, connections and what the process remembers to have stayed small."""
        world, wrong = self._world, self._world.judge.wrong
        [(changes,)] = self._rows("SELECT count(*) FROM changes")
        for table, (each, beside) in ROWS.items():
            [(rows,)] = self._rows(f"SELECT count(*) FROM {table}")  # noqa: S608 - one of our own names
            if rows > each * changes + beside:
                wrong(f"{table} has {rows} rows after {changes} changes")
        life = world.process.life
        tasks = [each for each in asyncio.all_tasks() if isinstance(each, SimulatedTask) and each.life is life]
        if len(tasks) > TASKS:
            wrong(f"the process has {len(tasks)} tasks, such as {tasks[-1]}")
        if (ends := world.nature.loop.network.open()) > CONNECTIONS:
            wrong(f"{ends} connections are open")
        for owner in gc.get_objects():
            module = str(type(owner).__module__)
            if module.startswith("bot.") and not module.startswith("bot.sandbox"):
                for name, held in _containers(owner):
                    if len(held) > THINGS:
                        wrong(f"{type(owner).__name__}.{name} holds {len(held)} things")


def _is_open(job: Job) -> bool:
    """Tell whether a job goes on, or has ended and tells neither that nor what became of its numbers.

    Nobody can know more of such a job than that it says nothing, and after a while operators are asked about it.
    """
    shown = job.as_json()
    told = len(shown["successful_operations"]) + len(shown["failed_operations"])
    return not job.finished or (shown["status"] not in ENDS and told < len(job.operations))


def _containers(owner: object) -> list[tuple[str, Any]]:
    """Return what an object keeps other things in."""
    found = vars(owner).items() if hasattr(owner, "__dict__") else ()
    return [(name, held) for name, held in found if isinstance(held, dict | list | set | deque)]
