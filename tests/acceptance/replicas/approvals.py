"""Whether what began was approved, in the plan that began, by people who could at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.acceptance import ledger
from tests.acceptance.replicas.steps import Step
from tests.acceptance.replicas.wishes import Course, Wanted
from tests.acceptance.stories.staged import DANA, FIRST, MAX, MIA, OTTO, SECOND


def assert_it_was_approved(database: Path, change: int, steps: Sequence[Step], wanted: Wanted) -> None:
    """Check the approvals of a change that started, of which these are the steps."""
    counting = _counting(steps, wanted, until="started")
    if wanted.course is Course.STAGED:
        assert counting == [FIRST, SECOND], counting
        _assert_no_lapsed_right_counts(database, change)
    else:
        assert len(counting) == 1, counting


def assert_it_was_taken_back(steps: Sequence[Step], wanted: Wanted) -> None:
    """Check a change that ended because its approvals do not count any more: the one with a lent right does not."""
    assert _counting(steps, wanted, until="not_approved") == [FIRST]
    assert "approval_lapsed" in [step.what for step in steps]


def _counting(steps: Sequence[Step], wanted: Wanted, *, until: str) -> list[str]:
    """Return the stages of the approvals that count for the plan of a step, in their order; "" where there is none."""
    [digest] = {step.digest for step in steps if step.what == until}
    counting: list[tuple[str, str]] = []
    for step in steps:
        if step.what == until:
            break
        whose = str(step.details.get("on_behalf_of") or step.actor)
        if step.what == "approved" and step.digest == digest:
            _assert_in_their_right(step, wanted)
            counting.append((str(step.details.get("stage") or ""), whose))
        elif step.what == "approval_lapsed":
            counting = [each for each in counting if each[1] != DANA]
        elif step.what in ("changes_requested", "plan_replaced"):
            counting = []
    return [stage for stage, _ in counting]


def _assert_in_their_right(step: Step, wanted: Wanted) -> None:
    given = (step.details.get("stage") or "", step.actor, step.details.get("on_behalf_of") or "")
    if wanted.course is Course.STAGED:
        assert given in {(FIRST, MIA, ""), (FIRST, OTTO, ""), (SECOND, DANA, ""), (SECOND, MAX, DANA)}, step
        assert bool(step.details.get("fallback")) is (step.actor == OTTO), step
    else:
        assert given in {("", MAX, ""), ("", MIA, "")}, step


def _assert_no_lapsed_right_counts(database: Path, change: int) -> None:
    """Max approved for Dana while that was lent, and it was not taken back before anything began."""
    lent, given = False, False
    query = (
        "SELECT what, actor, change_id FROM events WHERE what LIKE 'delegat%' OR "
        "(change_id = ? AND what IN ('approved', 'approval_lapsed', 'started')) ORDER BY id"
    )
    for what, actor, _ in ledger.rows(database, query, change):
        match what:
            case "delegated":
                assert not lent
                lent = True
            case "delegation_ended" | "delegation_over":
                assert lent
                lent = False
            case "approved" if actor == MAX:
                assert lent, "Max approved for Dana, and had no right to"
                given = True
            case "approved" if actor == DANA:
                given = False
            case "approval_lapsed":
                given = False
            case "started":
                assert lent or not given, "what was approved with a right began after that was taken back"
                return
