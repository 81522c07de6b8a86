"""The card: one message per change, edited in place."""

from __future__ import annotations

from typing import Final

from bot.changes.model.draft import FollowUp
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.changes.model.public_ids import public_id
from bot.changes.outcome.outcomes import NOT_SHOWN
from bot.slack.views.elements import (
    Block,
    actions,
    bar,
    beside,
    button,
    code,
    context,
    fields,
    header,
    person,
    quote,
    section,
    when,
)
from bot.slack.views.fragments import asked_lines, comment_lines, counts_text, state_word, trouble
from bot.slack.views.plan_lines import wanted_lines
from bot.slack.views.preview import AGAIN
from bot.slack.views.problems import problem_lines
from bot.slack.views.questions import questions_line
from bot.slack.views.revisions import revise_button
from bot.slack.views.rollout import rollout_buttons, rollout_line
from bot.slack.views.stages import approvals_text, enough_line, forbidden_line, stage_lines, wanting_line
from bot.slack.views.stale import unread_line
from bot.slack.views.templates import keep_button
from bot.slack.views.temporary import (
    end_button,
    ended_text,
    extension_line,
    how_restored,
    is_extension,
    restore_lines,
    until_line,
)
from bot.slack.views.times import freeze_line, slack_line
from bot.workflow.ports import ChangeDetails

RETRY: Final = "retry_failed"
UNDO: Final = "undo"
#: The text about a change that others follow, and how many of them are named.
FOLLOWED: Final = {
    FollowUp.RETRY: "Retried",
    FollowUp.UNDO: "Undone",
    FollowUp.RESTORE: "Restored",
}
FOLLOWERS: Final = 3
#: Final states after which the same request may be planned again.
PLANNABLE_AGAIN: Final = frozenset(
    {ChangeState.STALE, ChangeState.EXPIRED, ChangeState.REJECTED, ChangeState.CANCELLED}
)
#: States in which a change expires if nobody acts.
WAITING: Final = frozenset({ChangeState.AWAITING_APPROVAL, ChangeState.CHANGES_REQUESTED})
#: Final states whose reason is the change's problem.
ENDED_EARLY: Final = frozenset(
    {ChangeState.STALE, ChangeState.CANCELLED, ChangeState.DISCARDED, ChangeState.EXPIRED, ChangeState.REJECTED}
)


def card_text(details: ChangeDetails) -> str:
    """Return the card in one line, for notifications and screen readers."""
    change = details.change
    return f"{change.public_id} · {details.kind.title} · {state_word(change)} · {counts_text(details)}"


def card(details: ChangeDetails) -> list[Block]:
    """Return the card's blocks."""
    change, summary = details.change, details.change.summary
    blocks = [header(f"{change.public_id} · {details.provider}: {details.kind.title}"), section(_progress(details))]
    until = extension_line(details) or until_line(details)
    times = (
        enough_line(details),
        wanting_line(details),
        forbidden_line(details),
        freeze_line(details),
        until,
        slack_line(details.waits_for_slack),
        rollout_line(details),
    )
    blocks += [section(each) for each in times if each]
    if change.state is ChangeState.PAUSED:
        blocks.append(rollout_buttons(details))
    if end := end_button(details):
        blocks.append(end)
    if summary is not None:
        wanted = section(wanted_lines(details.kind, summary, change.draft))
        blocks.append(wanted if change.part_of else beside(wanted, keep_button(change.id)))
    blocks.append(fields(_facts(details)))
    if stages := stage_lines(details):
        blocks.append(section(stages))
    blocks.append(quote(change.draft.reason))
    # A restore has no card of its own.
    parts = [details, *([details.restore] if details.restore else [])]
    asked = [line for part in parts for line in (questions_line(part), unread_line(part))]
    said = (asked_lines(details), comment_lines(details.decisions))
    blocks += [section(each) for each in (*said, *asked) if each]
    if change.problem:
        word = "Stopped" if change.stopped_at or change.state in ENDED_EARLY else "Left out"
        blocks.append(section(f"*{word}:* {problem_lines(change.problem, 1000)}"))
    told = [*trouble(details, limit=3), *restore_lines(details, limit=3)]
    blocks += [section(f"*{heading}*\n{lines}") for heading, lines in told]
    if buttons := _buttons(details):
        blocks.append(actions(f"again:{change.id}", buttons))
    blocks.append(context(*_small_print(details)))
    return blocks


def _buttons(details: ChangeDetails) -> list[Block]:
    """Return the buttons for a change that is over, or that its requester must plan again."""
    change, tally, value = details.change, details.tally, str(details.change.id)
    buttons: list[Block] = []
    if change.kept is not None or change.part_of is not None:
        return buttons  # its numbers are pruned, or the buttons are on the card of the whole
    if change.state is ChangeState.CHANGES_REQUESTED:
        return [revise_button(change)]
    lapsed = change.state is ChangeState.CANCELLED and any(decision.lapse for decision in details.decisions)
    if (change.state in PLANNABLE_AGAIN or lapsed) and change.replaced_by is None:
        buttons.append(button("Plan again", AGAIN, value))
    elif change.state.over and change.started_at is not None:
        unchanged = change.summary.unchanged if change.summary else 0
        unseen = any(group.code != NOT_SHOWN for group in details.unverified)
        missed = tally.failed or tally.differs or unseen or tally.not_attempted > unchanged
        if missed and change.until is None:
            buttons.append(button("Retry failed", RETRY, value))
        if tally.changed and not details.kind.removes and (change.until is None or how_restored(details).wanting):
            buttons.append(button("Undo", UNDO, value))
    return buttons


def _progress(details: ChangeDetails) -> str:
    change, tally = details.change, details.tally
    word = f"*{state_word(change)}*"
    if change.started_at is None:
        return word
    done = tally.total - tally.pending
    shown = f"{word}\n{code(bar(done, tally.total))} {done:,} of {tally.total:,}\n{counts_text(details)}"
    return f"{shown}\n⏪ {back}" if (back := ended_text(details)) else shown


def _facts(details: ChangeDetails) -> list[tuple[str, str]]:
    change = details.change
    facts = [
        ("Requested by", person(change.requester)),
        ("Numbers", f"{_numbers(details):,}"),
        *([] if is_extension(change) else [("Jobs", _jobs(details))]),
        ("Approvals", _approvals(details)),
    ]
    if change.state in WAITING and change.expires_at is not None:
        facts.append(("Expires", when(change.expires_at)))
    return facts


def _numbers(details: ChangeDetails) -> int:
    """Return how many numbers it is about; the numbers of an extension are those of the temporary change."""
    summary = details.change.summary
    return summary.numbers if summary and is_extension(details.change) else details.tally.total


def _approvals(details: ChangeDetails) -> str:
    """Return who approved it; a part of a temporary change was approved with the whole."""
    change = details.change
    if change.part_of is not None and not is_extension(change):
        return f"with {public_id(change.part_of)}"
    return approvals_text(details)


def _jobs(details: ChangeDetails) -> str:
    if details.change.kept is not None:
        return f"{details.change.summary.batches if details.change.summary else 0:,}"
    total = len(details.batches)
    if details.change.started_at is None:
        return f"{total:,} to create"
    parts = [f"{details.batches_in(BatchState.SETTLED):,} of {total:,} done"]
    if running := details.batches_in(BatchState.SUBMITTED, BatchState.SUBMITTING):
        frozen = details.reach is not None and not details.reach.under_way
        held = "held by the freeze" if frozen else "held until its change window opens"
        kept = details.carried_out and (frozen or details.outside_window)
        parts.append(f"{running:,} {held if kept else 'running'}")
    if queued := details.batches_in(BatchState.QUEUED):
        slots = details.kind.jobs_in_flight
        full = details.slots_taken or details.in_flight >= slots
        shut = " for its change window" if details.outside_window else ""
        why = " for the end of the freeze" if details.freeze else shut or (_full(details) if full else "")
        parts.append(f"{queued:,} waiting{why}")
    if unknown := details.batches_in(BatchState.UNKNOWN):
        parts.append(f"{unknown:,} with no response yet; checking with {details.provider}")
    return ", ".join(parts)


def _full(details: ChangeDetails) -> str:
    """Return whose jobs use the provider's slots; foreign jobs are not named."""
    slots = details.kind.jobs_in_flight
    whose = "all by Linesman" if details.in_flight >= slots else f"{details.in_flight} by Linesman"
    return f" for a free slot: {slots} of {slots} in use, {whose}"


def _small_print(details: ChangeDetails) -> list[str]:
    change = details.change
    texts = []
    if change.replaced_by is not None:
        texts.append(f"Replaced by {public_id(change.replaced_by)}")
    if base := change.draft.base:
        texts.append(f"{base.what.value.capitalize()} of {public_id(base.change)}")
    followers = [(follower, FOLLOWED[what]) for follower, what in details.followers if what in FOLLOWED]
    texts += [f"{done} by {public_id(follower)}" for follower, done in followers[-FOLLOWERS:]]
    if change.requested_at is not None:
        texts.append(f"Requested {when(change.requested_at)}")
    if change.finished_at is not None:
        texts.append(f"Ended {when(change.finished_at)}")
    if change.kept is not None:
        texts.append("Old data was removed; this summary is kept")
    if change.digest:
        texts.append(f"Plan `{change.digest[:12]}`")
    return texts
