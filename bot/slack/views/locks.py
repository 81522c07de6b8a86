"""Who holds which numbers, the question before an operator lets go of them, and what a freeze keeps back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.changes.model.batches import StopReach
from bot.changes.model.change import public_id
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.changes.model.locks import Lock
from bot.slack.views.elements import (
    actions,
    button,
    code,
    confirmation,
    counted,
    listed,
    person,
    section,
    short_until,
    when,
)
from bot.workflow.ports import ChangeDetails

UNLOCK: Final = "unlock"


def locks_list(locks: Sequence[Lock]) -> tuple[str, list[dict[str, Any]]]:
    """Return who holds how many numbers since when."""
    if not locks:
        text = "No numbers are locked."
        return text, [section(text)]
    lines = [
        f"• *{public_id(lock.change)}*: {counted(lock.numbers, 'number')} at {lock.provider.title()}, "
        f"requested by {person(lock.requester)}, since {when(lock.since)}{short_until(lock.until)}"
        for lock in locks
    ]
    return f"{counted(len(locks), 'change holds', 'changes hold')} numbers", [
        section(f"*Locked numbers*\n{listed(lines)}")
    ]


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
        f"{name} sends nothing more, and {counted(lock.numbers, 'number')} will be free at once.",
        "Release",
    )
    row = [button("Release the numbers", UNLOCK, str(lock.change), style="danger", confirm=question)]
    return f"Release the numbers of {name}?", [section(text), actions(f"{UNLOCK}:{lock.change}", row)]


_LIFTED = "until an operator lifts it"


def frozen_line(details: ChangeDetails) -> str:
    """Return that submissions are frozen and what this means for the change; empty when it means nothing."""
    freeze = details.freeze
    if freeze is None or details.change.state.over:
        return ""
    return (
        f"❄️ *Submissions are frozen* by {person(freeze.by)} since {when(freeze.at)}: {code(freeze.reason)} "
        f"{_what_waits(details)}"
    )


def _what_waits(details: ChangeDetails) -> str:
    rest = sum(batch.size for batch in details.batches if batch.state is BatchState.QUEUED)
    match details.change.state:
        case ChangeState.RUNNING:
            return _running(details, details.reach or StopReach())
        case ChangeState.VERIFYING:
            follow = f" {_wait(rest, 'The remaining ')} {_LIFTED}." if rest else ""
            return f"Reading back continues, as it changes nothing.{follow}"
        case ChangeState.IN_EFFECT:
            return f"No number is restored {_LIFTED}."
        case ChangeState.PAUSED:
            return f"{_wait(rest, 'The remaining ')} {_LIFTED}, even if somebody continues the rollout."
        case _:
            return f"Nothing is sent {_LIFTED}."


def _running(details: ChangeDetails, reach: StopReach) -> str:
    said = [f"{_wait(reach.unsent)} {_LIFTED}." if reach.unsent else "Nothing is left to be sent."]
    if reach.under_way:
        are = "is" if reach.under_way == 1 else "are"
        said.append(f"{counted(reach.under_way, 'number')} {are} being sent right now and will not be sent again.")
    if reach.at_provider:
        are = "is" if reach.at_provider == 1 else "are"
        said.append(
            f"{counted(reach.at_provider, 'number')} {are} in jobs at {details.provider} already, which nothing can "
            "stop; Linesman polls them to their end."
        )
    if reach.unknown:
        was = "was" if reach.unknown == 1 else "were"
        said.append(f"Linesman is checking whether {counted(reach.unknown, 'number')} {was} sent; none is sent again.")
    return " ".join(said)


def _wait(numbers: int, which: str = "") -> str:
    return f"{which}{counted(numbers, 'number')} {'waits' if numbers == 1 else 'wait'}"
