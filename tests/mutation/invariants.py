"""One mutant or more of every promise: what must never go unnoticed, whatever a sample draws."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.broken import Broken
from tests.mutation.mutants import Mutant
from tests.mutation.trials import Trial

_SCENARIOS: Final = "tests/integration/scenarios"
_DELEGATED: Final = f"{_SCENARIOS}/test_scenario_delegated_decisions.py"
_RETRIES: Final = f"{_SCENARIOS}/test_scenario_retries.py"
_OBSTACLES: Final = f"{_SCENARIOS}/test_scenario_restore_obstacles.py"
_LATE_EDIT: Final = (
    f"{_SCENARIOS}/test_scenario_slack_fallbacks.py"
    "::test_a_late_edit_does_not_cover_what_was_shown_after_its_repetition"
)
_EXECUTION: Final = "bot/workflow/execution"


@dataclass(frozen=True, slots=True)
class Invariant(Broken):
    """A promise, and the tests that have to notice when it is broken."""

    tests: tuple[str, ...]

    def trial(self) -> Trial:
        """Return it as a trial; raises ValueError unless ``old`` is there exactly once."""
        return Trial(Mutant(Path(self.path), self.line(), self.promise, self.source()), self.tests)


INVARIANTS: Final = (
    Invariant(
        "a start compares the plan with the one approved (1)",
        f"{_EXECUTION}/start.py",
        "elif not approved or stored != approved:",
        "elif False:",
        (f"{_SCENARIOS}/test_scenario_start.py::test_a_start_that_was_moved_in_the_database_is_not_carried_out",),
    ),
    Invariant(
        "a retry gives a number what was approved for it, had it that already (1)",
        "bot/changes/outcome/follow_ups.py",
        "meant = {**{name: value for name, value in operation.before.items() if name in asked}, **operation.after}",
        "meant = {**operation.after}",
        (f"{_RETRIES}::test_a_value_that_a_number_had_already_stays_its_own",),
    ),
    Invariant(
        "a retry leaves alone what was changed since (8)",
        "bot/changes/outcome/follow_ups.py",
        "left={each.number_id: _seen(each, wanted) for each in again if each.code != STALE},",
        "left={},",
        (f"{_RETRIES}::test_what_was_changed_since_is_not_retried",),
    ),
    Invariant(
        "a restore sends nothing but the values from before (1)",
        "bot/workflow/planning/restoring.py",
        "if found := await asyncio.to_thread(beyond, kind, plan, restored.rows):",
        "if found := []:",
        (f"{_SCENARIOS}/test_scenario_temporary.py::test_a_restore_sends_nothing_but_the_values_from_before",),
    ),
    Invariant(
        "no limit of today keeps numbers from going back (1)",
        "bot/workflow/planning/planner.py",
        "return self._context.policies.largest(change.kind) if change.part_of is None else None",
        "return self._context.policies.largest(change.kind)",
        (f"{_OBSTACLES}::test_no_limit_of_today_keeps_numbers_from_going_back",),
    ),
    Invariant(
        "a number that is busy at the end goes back later (9)",
        f"{_EXECUTION}/ending.py",
        "return bool(restore.draft.postponed) or await tx.tallies.left_out(restore.id) > 0",
        "return await tx.tallies.left_out(restore.id) > 0",
        (f"{_OBSTACLES}::test_a_number_that_is_busy_at_the_end_goes_back_later",),
    ),
    Invariant(
        "an approval is for the end of a temporary change, too (1)",
        "bot/changes/planning/plan.py",
        'ends = {"until": until.at.astimezone(UTC).isoformat()} if until else {}',
        "ends = {}",
        ("tests/unit/changes/planning/test_plan.py::test_the_digest_covers_the_end_of_a_temporary_change",),
    ),
    Invariant(
        "a file that names every number does not show that its filter was applied (1)",
        "bot/providers/telnyx/downloads.py",
        "if both and both == listed:",
        "if False:",
        ("tests/unit/providers/telnyx/test_telnyx_downloads.py::test_a_file_with_every_number_proves_nothing",),
    ),
    Invariant(
        "a file is fetched from another host without the key (13)",
        "bot/providers/telnyx/files.py",
        "if ours and key else {})",
        "if key else {})",
        ("tests/unit/providers/telnyx/test_telnyx_files.py::test_another_host_gets_no_key",),
    ),
    Invariant(
        "nobody approves their own change (2)",
        "bot/changes/policy/verdicts.py",
        "if reason is None and own and not policy.self_approval:",
        "if False:",
        ("tests/unit/changes/policy/test_policies.py",),
    ),
    Invariant(
        "only the people of the open stage approve (3)",
        "bot/changes/policy/turns.py",
        "already, grant=stage.open_to(now))",
        "already)",
        ("tests/unit/changes/policy/test_stages.py",),
    ),
    Invariant(
        "one person counts in one stage only (3)",
        "bot/changes/policy/turns.py",
        "already = {each.person: one.stage.name for one in progress for each in one.approvals}",
        "already = {each.person: stage.stage.name for each in stage.approvals}",
        ("tests/unit/changes/policy/test_stages.py",),
    ),
    Invariant(
        "fallback approvers wait for their time (3)",
        "bot/changes/policy/stages.py",
        "return self.fallback_at is not None and now >= self.fallback_at",
        "return self.fallback_at is not None",
        ("tests/unit/changes/policy/test_stages.py",),
    ),
    Invariant(
        "an approval counts in the stage that is open when it is written down (4)",
        "bot/workflow/approval/approvals.py",
        "if verb is not DecisionVerb.APPROVE or opened.stage.name == before.stage.name == decision.stage:",
        "if True:",
        (f"{_SCENARIOS}/test_scenario_stages.py::test_an_approval_that_lapses_opens_its_stage_again",),
    ),
    Invariant(
        "nobody decides on what they requested with a lent right (2)",
        "bot/workflow/approval/rights.py",
        "if user == requester:",
        "if False:",
        (f"{_DELEGATED}::test_the_requester_never_decides_through_somebody_else",),
    ),
    Invariant(
        "nobody approves their own change through a delegate (2)",
        "bot/workflow/approval/rights.py",
        "if delegator == requester:",
        "if False:",
        (f"{_DELEGATED}::test_nobody_approves_their_own_change_through_a_delegate",),
    ),
    Invariant(
        "a delegation that is over lets nobody approve (3)",
        "bot/changes/model/delegation.py",
        "return self.ended_at is None and now < self.until.at",
        "return self.ended_at is None",
        ("tests/unit/changes/model/test_delegation.py",),
    ),
    Invariant(
        "ending a delegation takes back what was approved under it (3)",
        "bot/workflow/approval/delegations.py",
        "await self._stage_changes.lapse(tx, change, [lapse])",
        "await self._stage_changes.lapse(tx, change, [])",
        (f"{_DELEGATED}::test_what_was_approved_before_it_was_ended_does_not_count",),
    ),
    Invariant(
        "an approval that was taken back at the last moment lets nothing go (3)",
        f"{_EXECUTION}/start.py",
        "lapsed = lapsed or await approvals_wanting(",
        "lapsed or await approvals_wanting(",
        (f"{_DELEGATED}::test_a_right_that_is_taken_back_at_the_last_moment_lets_nothing_go",),
    ),
    Invariant(
        "one lost search is not enough to send again (6)",
        f"{_EXECUTION}/reconciliation.py",
        "ABSENCES = 2",
        "ABSENCES = 1",
        (
            f"{_SCENARIOS}/test_scenario_job_lists.py::test_one_list_that_leaves_the_job_out_does_not_have_it_made_again",
        ),
    ),
    Invariant(
        "a job that is not there once is not gone (18)",
        f"{_EXECUTION}/polling.py",
        "GONE_POLLS = 10",
        "GONE_POLLS = 1",
        (f"{_SCENARIOS}/test_scenario_unknown_outcomes.py::test_a_job_that_is_not_found_a_few_times_is_polled_on",),
    ),
    Invariant(
        "two changes never hold one number (7)",
        "bot/store/records/locks.py",
        "if await self._connection.scalar(others):",
        "if False:",
        ("tests/integration/store/test_store_locks.py",),
    ),
    Invariant(
        "every batch is read again before it is sent (8)",
        f"{_EXECUTION}/staleness.py",
        "return not batch.handed and not self._context.catalogue.provider(kind).carries_out",
        "return False",
        (f"{_SCENARIOS}/test_scenario_staleness.py::test_what_was_asked_to_slow_down_is_looked_at_again",),
    ),
    Invariant(
        "a freeze keeps back what waits for a slot (15)",
        f"{_EXECUTION}/submission_gate.py",
        "if await tx.freezes.current() is not None or await tx.batches.undecided(batch.change):",
        "if await tx.batches.undecided(batch.change):",
        (f"{_SCENARIOS}/test_scenario_freeze.py::test_a_freeze_keeps_back_jobs_that_wait_and_they_go_on_afterwards",),
    ),
    Invariant(
        "what waits when the change window closes is not sent before it opens",
        f"{_EXECUTION}/submission_gate.py",
        "return opens - self._context.clock()",
        "return timedelta(0)",
        (f"{_SCENARIOS}/test_scenario_change_window.py::test_jobs_left_over_by_a_freeze_wait_for_the_next_window",),
    ),
    Invariant(
        "no number of Close is updated outside the change window",
        "bot/store/adapters/bulk_run_records.py",
        "return None if open_at(windows, self._clock()) else Halt.outside_window()",
        "return None",
        ("tests/integration/store/test_store_runs.py::test_nothing_is_marked_as_sent_outside_the_change_window",),
    ),
    Invariant(
        "a wave that is not complete keeps its numbers apart",
        "bot/changes/planning/builder.py",
        "        self._open.clear()\n        self._wave += 1",
        "        self._wave += 1",
        ("tests/unit/changes/planning/test_plan.py",),
    ),
    Invariant(
        "a share of the numbers is rounded up to a whole one",
        "bot/changes/model/rollout.py",
        "self.count or -(-total * self.share // WHOLE)",
        "self.count or total * self.share // WHOLE",
        ("tests/unit/changes/planning/test_plan.py",),
    ),
    Invariant(
        "as many as the threshold says may go wrong, and not one more",
        "bot/changes/model/rollout.py",
        "bad * WHOLE > self.share * size",
        "bad * WHOLE >= self.share * size",
        ("tests/unit/changes/input/test_waves.py",),
    ),
    Invariant(
        "a button continues after the wave that it was shown for, and after no later one",
        "bot/workflow/execution/rollout.py",
        "if change.wave != wave:",
        "if change.wave < wave:",
        (f"{_SCENARIOS}/test_scenario_waves.py::test_an_old_button_lets_no_later_wave_go",),
    ),
    Invariant(
        "the pauses between reminders grow",
        "bot/workflow/approval/reminders.py",
        "pause * 2 ** min(claim.attempts, DOUBLINGS)",
        "pause",
        (
            f"{_SCENARIOS}/test_scenario_policy.py::test_approvers_who_have_not_answered_are_reminded_with_growing_pauses",
        ),
    ),
    Invariant(
        "a change waits for thirty days and not a moment longer",
        "bot/changes/input/times.py",
        "if at > now + AHEAD:",
        "if at >= now + AHEAD:",
        ("tests/unit/changes/input/test_times.py",),
    ),
    Invariant(
        "a change waits for thirty days and not for more",
        "bot/changes/input/time_reader.py",
        "AHEAD: Final = timedelta(days=30)",
        "AHEAD: Final = timedelta(days=31)",
        ("tests/unit/changes/input/test_times.py",),
    ),
    Invariant(
        "the morning begins at six",
        "bot/changes/input/time_reader.py",
        "_MORNING: Final = time(6)",
        "_MORNING: Final = time(7)",
        ("tests/unit/changes/input/test_times.py",),
    ),
    Invariant(
        "six in the morning is morning",
        "bot/changes/input/time_reader.py",
        "if _MORNING <= wanted < _EVENING:",
        "if _MORNING < wanted < _EVENING:",
        ("tests/unit/changes/input/test_times.py",),
    ),
    Invariant(
        "before six it is still night",
        "bot/changes/input/time_reader.py",
        ".time() < _MORNING",
        ".time() <= _MORNING",
        ("tests/unit/changes/input/test_times.py",),
    ),
    Invariant(
        "a number that differs counts as failed (outcomes)",
        "bot/changes/outcome/outcomes.py",
        "missing = tally.failed + tally.differs + tally.not_attempted - unchanged",
        "missing = tally.failed + tally.not_attempted - unchanged",
        ("tests/unit/changes/outcome/test_outcomes.py",),
    ),
    Invariant(
        "a number that needed no change is not missing (outcomes)",
        "bot/changes/outcome/outcomes.py",
        "+ tally.not_attempted - unchanged",
        "+ tally.not_attempted",
        ("tests/unit/changes/outcome/test_outcomes.py",),
    ),
    Invariant(
        "what was not read back is no success (outcomes)",
        "bot/changes/outcome/outcomes.py",
        "unseen = tally.unread + tally.unverified",
        "unseen = tally.unread",
        ("tests/unit/changes/outcome/test_outcomes.py",),
    ),
    Invariant(
        "every number is in the total (outcomes)",
        "bot/changes/model/batches.py",
        "return self.pending + self.changed + self.failed + self.not_attempted",
        "return self.pending + self.changed + self.failed",
        ("tests/unit/changes/outcome/test_outcomes.py",),
    ),
    Invariant(
        "a late edit does not have the last word",
        "bot/workflow/delivery.py",
        "return CONFIRM_AFTER * self._context.timing.card if covered else None",
        "return None",
        (_LATE_EDIT,),
    ),
)
