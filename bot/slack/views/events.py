"""Events of the audit log as sentences: the one place that explains an event's name to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.changes.audit.events import Event
from bot.changes.text.counts import counted
from bot.slack.views.elements import code
from bot.slack.views.fragments import in_place_of

#: Name of an event -> what happened. In braces are the event's details: a text is shown as code, a count with the noun
#: after the colon (and its plural, if that takes more than an s).
SENTENCES: Final[Mapping[str, str]] = {
    # Planning and approval
    "proposed": "Planning started",
    "planned": "Plan ready: {numbers:number}, {batches:job}",
    "replaced": "Replaced by {by}",
    "discarded": "Plan discarded",
    "approval_requested": "Approval requested",
    "reminded": "Reminder sent",
    "approved": "Approved",
    "changes_requested": "Changes requested",
    "plan_replaced": "Plan replaced by {by}",
    "rejected": "Rejected",
    "approvals_suffice": "Approved: the current policy requires no further approvals",
    "approval_lapsed": "An approval no longer counts",
    "stage_opened": "Stage {stage} open",
    "stage_reopened": "Stage {stage} open again",
    "fallback_asked": "Fallback approvers may approve",
    "expired": "Request expired",
    "start_passed": "Start time passed without a decision",
    # Start and submission
    "not_approved": "Cancelled: too few approvals still count",
    "not_locked": "Cancelled at the start: its numbers were no longer locked",
    "not_allowed": "Cancelled at the start: the policy no longer allows it",
    "digest_mismatch": "Cancelled at the start: the stored plan is not the approved one",
    "started": "Started: {batches:job} to create",
    "rest_started": "Remaining {batches:job} started",
    "began_late": "Began {minutes:minute} late",
    "window_closed": "Outside the change window: {numbers:number} waiting until {opens}",
    "wave_started": "Wave {wave} started: {batches:job} to create",
    "stale": "Stale: {numbers:number} changed since the plan was made",
    "batch_stale": "Batch {batch}: {numbers:number} not sent, {changed} changed since the plan was made",
    "batch_submitting": "Batch {batch}: sending",
    "batch_submitted": "Batch {batch}: job {job} created",
    "batch_postponed": "Batch {batch}: waiting to be sent",
    "batch_refused": "Batch {batch}: refused by the provider",
    "batch_unknown": "Batch {batch}: no response to the job creation",
    "batch_absent": "Batch {batch}: the provider has no job for it",
    "batch_adopted": "Batch {batch}: matched to job {job}",
    "batch_undecidable": "Batch {batch}: needs an operator",
    "batch_sent_again": "Batch {batch}: an operator has it sent again",
    "batch_given_up": "Batch {batch}: an operator gave up on it",
    "batch_stopped": "Batch {batch}: {numbers:number} not sent",
    # Jobs, read-back and the end
    "job_stuck": "Batch {batch}: job {job} stalled",
    "job_resumed": "Batch {batch}: job {job} makes progress again",
    "batch_settled": "Batch {batch}: job {job} ended, {said}",
    "paused": "Paused: not all numbers of the wave are as approved",
    "paused_as_planned": "Paused after wave {wave}, as planned",
    "continued": "Rollout continued",
    "verifying": "Read-back started",
    "not_in_effect": "{numbers:number} not in effect: {word}",
    "read_back": "Read-back done: {verified} verified, {differs} different, {unverified} not verified",
    "read_back_ended": "Read-back ended by an operator, {numbers:number} not verified",
    "finished": "Finished",
    "in_effect": "In effect: {numbers:number} to restore at the end",
    "ending": "End: restored by {by}",
    "covered": "Approved with {by}",
    "extended": "Extended by {by}",
    "not_extended": "Not extended",
    "ended_early": "Ended early",
    "end_passed": "Cancelled at the start: its end had passed",
    "ended": "Over: {restored:number} restored, {left} left, {failed} failed, {missing} not restored",
    # Control
    "stopped": "Stopped: {numbers:number} not sent",
    "cancelled": "Cancelled",
    "cancelled_by_memory": "Cancelled while Slack could not confirm the operator",
    "healed": "Found stuck and continued ({task})",
    "unlocked": "{numbers:number} unlocked",
    "operators_asked": "Operators asked about {batches:batch/batches}",
    "click_refused": "Click refused",
    "message_refused": "Slack refused a message: {code}",
    "workbook_asked_for": "Results requested as a workbook",
    "template_saved": "Saved as template {name}",
    "template_replaced": "Template {name} replaced",
    "pruned": "Old data removed; the summary is kept",
    # Without a change
    "template_deleted": "Template {name} deleted",
    "frozen": "Submissions frozen: {reason}",
    "unfrozen": "Freeze lifted",
    "exported": "Audit log exported: {events:event}",
    "moved": "Everything moved to another database, {events:event}",
    "restored": "Database restored from a backup",
    "delegated": "Right to approve lent to {delegate} until {until}",
    "delegation_changed": "Right to approve lent to {delegate} until {until} instead",
    "delegation_ended": "Delegation from {delegator} to {delegate} ended early",
    "delegation_over": "Delegation from {delegator} to {delegate} ended as planned",
    "values_asked": "Current values requested",
    "values_answered": "Current values sent for {numbers:number}",
    "events_pruned": "Old events removed from the audit log",
}

#: Old name of an event -> new name. Written events keep their name, as the hashes of the audit log cover it.
FORMER: Final[Mapping[str, str]] = {"job_moves_again": "job_resumed", "went_on": "continued"}


def event_line(event: Event) -> str:
    """Return what happened, and if the event says so, why and who did it; mrkdwn."""
    sentence = SENTENCES.get(FORMER.get(event.what, event.what))
    # Another version of Linesman may have written it; its name is better than nothing.
    said = f"Event {code(event.what, 60)}" if sentence is None else sentence.format_map(_Details(event.details))
    if event.what == "approved" and (stage := event.details.get("stage")):
        said = f"{said} in the stage {code(str(stage), 60)}"
    if event.what == "approved" and event.details.get("fallback"):
        said = f"{said} as a fallback approver"
    if why := next(filter(None, map(event.details.get, ("answer", "why", "comment"))), None):
        said = f"{said}: {code(str(why), 120)}"
    whose = str(event.details.get("on_behalf_of") or "")
    return f"{said} · {in_place_of(event.actor, whose)}" if event.actor != "linesman" else said


class _Details(dict[str, "_Detail"]):
    """The details of an event, by name; a missing one is shown as unknown."""

    def __init__(self, details: Mapping[str, str | int | None]) -> None:
        super().__init__({name: _Detail(value) for name, value in details.items()})

    def __missing__(self, key: str) -> _Detail:
        return _Detail(None)


class _Detail:
    """One detail; the noun of a count follows the colon."""

    def __init__(self, value: str | int | None) -> None:
        self._value = value

    def __format__(self, noun: str) -> str:
        if self._value is None:
            return f"unknown {noun.partition('/')[2] or f'{noun}s'}" if noun else "unknown"
        if isinstance(self._value, int):
            return counted(self._value, *noun.split("/")) if noun else f"{self._value:,}"
        return code(self._value, 80)
