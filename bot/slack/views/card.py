"""The card: one message per change, edited in place."""

from __future__ import annotations

from typing import Final

from bot.changes.lifecycle import BatchState, ChangeState
from bot.changes.outcomes import NOT_TOLD
from bot.changes.records import Following, public_id
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
from bot.slack.views.pieces import counts_text, decision_text, state_word, trouble
from bot.slack.views.plan_lines import wanted_lines
from bot.slack.views.preview import AGAIN
from bot.slack.views.problems import problem_lines
from bot.slack.views.questions import questions_line
from bot.slack.views.stale import unread_line
from bot.slack.views.templates import keep_button
from bot.slack.views.times import freeze_line, slack_line
from bot.slack.views.trying import try_buttons, try_line
from bot.workflow.ports import Story

RETRY: Final = "retry_failed"
UNDO: Final = "undo"
#: What is said of a change that another one follows, and how many of those are named.
FOLLOWED: Final = {Following.RETRY: "Retried", Following.UNDO: "Undone"}
FOLLOWERS: Final = 3
#: Endings after which the same request may be planned anew.
PLANNABLE_AGAIN: Final = frozenset(
    {ChangeState.STALE, ChangeState.EXPIRED, ChangeState.REJECTED, ChangeState.CANCELLED}
)
#: Endings of which the change's problem is the reason.
ENDED_EARLY: Final = frozenset(
    {ChangeState.STALE, ChangeState.CANCELLED, ChangeState.DISCARDED, ChangeState.EXPIRED, ChangeState.REJECTED}
)


def card_text(story: Story) -> str:
    """Return the card in one line, for notifications and screen readers."""
    change = story.change
    return f"{change.public_id} · {story.kind.title} · {state_word(change)} · {counts_text(story)}"


def card(story: Story) -> list[Block]:
    """Return the card's blocks."""
    change, summary = story.change, story.change.summary
    blocks = [header(f"{change.public_id} · {story.provider}: {story.kind.title}"), section(_progress(story))]
    if freeze := freeze_line(story):
        blocks.append(section(freeze))
    if held := slack_line(story.waits_for_slack):
        blocks.append(section(held))
    if trying := try_line(story):
        blocks.append(section(trying))
    if change.state is ChangeState.PAUSED:
        blocks.append(try_buttons(story))
    if summary is not None:
        blocks.append(beside(section(wanted_lines(story.kind, summary, change.draft)), keep_button(change.id)))
    blocks.append(fields(_facts(story)))
    blocks.append(quote(change.draft.reason))
    if open_questions := questions_line(story):
        blocks.append(section(open_questions))
    if unread := unread_line(story):
        blocks.append(section(unread))
    if change.problem:
        word = "Stopped" if change.stopped_at or change.state in ENDED_EARLY else "Left out"
        blocks.append(section(f"*{word}:* {problem_lines(change.problem, 1000)}"))
    blocks += [section(f"*{heading}*\n{lines}") for heading, lines in trouble(story, limit=3)]
    if buttons := _buttons(story):
        blocks.append(actions(f"again:{change.id}", buttons))
    blocks.append(context(*_small_print(story)))
    return blocks


def _buttons(story: Story) -> list[Block]:
    """Return what can be done about a change that is over."""
    change, tally, value = story.change, story.tally, str(story.change.id)
    buttons: list[Block] = []
    if change.kept is not None:
        return buttons  # its numbers are pruned
    lapsed = change.state is ChangeState.CANCELLED and any(decision.lapse for decision in story.decisions)
    if (change.state in PLANNABLE_AGAIN or lapsed) and change.replaced_by is None:
        buttons.append(button("Plan again", AGAIN, value))
    elif change.state.over and change.started_at is not None:
        unchanged = change.summary.unchanged if change.summary else 0
        unseen = any(group.code != NOT_TOLD for group in story.unverified)
        if tally.failed or tally.differs or unseen or tally.not_attempted > unchanged:
            buttons.append(button("Retry failed", RETRY, value))
        if tally.changed and not story.kind.removes:
            buttons.append(button("Undo", UNDO, value))
    return buttons


def _progress(story: Story) -> str:
    change, tally = story.change, story.tally
    word = f"*{state_word(change)}*"
    if change.started_at is None:
        return word
    done = tally.total - tally.pending
    return f"{word}\n{code(bar(done, tally.total))} {done:,} of {tally.total:,}\n{counts_text(story)}"


def _facts(story: Story) -> list[tuple[str, str]]:
    change = story.change
    facts = [
        ("Requested by", person(change.requester)),
        ("Numbers", f"{story.tally.total:,}"),
        ("Jobs", _jobs(story)),
        ("Approvals", decision_text(story.decisions, change.approvals_required)),
    ]
    if change.state is ChangeState.AWAITING_APPROVAL and change.expires_at is not None:
        facts.append(("Expires", when(change.expires_at)))
    return facts


def _jobs(story: Story) -> str:
    if story.change.kept is not None:
        return f"{story.change.summary.batches if story.change.summary else 0:,}"
    total = len(story.batches)
    if story.change.started_at is None:
        return f"{total:,} to create"
    parts = [f"{story.batches_in(BatchState.SETTLED):,} of {total:,} done"]
    if running := story.batches_in(BatchState.SUBMITTED, BatchState.SUBMITTING):
        held = story.carried_out and story.reach is not None and not story.reach.under_way
        parts.append(f"{running:,} held by the freeze" if held else f"{running:,} running")
    if queued := story.batches_in(BatchState.QUEUED):
        slots = story.kind.jobs_in_flight
        full = story.slots_taken or story.in_flight >= slots
        why = " for the end of the freeze" if story.freeze else _full(story) if full else ""
        parts.append(f"{queued:,} waiting{why}")
    if unknown := story.batches_in(BatchState.UNKNOWN):
        parts.append(f"{unknown:,} without an answer, being looked for")
    return ", ".join(parts)


def _full(story: Story) -> str:
    """Return whose jobs take up the provider's slots; those that are not ours it does not name."""
    slots = story.kind.jobs_in_flight
    whose = "all ours" if story.in_flight >= slots else f"{story.in_flight} of them ours"
    return f" for a free slot: {slots} of {slots} in use, {whose}"


def _small_print(story: Story) -> list[str]:
    change = story.change
    texts = []
    if change.replaced_by is not None:
        texts.append(f"Replaced by {public_id(change.replaced_by)}")
    if base := change.draft.base:
        texts.append(f"{base.what.value.capitalize()} of {public_id(base.change)}")
    texts += [f"{FOLLOWED[what]} by {public_id(follower)}" for follower, what in story.followers[-FOLLOWERS:]]
    if change.requested_at is not None:
        texts.append(f"Requested {when(change.requested_at)}")
    if change.finished_at is not None:
        texts.append(f"Ended {when(change.finished_at)}")
    if change.kept is not None:
        texts.append("So long ago that its numbers were pruned; this summary is what is kept")
    if change.digest:
        texts.append(f"Plan `{change.digest[:12]}`")
    return texts
