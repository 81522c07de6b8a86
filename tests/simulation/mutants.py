"""``python -m tests.simulation.mutants``: does the judge notice? Promises are broken in copies, and worlds are played.

The list is in step with the code by a test of the suite; playing it takes long, so it is done on demand.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
EXECUTION: Final = "bot/workflow/execution"


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that is broken by writing ``new`` where ``path`` has ``old``."""

    promise: str
    path: str
    old: str
    new: str

    def source(self) -> str:
        """Return the broken module; raises ValueError unless ``old`` is there exactly once."""
        source = (ROOT / self.path).read_text(encoding="utf-8")
        if source.count(self.old) != 1:
            raise ValueError(f"{self.path} has {source.count(self.old)} times: {self.old}")
        return source.replace(self.old, self.new)


MUTANTS: Final = (
    Broken(
        "nobody approves their own change",
        "bot/changes/policy/verdicts.py",
        "if reason is None and own and not policy.self_approval:",
        "if False:",
    ),
    Broken(
        "what was stopped is not sent",
        f"{EXECUTION}/submission.py",
        "if change.stopped_at is not None:",
        "if False:",
    ),
    Broken(
        "nothing is sent in a freeze",
        f"{EXECUTION}/submission.py",
        "if await tx.freezes.current() is not None or await tx.batches.undecided(batch.change):",
        "if await tx.batches.undecided(batch.change):",
    ),
    Broken(
        "a stale plan is not sent",
        f"{EXECUTION}/submission.py",
        "if self._staleness.needed(batch, kind):",
        "if False:",
    ),
    Broken(
        "no update of a stale number is sent",
        "bot/providers/close/updates.py",
        "if not (changed := conflicts(kind, told, number.before, number.wanted)):",
        "if not (changed := []):",
    ),
    Broken(
        "no update is sent in a freeze",
        "bot/store/records/bulk_runs.py",
        "return Halt() if await self._connection.scalar(frozen) else None",
        "return None",
    ),
    Broken(
        "a job that nobody confirmed is searched for before it is made again",
        f"{EXECUTION}/submission.py",
        "            await self._unknown(one.claim, one.batch, one.change, error.message)\n",
        "            await self._queue_again(one, timedelta(seconds=5), error.message)\n",
    ),
    Broken(
        "an interrupted message is looked for before it is posted again",
        "bot/workflow/delivery.py",
        "        if not (message.interrupted and new):\n            return None\n",
        "        return None\n",
    ),
    Broken(
        "what has ended lets go of its numbers",
        "bot/store/records/changes.py",
        "            await Locks(self._connection).release(change)\n",
        "            pass\n",
    ),
    Broken(
        "two changes never hold one number",
        "bot/store/records/locks.py",
        "        ).where(operations.c.change_id == change, operations.c.batch.is_not(None))\n",
        "        ).where(operations.c.change_id == change, operations.c.batch.is_not(None))\n"
        "        planned = planned.where(operations.c.number_id.not_in(select(locks.c.number_id)))\n",
    ),
    Broken(
        "what was sent is compared with what is there",
        "bot/changes/outcome/readback.py",
        "def differing(kind: Kind, sent: Values, found: Values) -> list[str]:\n",
        "def differing(kind: Kind, sent: Values, found: Values) -> list[str]:\n    return []\n\n\n"
        "def _differing(kind: Kind, sent: Values, found: Values) -> list[str]:\n",
    ),
    Broken(
        "whoever is refused is told",
        "bot/slack/click_runner.py",
        "            await self._tell(answer, error.message, what)\n",
        "            pass\n",
    ),
    Broken(
        "what is committed survives a power cut",
        "bot/store/database.py",
        '"synchronous=FULL"',
        '"synchronous=NORMAL"',
    ),
    Broken(
        "an event follows from the one before it",
        "bot/store/database.py",
        "            await tx.events.seal()\n",
        "",
    ),
    Broken(
        "only approvers approve",
        "bot/changes/policy/verdicts.py",
        "        reason = _listing(policy.approvers, person, membership)\n",
        "        reason = Reason.LISTED\n",
    ),
    Broken(
        "as many approve as have to",
        "bot/workflow/approval/approvals.py",
        "enough=approvals >= required",
        "enough=True",
    ),
    Broken(
        "the end of a request is written down",
        "bot/workflow/approval/approvals.py",
        '            await tx.events.add(change_id, "expired", at=now)\n',
        "",
    ),
    Broken(
        "a request that has ended has no buttons",
        "bot/workflow/approval/approvals.py",
        '"expired", at=now)\n            await self._notify.cards(tx, change_id)\n',
        '"expired", at=now)\n',
    ),
    Broken(
        "the results of every change are shared",
        f"{EXECUTION}/completion.py",
        "        await self._notify.results(tx, change.id)\n",
        "",
    ),
    Broken(
        "one list without the job is not enough to make it again",
        f"{EXECUTION}/reconciliation.py",
        "ABSENCES = 2",
        "ABSENCES = 1",
    ),
    Broken(
        "a number that is not sent is told as such",
        f"{EXECUTION}/settlement.py",
        "        OperationState.NOT_ATTEMPTED,\n",
        "        OperationState.WAITING,\n",
    ),
    Broken(
        "what Slack put off is said later",
        "bot/workflow/delivery.py",
        "            await self._postpone(message, pause, error.message, surely_unsent=False)\n",
        "            await self._arrived(message, details, None)\n",
    ),
)


def noticed(broken: Broken, seeds: str, world: Sequence[str]) -> str:
    """Return how many worlds it took to notice, and what was said; empty when nothing was."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "bot", copy / "bot", ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "tests").symlink_to(ROOT / "tests")
        (copy / broken.path).write_text(broken.source(), encoding="utf-8")
        command = [sys.executable, "-m", "tests.simulation", "--seeds", seeds, "--first"]
        command += world
        env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        played = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    worlds = [line for line in played.stdout.splitlines() if line.startswith("seed ")]
    wrong = [line for line in worlds if not line.endswith(": right")]
    return f"after {len(worlds)} worlds: {re.sub(r'^.*? CPU, ', '', wrong[0])[:300]}" if wrong else ""


def main() -> int:
    """Play each; 1 when one of them was not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--seeds", default="1-500", help="in these worlds at the most")
    parser.add_argument("--minutes", type=float, default=4.0, help="for how long things happen in a world")
    parser.add_argument("--changes", type=int, default=3, help="most changes that people want in a world")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worlds at a time")
    parser.add_argument("--only", default="", help="those whose promise has this in it")
    given = parser.parse_args()
    world = ["--minutes", str(given.minutes), "--changes", str(given.changes), "--jobs", str(given.jobs)]
    missed = 0
    for broken in MUTANTS:
        if given.only in broken.promise:
            told = noticed(broken, given.seeds, world)
            missed += not told
            print(f"{broken.promise}: {told or 'NOT NOTICED'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
