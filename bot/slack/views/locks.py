"""Who holds which numbers, and the question before an operator lets go of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.changes.model.change import public_id
from bot.changes.model.locks import Lock
from bot.slack.views.elements import actions, button, confirmation, counted, listed, person, section, when

UNLOCK: Final = "unlock"


def locks_list(locks: Sequence[Lock]) -> tuple[str, list[dict[str, Any]]]:
    """Return who holds how many numbers since when."""
    if not locks:
        text = "No numbers are locked."
        return text, [section(text)]
    lines = [
        f"• *{public_id(lock.change)}*: {counted(lock.numbers, 'number')} at {lock.provider.title()}, "
        f"requested by {person(lock.requester)}, since {when(lock.since)}"
        for lock in locks
    ]
    return f"{len(locks)} changes hold numbers", [section(f"*Locked numbers*\n{listed(lines)}")]


def unlock_question(lock: Lock) -> tuple[str, list[dict[str, Any]]]:
    """Return the question whether to release a change's numbers."""
    name = public_id(lock.change)
    text = (
        f"{name}, requested by {person(lock.requester)}, holds {counted(lock.numbers, 'number')} since "
        f"{when(lock.since)}. Releasing them cancels a change that has not started; a running change sends "
        "nothing more. Jobs already at the provider *may still change these numbers* while other changes "
        "can use them. To stop the change and keep its numbers locked until its jobs are over, use "
        f"`/numbers cancel {name}`."
    )
    question = confirmation(
        f"Release {name}'s numbers?",
        f"{name} sends nothing more, and {counted(lock.numbers, 'number')} will be free at once.",
        "Release",
    )
    row = [button("Release the numbers", UNLOCK, str(lock.change), style="danger", confirm=question)]
    return f"Release the numbers of {name}?", [section(text), actions(f"{UNLOCK}:{lock.change}", row)]
