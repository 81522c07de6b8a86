"""The request to the approvers: the facts that they need to decide, and the buttons."""

from __future__ import annotations

from typing import Final

from bot.changes.input.decision_words import WORDS_LENGTH
from bot.changes.model.change import Change
from bot.changes.model.decisions import DecisionVerb
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.public_ids import public_id
from bot.changes.policy.wall_clock import show_instant
from bot.changes.text.counts import counted
from bot.slack.views.elements import (
    Block,
    View,
    actions,
    button,
    code,
    confirmation,
    context,
    escape,
    field,
    fields,
    header,
    modal,
    person,
    quote,
    section,
    when,
    words,
)
from bot.slack.views.fragments import (
    asked_lines,
    called,
    comment_lines,
    decided_by,
    jobs_text,
    mentions,
    state_word,
)
from bot.slack.views.inputs import text_input
from bot.slack.views.plan_lines import filter_lines, numbers_text, sample_lines, wanted_lines, warning_lines
from bot.slack.views.rollout import rollout_line
from bot.slack.views.stages import approvals_text, enough_line, stage_lines, turn_text
from bot.slack.views.temporary import extension_line, is_extension, until_line
from bot.slack.views.times import freeze_line
from bot.workflow.ports import ChangeDetails

APPROVE: Final = "approve"
APPROVE_SAYING: Final = "approve_with_comment"
REJECT: Final = "reject"
ASK: Final = "ask_for_changes"
DETAILS: Final = "details"
APPROVAL: Final = "approval"
COMMENT: Final = "comment"
REJECTION: Final = "rejection"
WHY: Final = "why"
#: Ends the value of a button that was shown after the start had passed.
AT_ONCE: Final = ":at_once"


def approval_text(details: ChangeDetails) -> str:
    """Return the request in one line, for the approvers' notification."""
    change = details.change
    if change.state is ChangeState.AWAITING_APPROVAL:
        return (
            f"{called(details.mentioned)}{person(change.requester)} requests approval of "
            f"{change.public_id}, {numbers_of(change, details.tally.total)}"
        )
    return f"{change.public_id}: {state_word(change)}"


def approval_card(details: ChangeDetails) -> list[Block]:
    """Return the blocks; the buttons carry the change and the digest of the shown plan."""
    change, summary = details.change, details.change.summary
    waiting = change.state is ChangeState.AWAITING_APPROVAL
    blocks = [
        header(f"{change.public_id} · {details.provider}: {details.kind.title}"),
        section(f"*{state_word(change)}* · requested by {person(change.requester)}"),
    ]
    blocks += [section(each) for each in (enough_line(details), freeze_line(details)) if each]
    if until := extension_line(details) or until_line(details):
        blocks.append(section(until))
    if summary is not None:
        if summary.conditions:
            meeting = (
                "will match this filter when the job is created"
                if summary.unknown
                else ("matched this filter when it was planned")
            )
            blocks.append(section(f"*Numbers that {meeting}*\n{filter_lines(summary)}"))
        blocks.append(section(wanted_lines(details.kind, summary, details.change.draft)))
        blocks.append(
            fields(
                [
                    ("Numbers", numbers_text(summary)),
                    *([] if is_extension(change) else [("Jobs", jobs_text(details))]),
                    ("Approvals", approvals_text(details)),
                    *([("Decide until", when(change.expires_at))] if waiting and change.expires_at else []),
                ]
            )
        )
        if stages := stage_lines(details):
            blocks.append(section(stages))
        if waiting and (waves := rollout_line(details)):
            blocks.append(section(waves))
        if summary.sample:
            blocks.append(section(f"*For example*\n{sample_lines(details.kind, summary, limit=3)}"))
        if warnings := warning_lines(details.kind, summary):
            blocks.append(section(f"*Before you approve*\n{warnings}"))
    blocks.append(quote(change.draft.reason))
    said = (asked_lines(details), comment_lines(details.decisions), _rejection_line(details))
    blocks += [section(each) for each in said if each]
    if waiting:
        blocks.append(context(_addressed(details)))
        blocks.append(decision_buttons(details))
    blocks.append(context(f"Plan `{change.digest[:12]}`"))
    return blocks


def _addressed(details: ChangeDetails) -> str:
    """Return who may approve, and whom the request mentions if the policy says so: nobody else is notified."""
    if details.policy.mention is None:
        return may_approve_line(details)
    named = mentions(details.mentioned)
    whom = f"For {named}." if named else "Nobody is mentioned."
    return f"{whom} *Details* shows who may approve."


def may_approve_line(details: ChangeDetails) -> str:
    """Return who may approve, with mentions of them."""
    own = f"The rule {code(details.policy.name)} lets the requester approve as well."
    requester = own if details.policy.self_approval else "The requester may not."
    return f"{turn_text(details)} {requester}"


def _rejection_line(details: ChangeDetails) -> str:
    """Return who rejected the change, and why; empty if nobody did."""
    rejected = [each for each in details.decisions if each.verb is DecisionVerb.REJECT and each.reason]
    return f"*Rejected by {decided_by(rejected[-1])}:* {words(rejected[-1].reason)}" if rejected else ""


def numbers_of(change: Change, total: int) -> str:
    """Return how many numbers a request is about, for people."""
    summary = change.summary
    if summary and change.part_of is not None:
        return counted(summary.numbers, "number")
    if summary and summary.unknown:
        return f"Up to {summary.unknown:,} numbers that are unknown until the job runs"
    return counted(total, "number")


def ticket(change: Change, *, at_once: bool = False) -> str:
    """Return the value of a button: the change, and the digest of the plan shown with it.

    ``at_once`` adds that it was shown after the start had passed.
    """
    return f"{change.id}:{change.digest}{AT_ONCE if at_once else ''}"


def read_ticket(value: str) -> tuple[int, str]:
    """Return the change's id and the digest that :func:`ticket` wrote."""
    change, _, digest = value.removesuffix(AT_ONCE).partition(":")
    return int(change), digest


def says_at_once(value: str) -> bool:
    """Tell whether a button was shown after the start had passed."""
    return value.endswith(AT_ONCE)


def _beginning(details: ChangeDetails) -> str:
    """Return when an approval now would begin the change; plain text, which cannot show a reader's local time."""
    start, begins = details.change.start, details.opens_at
    if begins is not None:
        thaw = ", or when the freeze is lifted if that is later" if details.freeze else ""
        return f"starting {show_instant(begins, start.zone if start else 'UTC')}{thaw}"
    soon = "once the freeze is lifted" if details.freeze else "at once" if start else "now"
    why = f", because the requested start, {start}, has passed" if start and not details.freeze else ""
    return f"starting {soon}{why}"


def _ending(change: Change) -> str:
    """Return until when an approval puts the change into effect; empty for a lasting change."""
    return f", and restored on {change.until}" if change.until else ""


def _consequence(details: ChangeDetails) -> str:
    """Return the effect of an approval now; plain text."""
    change, numbers = details.change, numbers_of(details.change, details.tally.total)
    if details.kind.removes:
        return f"{numbers} will be deleted permanently, {_beginning(details)}. This cannot be undone."
    if change.part_of is not None:
        return f"{public_id(change.part_of)} stays in effect until {change.until}."
    return f"{numbers} will be changed exactly as shown, {_beginning(details)}{_ending(change)}."


def _ticket_of_now(details: ChangeDetails) -> str:
    start = details.change.start
    return ticket(details.change, at_once=start is not None and start.at <= details.now)


def decision_buttons(details: ChangeDetails) -> Block:
    """Return the decision buttons and Details, wherever a request is shown: the click itself is checked."""
    change, value = details.change, _ticket_of_now(details)
    question = confirmation(f"Approve {change.public_id}?", _consequence(details), "Approve")
    return actions(
        f"decide:{change.id}",
        [
            button("Approve", APPROVE, value, style="primary", confirm=question),
            button("Approve with comment…", APPROVE_SAYING, value),
            button("Reject", REJECT, value, style="danger"),
            *([] if is_extension(change) else [button("Ask for changes…", ASK, value)]),
            button("Details", DETAILS, value),
        ],
    )


def comment_form(details: ChangeDetails) -> View:
    """Return the modal for a comment with an approval; it also asks the button's confirmation question."""
    change = details.change
    element = text_input(COMMENT, "", WORDS_LENGTH, multiline=True)
    return modal(
        APPROVAL,
        f"Approve {change.public_id}",
        [
            section(escape(_consequence(details))),
            field(COMMENT, "Comment", element, hint="Everybody who sees the change can read this."),
        ],
        submit="Approve",
        close="Go back",
        private=_ticket_of_now(details),
    )


def rejection_form(change: Change) -> View:
    """Return the modal that asks why."""
    element = text_input(WHY, "", WORDS_LENGTH, multiline=True)
    return modal(
        REJECTION,
        f"Reject {change.public_id}",
        [field(WHY, "Why?", element, hint="The requester will read this. Say what would make the change acceptable.")],
        submit="Reject",
        close="Go back",
        private=ticket(change),
    )
