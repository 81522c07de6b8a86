"""One mutant or more of every promise: what must never go unnoticed, whatever a sample draws."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutation.mutants import Mutant
from tests.mutation.trials import Trial

_SCENARIOS: Final = "tests/integration/scenarios"
_EXECUTION: Final = "bot/workflow/execution"


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that is broken by writing ``new`` where ``path`` has ``old``, and the tests that have to notice."""

    promise: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]

    def trial(self, root: Path) -> Trial:
        """Return it as a trial; raises ValueError unless ``old`` is there exactly once."""
        source = (root / self.path).read_text(encoding="utf-8")
        if source.count(self.old) != 1:
            raise ValueError(f"{self.path} has {source.count(self.old)} times: {self.old}")
        line = source[: source.index(self.old)].count("\n") + 1
        return Trial(Mutant(Path(self.path), line, self.promise, source.replace(self.old, self.new)), self.tests)


INVARIANTS: Final = (
    Broken(
        "a start compares the plan with the one approved (1)",
        f"{_EXECUTION}/start.py",
        "elif decided != {change.digest} or stored != change.digest:",
        "elif False:",
        (f"{_SCENARIOS}/test_scenario_start.py",),
    ),
    Broken(
        "nobody approves their own change (2)",
        "bot/changes/policy/verdicts.py",
        "if reason is None and own and not policy.self_approval:",
        "if False:",
        ("tests/unit/test_policy.py",),
    ),
    Broken(
        "one lost search is not enough to send again (6)",
        f"{_EXECUTION}/reconciliation.py",
        "ABSENCES = 2",
        "ABSENCES = 1",
        (f"{_SCENARIOS}/test_scenario_provider_faults.py",),
    ),
    Broken(
        "a job that is not there once is not gone (18)",
        f"{_EXECUTION}/polling.py",
        "GONE_POLLS = 10",
        "GONE_POLLS = 1",
        (f"{_SCENARIOS}/test_scenario_unknown_fates.py",),
    ),
    Broken(
        "two changes never hold one number (7)",
        "bot/store/locks.py",
        "if await self._contested(change, provider, numbers):",
        "if False:",
        ("tests/integration/store/test_store_locks.py",),
    ),
    Broken(
        "every batch is read again before it is sent (8)",
        f"{_EXECUTION}/staleness.py",
        "return not batch.handed and not self._context.catalogue.provider(kind).carries_out",
        "return False",
        (f"{_SCENARIOS}/test_scenario_staleness.py",),
    ),
    Broken(
        "a freeze keeps back what waits for a slot (15)",
        f"{_EXECUTION}/submission.py",
        "if await tx.freezes.current() is not None or await tx.batches.undecided(batch.change):",
        "if await tx.batches.undecided(batch.change):",
        (f"{_SCENARIOS}/test_scenario_brake.py",),
    ),
    Broken(
        "a canary that is not complete keeps its numbers apart (canary sizes)",
        "bot/changes/planning/builder.py",
        "batches, room, canary=changing <= canary)",
        "batches, room, canary=changing < canary)",
        ("tests/unit/test_plans.py",),
    ),
    Broken(
        "a change of canary size or less has no canary (canary sizes)",
        "bot/changes/planning/builder.py",
        "    if changing <= canary:\n",
        "    if changing < canary:\n",
        ("tests/unit/test_plans.py",),
    ),
    Broken(
        "the pauses between reminders grow",
        "bot/workflow/approval/reminders.py",
        "pause * 2 ** min(claim.attempts, DOUBLINGS)",
        "pause",
        (f"{_SCENARIOS}/test_scenario_policy.py",),
    ),
    Broken(
        "a change waits for thirty days and not a moment longer",
        "bot/changes/model/start.py",
        "if at > now + AHEAD:",
        "if at >= now + AHEAD:",
        ("tests/unit/test_starts.py",),
    ),
    Broken(
        "six in the morning is morning",
        "bot/changes/model/start.py",
        "if _MORNING <= wanted < _EVENING:",
        "if _MORNING < wanted < _EVENING:",
        ("tests/unit/test_starts.py",),
    ),
    Broken(
        "before six it is still night",
        "bot/changes/model/start.py",
        ".time() < _MORNING",
        ".time() <= _MORNING",
        ("tests/unit/test_starts.py",),
    ),
    Broken(
        "a late edit does not have the last word",
        "bot/workflow/delivery.py",
        "return CONFIRM_AFTER * self._context.timing.card if unsure else None",
        "return None",
        (f"{_SCENARIOS}/test_scenario_slack_fallbacks.py",),
    ),
)
