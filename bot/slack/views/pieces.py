"""Parts that several messages show: what is wanted, a sample, what costs money, who decided."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.edits import show_wish
from bot.changes.glances import Glance
from bot.changes.kinds import Kind
from bot.changes.lifecycle import ChangeState, Outcome
from bot.changes.policy import Audience
from bot.changes.records import Change, Decision, FailureGroup, Summary, Verb, public_id
from bot.changes.settings import Shape
from bot.changes.summaries import UNSET
from bot.changes.values import Values, Wish
from bot.slack.views.elements import code, counted, listed, person, when
from bot.workflow.ports import Story, Waiting

#: How many differences of one number are shown in a sample.
DIFFERENCES = 3

#: State -> what people read.
STATES = {
    ChangeState.PLANNING: "⏳ Planning",
    ChangeState.PLANNED: "📝 Planned",
    ChangeState.AWAITING_APPROVAL: "🔵 Awaiting approval",
    ChangeState.APPROVED: "🟢 Approved",
    ChangeState.RUNNING: "▶️ Running",
    ChangeState.VERIFYING: "🔎 Verifying",
    ChangeState.PAUSED: "⏸️ Paused",
    ChangeState.DISCARDED: "⚪ Discarded",
    ChangeState.REJECTED: "⛔ Rejected",
    ChangeState.EXPIRED: "⌛ Expired",
    ChangeState.CANCELLED: "⚪ Cancelled",
    ChangeState.STALE: "⚠️ Stale",
}
OUTCOMES = {
    Outcome.SUCCEEDED: "✅ Succeeded",
    Outcome.PARTLY_FAILED: "⚠️ Partly failed",
    Outcome.FAILED: "❌ Failed",
    Outcome.UNVERIFIED: "⚠️ Succeeded, not verified",
}

#: States in which nothing has been sent.
_UNSENT = frozenset({ChangeState.PLANNED, ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED})


def state_word(change: Change | Glance) -> str:
    """Return the state, or for a finished change the outcome, as people read it."""
    return OUTCOMES[change.outcome] if change.outcome else STATES[change.state]


def kind_words(kind: Kind | None, name: str) -> str:
    """Return what people call a kind; its name when it is not available any more."""
    return f"{kind.provider.title()}: {kind.title}" if kind else code(name, 64)


def shown(kind: Kind, name: str, wish: Wish, summary: Summary, limit: int = 200) -> str:
    """Return a value, or an edit of a list, with human names beside ids, safe inside mrkdwn."""
    return code(show_wish(kind.setting(name), wish, summary.labels.get(name)), limit)


def wanted_lines(kind: Kind, summary: Summary) -> str:
    """Return a line for every setting that will change; of a kind that takes numbers away, what that means."""
    if kind.removes:
        return (
            f"🗑️ These numbers are *deleted from the {kind.provider.title()} account*. It cannot be undone, and nobody "
            "can promise that a number can be bought again."
        )
    return listed([f"• *{kind.setting(name).label}* → {_wanted(kind, name, summary)}" for name in summary.names])


def _wanted(kind: Kind, name: str, summary: Summary) -> str:
    """Return what a setting is going to be, for all numbers or for those without a value of their own."""
    common = shown(kind, name, summary.wanted[name], summary) if name in summary.wanted else ""
    own = summary.varied.get(name, 0)
    if not own:
        return common
    rows = f"{own:,} different values, number by number" if own > 1 else "the value in the sheet"
    return f"{rows}; {common} for the rest" if common else rows


def sample_lines(kind: Kind, summary: Summary, limit: int) -> str:
    """Return before and after of a few numbers."""
    lines = []
    for e164, before, after in summary.sample[:limit]:
        if kind.removes:
            had = [
                f"{kind.setting(name).label}: {shown(kind, name, value, summary, limit=60)}"
                for name, value in before.items()
                if value not in UNSET
            ]
            lines.append(f"`{e164}`  {'; '.join(had) or 'nothing set'}")
            continue
        named = [_difference(kind, name, before, after, summary) for name in list(after)[:DIFFERENCES]]
        if more := len(after) - DIFFERENCES:
            named += [f"and {more} more"] if more > 0 else []
        lines.append(f"`{e164}`  {'; '.join(named)}")
    return listed(lines)


def _difference(kind: Kind, name: str, before: Values, after: Values, summary: Summary) -> str:
    setting, told = kind.setting(name), name in before
    old, new = before.get(name), after.get(name)
    if setting.shape in {Shape.LOOKUPS, Shape.NUMBERS} and told and isinstance(new, tuple):
        return f"{setting.label}: {_gains_and_losses(kind, name, old if isinstance(old, tuple) else (), new, summary)}"
    was = shown(kind, name, old, summary, limit=60) if told else "(not told by the provider)"
    return f"{setting.label}: {was} → {shown(kind, name, new, summary, limit=60)}"


def _gains_and_losses(kind: Kind, name: str, old: tuple[str, ...], new: tuple[str, ...], summary: Summary) -> str:
    """Return what a list gains and loses: two long lists side by side, cut to a line, would look the same."""
    gained = tuple(entry for entry in new if entry not in old)
    lost = tuple(entry for entry in old if entry not in new)
    signs = (("+", gained), ("-", lost))
    return " ".join(f"{sign} {shown(kind, name, entries, summary, limit=80)}" for sign, entries in signs if entries)


def warning_lines(kind: Kind, summary: Summary) -> str:
    """Return what a careful person would want to be told before approving; empty when there is nothing."""
    lines = [
        f"• {counted(count, 'number')} {'gets' if count == 1 else 'get'} *{kind.setting(name).label}* switched on, "
        "which costs money."
        for name, count in summary.paid.items()
    ]
    lines += [
        f"• {counted(count, 'number')} {'loses' if count == 1 else 'lose'} *{kind.setting(name).label.lower()}* "
        "of today: the list is replaced."
        for name, count in summary.losing.items()
    ]
    lines += [
        f"• {counted(count, 'number')} {'keeps' if count == 1 else 'keep'} *{kind.setting(name).label}* as it is: "
        f"{kind.provider.title()} documents no way to set what {'it' if count == 1 else 'they'} had before."
        for name, count in summary.lost.items()
    ]
    if count := summary.since:
        named = ", ".join(summary.since_named) + (", …" if count > len(summary.since_named) else "")
        has = "has been changed since and is" if count == 1 else "have been changed since and are"
        lines.append(f"• {counted(count, 'number')} {has} left as {'it is' if count == 1 else 'they are'}: {named}.")
    if summary.unknown:
        lines.append(
            f"• *Nobody can see which numbers these are.* {kind.provider.title()} alone resolves the filter when the "
            "job is made; only then are the numbers known, and there are no values of before to compare or to go back "
            f"to. Until the end, no other change of {kind.provider.title()} numbers can be asked for."
        )
    lines += [
        f"• {counted(count, 'number')} {'has' if count == 1 else 'have'} *{kind.setting(name).label.lower()}*."
        for name, count in summary.having.items()
    ]
    if count := summary.unchanged:
        alone = "already has these values and is" if count == 1 else "already have these values and are"
        lines.append(f"• {counted(count, 'number')} {alone} left alone.")
    if count := summary.left_out:
        lines.append(f"• {counted(count, 'number')} that you gave {'is' if count == 1 else 'are'} left out.")
    if count := summary.repeats:
        lines.append(f"• {count:,} repeated {'entry was' if count == 1 else 'entries were'} dropped.")
    return "\n".join(lines)


def audience_text(audience: Audience) -> str:
    """Return mentions of all who are asked to approve."""
    named = [person(user) for user in audience.users] + [f"<!subteam^{group}>" for group in audience.groups]
    return ", ".join(named) or "nobody"


def decision_text(decisions: Sequence[Decision], required: int) -> str:
    """Return who decided what so far."""
    said = [f"{person(d.person)} {'approved' if d.verb is Verb.APPROVE else 'rejected'}" for d in decisions]
    approvals = sum(1 for d in decisions if d.verb is Verb.APPROVE)
    return f"{approvals} of {required}" + (f": {', '.join(said)}" if said else "")


def failure_lines(groups: Sequence[FailureGroup], total: int, limit: int) -> str:
    """Return numbers grouped by the reason that they share; ``total`` is how many there are with any reason."""
    lines = []
    for group in groups[:limit]:
        numbers = ", ".join(group.examples) + (", …" if group.count > len(group.examples) else "")
        where = " ".join(part for part in (group.code, group.pointer) if part)
        origin = f" {code(where, 120)}" if where else ""
        lines.append(f"• *{group.count:,}*: {code(group.reason)}{origin} ({numbers})")
    if (more := total - sum(group.count for group in groups[:limit])) > 0:
        lines.append(f"• and {more:,} more, with other reasons")
    return listed(lines)


def trouble(story: Story, limit: int) -> list[tuple[str, str]]:
    """Return what is to be told of numbers that are not as they should be: (heading, lines) of each sort there is."""
    tally = story.tally
    sorts = (
        ("Failed numbers", story.failures, tally.failed),
        ("Numbers that differ from what was approved", story.differences, tally.differs),
        ("Numbers that could not be verified", story.unverified, tally.unverified),
    )
    return [(heading, failure_lines(groups, total, limit)) for heading, groups, total in sorts if groups]


def counts_text(story: Story | Glance) -> str:
    """Return how many numbers are where."""
    tally = story.tally
    read = (story.state if isinstance(story, Glance) else story.change.state) is ChangeState.FINISHED
    parts = count_parts(
        succeeded=None if read else tally.succeeded,
        verified=tally.verified if read else tally.verified or None,
        differs=tally.differs,
        unverified=tally.unverified,
        failed=tally.failed,
        pending=tally.pending,
        not_attempted=tally.not_attempted,
    )
    return " · ".join(parts)


def count_parts(
    *,
    succeeded: int | None = None,
    verified: int | None = None,
    differs: int = 0,
    unverified: int = 0,
    failed: int = 0,
    pending: int = 0,
    not_attempted: int = 0,
) -> list[str]:
    """Return counts in words: the first two unless they are None, what failed, and the rest where there is any."""
    parts = [
        f"{count:,} {word}" for count, word in ((succeeded, "succeeded"), (verified, "verified")) if count is not None
    ]
    if differs:
        parts.append(f"{differs:,} {'differs' if differs == 1 else 'differ'}")
    if unverified:
        parts.append(f"{unverified:,} could not be verified")
    parts.append(f"{failed:,} failed")
    if pending:
        parts.append(f"{pending:,} pending")
    if not_attempted:
        parts.append(f"{not_attempted:,} not attempted")
    return parts


def numbers_text(summary: Summary) -> str:
    """Return how many numbers there are, and how many of them change when those are fewer."""
    if summary.unknown:
        return f"not known before the job runs, {summary.unknown:,} at most"
    changing = summary.numbers - summary.unchanged
    return f"{summary.numbers:,}" + (f", of which {changing:,} change" if summary.unchanged else "")


def locked_lines(summary: Summary) -> str:
    """Return who holds numbers of the plan, and since when."""
    return listed(
        [
            f"{held.numbers:,} of the numbers are locked by *{public_id(held.change)}*, requested by "
            f"{person(held.requester)}, since {when(held.since)}."
            for held in summary.locked
        ]
    )


def jobs_text(story: Story) -> str:
    """Return how many jobs there are, and how long they may take going by recent ones."""
    count = len(story.batches)
    if story.typical_seconds is None:
        return f"{count:,}"
    rounds = -(-count // story.kind.jobs_in_flight)
    return f"{count:,}, about {duration(rounds * story.typical_seconds)}"


def duration(seconds: float) -> str:
    """Return a length of time in words, rounded as people would."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"


def start_line(story: Story | Waiting) -> str:
    """Return when the change is going to begin; empty when that is as soon as it is approved, or when it has begun."""
    start, begins, state = story.change.start, story.opens_at, story.change.state
    if state not in _UNSENT:
        return ""
    if start is None:
        return f"🕒 Outside its change window: once approved it starts at {when(begins)}." if begins else ""
    if start.at <= story.now:
        if begins:
            return f"🕒 Its start, {start}, has passed and its change window is shut: it starts at {when(begins)}."
        at_once = f"🕒 Its start, {start}, has passed: *approved now, it starts at once*."
        return "" if state is ChangeState.APPROVED else at_once
    if begins and begins > start.at:
        return f"🕒 Its start, {start}, is outside its change window: it *starts {when(begins)}*, when that opens."
    return f"🕒 *Starts {start}*; on your clock that is {when(start.at)}."


def waiting_lines(story: Story) -> str:
    """Return when the change is going to begin and what that means for others; empty when it does not wait."""
    line = start_line(story)
    if not line or story.change.start is None:
        return line
    if story.change.state is ChangeState.APPROVED:
        return f"{line} Until it is over, no other change can have its numbers."
    late = "" if story.change.start.at <= story.now else " Approved later than that, it starts at once."
    return f"{line}{late} From the request until it is over, no other change can have its numbers."


def freeze_line(story: Story) -> str:
    """Return why nothing is sent now: submissions are frozen, or it is not time; empty when neither."""
    freeze = story.freeze
    lines = [waiting_lines(story)]
    if freeze is not None and not story.change.state.over:
        lines.insert(
            0,
            f"❄️ *Submissions are frozen* by {person(freeze.by)} since {when(freeze.at)}: {code(freeze.reason)} "
            "Nothing more is sent until an operator lifts it.",
        )
    return "\n".join(filter(None, lines))


def filter_lines(summary: Summary) -> str:
    """Return the filter that found the numbers, a condition in each line."""
    return listed([f"• {code(condition)}" for condition in summary.conditions])
