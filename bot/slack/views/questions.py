"""Questions that only an operator can decide: an unanswered submission, a stalled job, an endless read-back."""

from __future__ import annotations

from typing import Final

from bot.changes.model.batches import Batch
from bot.changes.model.lifecycle import ChangeState
from bot.changes.policy import Grant
from bot.changes.text.counts import counted
from bot.slack.views.elements import (
    Block,
    View,
    actions,
    button,
    code,
    confirmation,
    field,
    modal,
    person,
    section,
    when,
)
from bot.slack.views.inputs import text_input
from bot.workflow.control.resolution import JOB, BatchQuestion, ReadBackQuestion
from bot.workflow.ports import ChangeDetails

#: Followed by a number, as each button of a row needs its own id.
ADOPT: Final = "adopt"
ADOPT_OTHER: Final = "adopt_other"
SEND_AGAIN: Final = "send_again"
GIVE_UP: Final = "give_up"
END_READ_BACK: Final = "end_read_back"
#: The modal that asks for a job, and its input.
ADOPTION: Final = "adoption"

#: Most questions in one message, and most jobs offered as buttons; the others follow once these are answered.
SHOWN: Final = 8
CHOICES: Final = 5
#: Separates the parts of a button's value: it occurs in neither a ticket nor a job's id.
_SEP: Final = "|"


def questions_line(details: ChangeDetails) -> str:
    """Return why the change does not continue by itself; empty if it does."""
    name = details.change.public_id
    lines = []
    if undecided := [batch for batch in details.batches if batch.undecided]:
        lines.append(
            f"✋ *Needs an operator*: nobody knows whether {counted(len(undecided), 'batch', 'batches')} became "
            f"{'a job' if len(undecided) == 1 else 'jobs'}, so nothing more is sent. Resolve it: "
            f"`/numbers resolve {name}`"
        )
    if stuck := [batch for batch in details.batches if batch.stuck]:
        lines.append(
            f"🐌 {counted(len(stuck), 'job')} stalled; Linesman still watches {'it' if len(stuck) == 1 else 'them'}. "
            f"An operator can give up on {'it' if len(stuck) == 1 else 'them'}: `/numbers resolve {name}`"
        )
    if details.change.state is ChangeState.VERIFYING and details.change.waiting_for:
        lines.append(
            f"⏳ *Waiting for the read-back*: {code(details.change.waiting_for, 700)} The numbers stay locked until "
            f"then. An operator can end it: `/numbers resolve {name}`"
        )
    return "\n".join(lines)


def questions(details: ChangeDetails, *, link: str = "", asked_for: bool = False) -> tuple[str, list[Block]]:
    """Return text and blocks of all open questions of a change, with the buttons that answer them.

    A read-back is a question once it waits for something; for a person who asks, as long as it runs.
    """
    name = details.change.public_id
    where = f"<{link}|{name}>" if link else f"*{name}*"
    waiting = [batch for batch in details.batches if batch.undecided or batch.stuck]
    reads_back = details.change.state is ChangeState.VERIFYING and (asked_for or bool(details.change.waiting_for))
    if not waiting and not reads_back:
        text = f"{where} no longer needs an operator."
        return text, [section(text)]
    asked = _mentions(details.policy.operators)
    what = f"{counted(len(waiting), 'batch', 'batches')} of {len(details.batches):,}"
    if reads_back:
        what = f"{counted(details.tally.unread, 'number')} of {details.tally.total:,} not read back yet"
    text = f"✋ {where}, requested by {person(details.change.requester)}, needs an operator ({asked}): {what}."
    blocks = [section(text)]
    if reads_back:
        blocks += [section(_what_is_unread(details)), _ending(details)]
    for batch in waiting[:SHOWN]:
        blocks += [section(_what(details, batch)), _answers(details, batch)]
    if (more := len(waiting) - SHOWN) > 0:
        blocks.append(section(f"… and {more:,} more: answer these first, then `/numbers resolve {name}`."))
    return text, blocks


def _mentions(grant: Grant) -> str:
    named = [person(user) for user in sorted(grant.users)] + [f"<!subteam^{group}>" for group in sorted(grant.groups)]
    return ", ".join(named) or "LINESMAN_OPERATORS is empty"


def _what(details: ChangeDetails, batch: Batch) -> str:
    """Return the known facts about one batch."""
    which = f"*Batch {batch.position}*, {counted(batch.size, 'number')}"
    if batch.stuck:
        since = f" since {when(batch.progressed_at)}" if batch.progressed_at else ""
        return (
            f"{which}: job {code(batch.job)} at {details.provider} has made no progress{since}: "
            f"{code(batch.doubt, 500)} Linesman still watches it. {_given_up(details)}"
        )
    since = f" at {when(batch.unanswered_since)}" if batch.unanswered_since else ""
    return (
        f"{which}: sent{since}, and no response came back. {code(batch.doubt, 700)} Nothing more of the change is sent "
        f"until this is resolved. Check the jobs in the {details.provider} portal first."
    )


def _given_up(details: ChangeDetails) -> str:
    """Return the effect of giving up a batch: it stops only runs of ours."""
    read = "The undecided numbers are then read back, and the results say what they have now"
    if details.carried_out:
        return f"If you give up, what is not sent yet stays unsent. {read}."
    return f"{read}; {details.provider} may still change them."


def _what_is_unread(details: ChangeDetails) -> str:
    """Return the known facts about an unfinished read-back."""
    change = details.change
    since = f" since {when(change.verifying_at)}" if change.verifying_at else ""
    return (
        f"The numbers are being read back{since}. {code(change.waiting_for, 700)} They stay locked until that is over. "
        "If you end it, the numbers that are not read yet count as not verified."
    )


def _ending(details: ChangeDetails) -> Block:
    asks = confirmation(
        "End the read-back?",
        f"{counted(details.tally.unread, 'number')} will count as not verified: their values at "
        f"{details.provider} have not been checked. Their locks are released.",
        "End it",
    )
    ticket = str(ReadBackQuestion.of(details.change))
    return actions(f"read_back:{details.change.id}", [button("End the read-back", END_READ_BACK, ticket, confirm=asks)])


def _answers(details: ChangeDetails, batch: Batch) -> Block:
    ticket = str(BatchQuestion.of(batch))
    gives_up = confirmation("Give up on this batch?", _given_up(details), "Give up")
    give_up = button("Give up", GIVE_UP, ticket, confirm=gives_up)
    if batch.stuck:
        return actions(f"resolve:{batch.id}", [give_up])
    sends = confirmation(
        "Send it once more?",
        f"Only if you have checked at {details.provider} that there is no job; otherwise "
        f"{counted(batch.size, 'number')} would be in two jobs.",
        "Send again",
    )
    adopts = [
        button(f"Adopt job {job}", f"{ADOPT}:{i}", f"{ticket}{_SEP}{job}")
        for i, job in enumerate(batch.candidates[:CHOICES])
    ]
    others = [
        button("Adopt a job…", ADOPT_OTHER, ticket),
        button("Send again", SEND_AGAIN, ticket, style="danger", confirm=sends),
        give_up,
    ]
    return actions(f"resolve:{batch.id}", [*adopts, *others])


def read_choice(value: str) -> tuple[BatchQuestion, str]:
    """Return the question and the job in the value of an adopt button."""
    ticket, _, job = value.partition(_SEP)
    return BatchQuestion.read(ticket), job


def adoption_form(ticket: str) -> View:
    """Return the modal that asks which job it is."""
    element = text_input(JOB, "", 100)
    hint = "The job's id at the provider. Its type and its numbers are compared before it is adopted."
    return modal(
        ADOPTION,
        "Adopt a job",
        [field(JOB, "Which job is it?", element, hint=hint)],
        submit="Adopt",
        close="Go back",
        private=ticket,
    )
