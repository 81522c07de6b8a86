"""What the SQLite file holds, read beside Linesman and without its code."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

#: The steps of a change that ran, each exactly once and in this order, before its approval and after it.
ASKED: Final = ("proposed", "planned", "approval_requested")
RAN: Final = ("started",)
#: Steps of a change that come with each of its waves.
_OF_A_WAVE: Final = ("verifying", "read_back")
#: One letter per step of a batch.
_LETTERS: Final = {
    "batch_submitting": "s",
    "batch_unknown": "u",
    "batch_adopted": "a",
    "batch_absent": "n",
    "batch_postponed": "p",
    "batch_submitted": "j",
    "batch_settled": "e",
}
#: A batch is sent, again only when it was surely not taken, becomes one job, and ends once. It is also put off before
#: it was sent, where the disk is too full to write down that it will be.
_BATCH: Final = re.compile(r"(?:s(?:un|p)|p)*s(?:j|ua)e")


def rows(database: Path, query: str, *values: object) -> list[tuple[object, ...]]:
    """Return the rows of a query; the file is opened for reading only."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def assert_the_trail_is_whole(
    database: Path,
    batches: int,
    change: int = 1,
    *,
    requester: str = "U0ANA",
    ends: str = "finished",
    revised: bool = False,
    waves: int = 1,
    approval: Sequence[str] = ("approved",),
) -> None:
    """Check that every step of the change and of each of its batches was written down once and in order.

    ``ends`` is what its last step is called; ``revised`` says that its first plan was sent back. A change that goes out
    in several ``waves`` is read back after each. ``approval`` has the steps of its approval in their order.
    """
    trail = rows(database, "SELECT what, actor, digest, details FROM events WHERE change_id = ? ORDER BY id", change)
    if revised:
        trail = _of_the_second_plan(trail)
    digests = {
        digest for what, _, digest, _ in trail if what in {"planned", "approval_requested", "approved", "started"}
    }
    actors = {str(what): str(actor) for what, actor, _, _ in trail}
    # Whoever presses Approve again, because nothing seems to come of it, is told so each time.
    others = [what for what, *_ in trail if what not in _LETTERS and what != "click_refused"]
    paths: dict[int, str] = {}
    for what, _, _, details in trail:
        if what in _LETTERS:
            position = int(json.loads(str(details))["batch"])
            paths[position] = paths.get(position, "") + _LETTERS[str(what)]

    milestones = [*ASKED, *approval, *RAN, ends]
    assert [what for what, *_ in trail if what in milestones] == milestones
    often = dict.fromkeys(_OF_A_WAVE, waves) | {"wave_started": waves - 1} | Counter(approval)
    assert {what: times for what, times in Counter(others).items() if times != often.get(what, 1)} == {}
    assert (actors["proposed"], actors["approval_requested"], actors["approved"]) == (requester, requester, "U0MAX")
    assert len(digests) == 1
    assert digests != {""}
    assert sorted(paths) == list(range(1, batches + 1))
    assert {position: path for position, path in paths.items() if not _BATCH.fullmatch(path)} == {}


def _of_the_second_plan(trail: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Return the trail of a change that was sent back once without what its first plan left in it."""
    steps = ["approval_requested", "changes_requested", "plan_replaced", "approval_requested"]
    assert [what for what, *_ in trail if what in steps] == steps
    [sent_back] = [index for index, step in enumerate(trail) if step[0] == "changes_requested"]
    [replaced] = [step for step in trail if step[0] == "plan_replaced"]
    former = {step[2] for step in trail[: sent_back + 1] if step[0] != "proposed"}
    assert former == {json.loads(str(replaced[3]))["former"]}
    assert replaced[2] not in former
    proposed, planned = trail[:2]
    return [proposed, (*planned[:2], replaced[2], planned[3]), *trail[sent_back + 1 :]]


def assert_nothing_waits(database: Path, change: int = 1) -> None:
    """Check that no task, no message, no batch and no number of the change is left half-way, and no claim is held.

    An earlier plan that nobody asked approval for may wait to be discarded, and its secrets to be wiped.
    """
    left = "task NOT IN ('discard', 'wipe') OR subject = ? OR owner IS NOT NULL"
    assert rows(database, f"SELECT task, subject FROM tasks WHERE {left}", change) == []  # noqa: S608 - the text above
    assert undelivered(database) == []
    assert rows(database, "SELECT DISTINCT state FROM batches WHERE change_id = ?", change) == [("settled",)]
    half_way = "SELECT e164 FROM operations WHERE state IN ('waiting', 'submitted') AND change_id = ?"
    assert rows(database, half_way, change) == []
    assert rows(database, "SELECT number_id FROM locks") == []


def approvals(database: Path, change: int) -> list[tuple[object, ...]]:
    """Return the approvals that count: who, in which stage, whether as a fallback approver, and whose right it was."""
    query = (
        "SELECT person, stage, fallback, on_behalf_of FROM decisions "
        "WHERE change_id = ? AND verb = 'approve' AND lapse = '' ORDER BY at"
    )
    return rows(database, query, change)


def undelivered(database: Path) -> list[tuple[object, ...]]:
    """Return key, state and error of the messages that did not arrive, or are still in somebody's hands.

    A modal that its owner has closed takes nothing any more, and nobody misses it.
    """
    closed = "topic = 'preview' AND state = 'refused'"
    left = f"SELECT key, state, error FROM outbox WHERE state != 'sent' AND NOT ({closed}) OR owner IS NOT NULL"  # noqa: S608 - the text above
    return rows(database, left)


def something_waits(database: Path) -> bool:
    """Tell whether there is a task or a message left.

    That a plan may be discarded in an hour is nothing to wait for, nor that a right is lent for days.

    Where ``/metrics`` has to ask all tables, this looks into two; it is asked thousands of times.
    """
    due = (
        "SELECT 1 FROM tasks WHERE task NOT IN ('discard', 'wipe') AND NOT (task = 'delegation' AND owner IS NULL "
        "AND subject IN (SELECT id FROM delegations WHERE told = version AND ended_at IS NULL))"
    )
    return rows(database, due) != [] or rows(database, "SELECT 1 FROM outbox WHERE state = 'pending'") != []


def readable(database: Path, secrets: Iterable[str]) -> list[str]:
    """Return those of ``secrets`` that stand in clear in the database's files."""
    beside = [database.with_name(f"{database.name}{end}") for end in ("", "-wal", "-shm")]
    content = b"".join(path.read_bytes() for path in beside if path.exists())
    return [secret for secret in secrets if secret.encode() in content]
