"""Whether all changes of a trial ended as if nothing had ever happened to a replica, and what was measured."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

from tests.acceptance import checker, ledger
from tests.acceptance.replicas import endings, trails
from tests.acceptance.replicas.cluster import Cluster
from tests.acceptance.replicas.wishes import JOBS, Course
from tests.acceptance.replicas.workload import Fate


def assert_right(cluster: Cluster) -> None:
    """Check that nothing was lost, doubled, unapproved or stuck, and that no secret is readable."""
    load = cluster.workload

    endings.assert_everything_was_said_once(cluster)
    for name, wanted in load.wanted.items():
        endings.assert_it_ended(cluster, name, wanted)
        endings.assert_the_values_are_right(cluster, name, wanted)
        endings.assert_it_keeps_time(cluster, name, wanted)
        trails.assert_it_was_written_down(cluster, name, wanted, load.requesters[name])
        number = int(name.removeprefix("CHG-"))
        if load.fates[name] is Fate.APPROVED and not trails.is_taken_back(cluster, name):
            ledger.assert_nothing_waits(cluster.database, number)
            if wanted.course is Course.PLAIN:
                ledger.assert_the_trail_is_whole(cluster.database, JOBS, number, requester=load.requesters[name])
    endings.assert_no_number_was_in_two_hands(cluster)
    trails.assert_nothing_was_sent_in_a_freeze(cluster)
    trails.assert_the_chain_is_whole(cluster)
    assert cluster.locks == "No numbers are locked."
    assert ledger.rows(cluster.database, "SELECT number_id FROM locks") == []
    assert ledger.undelivered(cluster.database) == []
    checker.assert_no_secret_is_readable(cluster)
    healed = ledger.rows(cluster.database, "SELECT change_id, details FROM events WHERE what = 'healed'")
    assert healed == [], "whatever goes wrong, nothing gets stuck"


def left(database: Path) -> list[str]:
    """Return what nobody has done or said yet, for whoever has to understand why a trial does not end."""
    tasks = (
        "SELECT task, subject, due_at, owner, claimed_until, attempts FROM tasks WHERE task NOT IN ('discard', 'wipe')"
    )
    messages = "SELECT key, state, due_at, owner, claimed_until, attempts, error FROM outbox WHERE state != 'sent'"
    return [str(row) for query in (tasks, messages) for row in ledger.rows(database, query)]


def figures(cluster: Cluster) -> str:
    """Return what the trial was like: changes, jobs, what went wrong, and how soon the dead were noticed."""
    fates = Counter(fate.value for fate in cluster.workload.fates.values())
    fates += Counter(wanted.course.value for wanted in cluster.workload.wanted.values())
    told = ", ".join(f"{times} {fate}" for fate, times in sorted(fates.items()))
    after = [f"{seconds:.1f}" for seconds in noticed_after(cluster)]
    return (
        f"{len(cluster.workload.wanted)} changes ({told}), {len(cluster.telnyx.jobs)} jobs, {cluster.starts} starts; "
        f"claims of the killed were freed after {', '.join(after) or '-'} s"
    )


def noticed_after(cluster: Cluster) -> list[float]:
    """Return after how many seconds another replica freed the claims of each process that was killed and had some.

    Longer ones are of requests that were under way, whose time limit is waited for.
    """
    killed = {pid: at for replica in cluster.replicas for pid, at in replica.killed.items()}
    found: dict[int, float] = {}
    for line in cluster.process.written().splitlines():
        if '"work of a dead replica is taken over"' in line:
            said = json.loads(line)
            pid = int(said["dead"].split(":")[1])
            if pid in killed:
                seconds = (datetime.fromisoformat(said["timestamp"]) - killed[pid]).total_seconds()
                found[pid] = min(seconds, found.get(pid, seconds))
    return sorted(found.values())
