"""Parts shared by several messages: wanted values, a sample, costs, decisions, the buttons of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.changes.model.batches import FailureGroup
from bot.changes.model.change import Change
from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import ChangeState, Outcome
from bot.changes.model.list_rows import Cursor, ListPage, ListRow, read_cursor
from bot.changes.policy import Audience
from bot.changes.text.counts import counted, examples
from bot.slack.views.elements import Block, actions, button, code, escape, listed, person, words
from bot.slack.views.times import duration
from bot.workflow.ports import ChangeDetails

#: State -> the icon before its label.
_ICONS: Final = {
    ChangeState.PLANNING: "⏳",
    ChangeState.PLANNED: "📝",
    ChangeState.AWAITING_APPROVAL: "🔵",
    ChangeState.CHANGES_REQUESTED: "✏️",
    ChangeState.APPROVED: "🟢",
    ChangeState.RUNNING: "▶️",
    ChangeState.VERIFYING: "🔎",
    ChangeState.PAUSED: "⏸️",
    ChangeState.IN_EFFECT: "⏲️",
    ChangeState.DISCARDED: "⚪",
    ChangeState.REJECTED: "⛔",
    ChangeState.EXPIRED: "⌛",
    ChangeState.CANCELLED: "⚪",
    ChangeState.STALE: "⚠️",
}
OUTCOMES = {
    Outcome.SUCCEEDED: "✅ Succeeded",
    Outcome.PARTLY_FAILED: "⚠️ Partly failed",
    Outcome.FAILED: "❌ Failed",
    Outcome.UNVERIFIED: "⚠️ Ended, not verified",
}


def state_label(state: ChangeState) -> str:
    """Return a state with its icon, for people."""
    return f"{_ICONS[state]} {state.label}" if state in _ICONS else state.label


def state_word(change: Change | ListRow) -> str:
    """Return the name of the state, or for a finished change of the outcome, for people."""
    return OUTCOMES[change.outcome] if change.outcome else state_label(change.state)


def kind_words(kind: Kind | None, name: str) -> str:
    """Return the name of a kind for people; its technical name if it is no longer available."""
    return f"{kind.provider.title()}: {kind.title}" if kind else code(name, 64)


def audience_text(audience: Audience) -> str:
    """Return mentions of all who may approve, for places that notify nobody."""
    return mentions(audience) or "nobody"


def mentions(audience: Audience) -> str:
    """Return mentions of all of ``audience``; empty when there is nobody."""
    named = [person(user) for user in audience.users] + [f"<!subteam^{group}>" for group in audience.groups]
    return ", ".join([*named, *(in_place_of(delegate, delegator) for delegate, delegator in audience.delegates)])


def called(audience: Audience) -> str:
    """Return the beginning of a message for ``audience``; empty if it is for nobody in particular."""
    return f"{named}: " if (named := mentions(audience)) else ""


def in_place_of(user: str, whose: str) -> str:
    """Return a mention of ``user`` and of the lender of the right, if there is one."""
    return f"{person(user)} for {person(whose)}" if whose else person(user)


def decided_by(decision: Decision) -> str:
    """Return who decided, and on whose behalf if the right was lent."""
    return in_place_of(decision.person, decision.on_behalf_of)


def decision_text(decisions: Sequence[Decision], required: int) -> str:
    """Return the decisions so far."""
    approvals = sum(1 for decision in decisions if decision.counts)
    # A request for changes is about the previous plan, and is shown separately.
    people = ", ".join(said(each) for each in decisions if each.verb is not DecisionVerb.ASK_FOR_CHANGES)
    return f"{approvals} of {required}" + (f": {people}" if people else "")


def said(decision: Decision, *, where: bool = True) -> str:
    """Return who decided what, ``where`` also in which stage, and why an approval no longer counts."""
    verb = "approved" if decision.verb is DecisionVerb.APPROVE else "rejected"
    fallback = " as a fallback approver" if decision.fallback else ""
    lapse = f" (no longer counts: {person(decision.person)} {escape(decision.lapse)})" if decision.lapse else ""
    stage = f" in {code(decision.stage, 60)}" if decision.stage and where else ""
    return f"{decided_by(decision)} {verb}{fallback}{stage}{lapse}"


def comment_lines(decisions: Sequence[Decision]) -> str:
    """Return the comments of approvers, one line each; empty without comments."""
    approvals = [each for each in decisions if each.verb is DecisionVerb.APPROVE and each.reason]
    return listed([f"💬 {decided_by(each)}: {words(each.reason)}" for each in approvals])


def asked_lines(details: ChangeDetails) -> str:
    """Return what approvers said should be different, one line each, newest first; empty if nobody did."""
    asked = [each for each in reversed(details.decisions) if each.verb is DecisionVerb.ASK_FOR_CHANGES]
    return listed([f"✏️ {_asked(each, details.change)}" for each in asked])


def _asked(decision: Decision, change: Change) -> str:
    if decision.digest != change.digest:
        asks = "asked for changes to an earlier plan"
    else:
        asks = "asks for changes" if change.state is ChangeState.CHANGES_REQUESTED else "asked for changes"
    return f"{decided_by(decision)} {asks}: {words(decision.reason)}"


def failure_lines(groups: Sequence[FailureGroup], total: int, limit: int) -> str:
    """Return numbers grouped by their shared reason; ``total`` is how many there are with any reason."""
    lines = []
    for group in groups[:limit]:
        numbers = examples(group.examples, group.count)
        where = " ".join(part for part in (group.code, group.pointer) if part)
        origin = f" {code(where, 120)}" if where else ""
        lines.append(f"• *{group.count:,}*: {code(group.reason)}{origin} ({numbers})")
    if (more := total - sum(group.count for group in groups[:limit])) > 0:
        lines.append(f"• and {more:,} more, with other reasons")
    return listed(lines)


def trouble(details: ChangeDetails, limit: int) -> list[tuple[str, str]]:
    """Return (heading, lines) for each sort of number that is not as it should be."""
    tally = details.tally
    sorts = (
        ("Failed numbers", details.failures, tally.failed),
        ("Numbers that differ from what was approved", details.differences, tally.differs),
        ("Numbers that could not be verified", details.unverified, tally.unverified),
    )
    return [(heading, failure_lines(groups, total, limit)) for heading, groups, total in sorts if groups]


def counts_text(details: ChangeDetails | ListRow) -> str:
    """Return how many numbers are in each state."""
    tally = details.tally
    state = details.state if isinstance(details, ListRow) else details.change.state
    read = state in {ChangeState.FINISHED, ChangeState.IN_EFFECT}
    parts = count_parts(
        succeeded=None if read else tally.succeeded,
        verified=tally.verified if read else tally.verified or None,
        differs=tally.differs,
        unverified=tally.unverified,
        unknown=tally.unknown,
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
    unknown: int = 0,
    failed: int = 0,
    pending: int = 0,
    not_attempted: int = 0,
) -> list[str]:
    """Return counts in words: the first two unless None, the failures, and the others if not zero."""
    parts = [
        f"{count:,} {word}" for count, word in ((succeeded, "succeeded"), (verified, "verified")) if count is not None
    ]
    if differs:
        parts.append(counted(differs, "differs", "differ"))
    if unverified:
        parts.append(f"{unverified:,} could not be verified")
    if unknown:
        parts.append(f"{unknown:,} unknown")
    parts.append(f"{failed:,} failed")
    if pending:
        parts.append(f"{pending:,} pending")
    if not_attempted:
        parts.append(f"{not_attempted:,} not attempted")
    return parts


def jobs_text(details: ChangeDetails) -> str:
    """Return how many jobs there are, and how long they may take, judging by recent ones."""
    count = len(details.batches)
    if details.typical_seconds is None:
        return f"{count:,}"
    rounds = -(-count // details.kind.jobs_in_flight)
    return f"{count:,}, about {duration(rounds * details.typical_seconds)}"


def pager(action: str, page: ListPage[object], about: str) -> list[Block]:
    """Return the buttons Newer and Older, if there are such pages.

    A button carries only its page's position and what the list is ``about``, nothing of its content.
    """
    turns = [("Newer", "newer", page.newer), ("Older", "older", page.older)]
    buttons = [button(label, f"{action}_{way}", f"{cursor} {about}") for label, way, cursor in turns if cursor]
    return [actions(action, buttons)] if buttons else []


def read_turn(value: str) -> tuple[Cursor | None, str]:
    """Return the cursor and what the list is about, as a button of :func:`pager` carries them."""
    cursor, _, about = value.partition(" ")
    return read_cursor(cursor), about
