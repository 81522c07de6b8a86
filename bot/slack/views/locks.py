"""Who holds which numbers, and the confirmation before an operator releases them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.locks import Lock
from bot.changes.model.public_ids import public_id
from bot.changes.text.counts import counted
from bot.slack.views.elements import (
    actions,
    button,
    confirmation,
    context,
    listed,
    paragraphs,
    person,
    section,
    short_until,
    when,
)
from bot.slack.views.fragments import state_label

UNLOCK: Final = "unlock"
#: Longest list of locks, in characters; Slack accepts about 13,200 in a message (API.md, "Lengths of texts and
#: elements").
_MOST: Final = 11000
#: States of a change that holds its numbers and may still have a start ahead.
_NOT_STARTED: Final = frozenset({ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED})


def locks_list(locks: Sequence[Lock]) -> tuple[str, list[dict[str, Any]]]:
    """Return who holds how many numbers, and since when."""
    if not locks:
        text = "No numbers are locked."
        return text, [section(text)]
    lines = listed([_held(lock) for lock in locks], _MOST).split("\n")
    more = "" if len(lines) == len(locks) else "`/numbers list open` shows all of them, page by page. "
    return f"{counted(len(locks), 'change holds', 'changes hold')} numbers", [
        *paragraphs(["*Locked numbers*", *lines]),
        context(f"{more}They are unlocked when their change is over; `/numbers cancel CHG-42` ends one."),
    ]


def _held(lock: Lock) -> str:
    """Return a line about the locks of one change."""
    starts = f", starts {when(lock.starts)}" if lock.state in _NOT_STARTED and lock.starts else ""
    numbers = f"{counted(lock.numbers, 'number')} at {lock.provider.title()}"
    until = short_until(lock.until)
    return (
        f"• *{public_id(lock.change)}* · {state_label(lock.state)}{starts}: {numbers}, "
        f"requested by {person(lock.requester)}, since {when(lock.since)}{until}"
    )


def unlock_question(lock: Lock) -> tuple[str, list[dict[str, Any]]]:
    """Return the question whether to release a change's numbers."""
    name = public_id(lock.change)
    text = (
        f"{name}, requested by {person(lock.requester)}, holds {counted(lock.numbers, 'number')} since "
        f"{when(lock.since)}. Releasing them cancels a change that has not started; a running change sends "
        "nothing more, and a temporary one restores nothing. Jobs already at the provider *may still change these "
        "numbers* while other changes can use them. To stop the change and keep its numbers locked until its jobs are "
        f"over, use `/numbers cancel {name}`."
    )
    question = confirmation(
        f"Release {name}'s numbers?",
        f"{name} sends nothing more, and {counted(lock.numbers, 'number')} will be released at once.",
        "Release",
    )
    row = [button("Release the numbers", UNLOCK, str(lock.change), style="danger", confirm=question)]
    return f"Release the numbers of {name}?", [section(text), actions(f"{UNLOCK}:{lock.change}", row)]
