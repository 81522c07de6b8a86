"""Which numbers of a change a freeze keeps back, and which it cannot."""

from __future__ import annotations

from typing import Final

from bot.changes.model.batches import StopReach
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.changes.text.counts import counted
from bot.slack.views.elements import person, when, words
from bot.workflow.ports import ChangeDetails

_LIFTED: Final = "until an operator lifts it"


def frozen_line(details: ChangeDetails) -> str:
    """Return that submissions are frozen and what this means for the change; empty if it means nothing."""
    freeze = details.freeze
    if freeze is None or details.change.state.over:
        return ""
    return (
        f"❄️ *Submissions are frozen* by {person(freeze.by)} since {when(freeze.at)}: {words(freeze.reason)} "
        f"{_what_waits(details)}"
    )


def _what_waits(details: ChangeDetails) -> str:
    rest = sum(batch.size for batch in details.batches if batch.state is BatchState.QUEUED)
    match details.change.state:
        case ChangeState.RUNNING:
            return _running(details, details.reach or StopReach())
        case ChangeState.VERIFYING:
            follow = f" {_wait(rest, 'The remaining ')} {_LIFTED}." if rest else ""
            return f"The read-back continues, as it changes nothing.{follow}"
        case ChangeState.IN_EFFECT:
            return f"No number is restored {_LIFTED}."
        case ChangeState.PAUSED:
            return f"{_wait(rest, 'The remaining ')} {_LIFTED}, even if somebody continues the rollout."
        case _:
            return f"Nothing is sent {_LIFTED}."


def _running(details: ChangeDetails, reach: StopReach) -> str:
    said = [f"{_wait(reach.unsent)} {_LIFTED}." if reach.unsent else "Nothing is left to send."]
    if reach.under_way:
        said.append(
            f"{counted(reach.under_way, 'number is', 'numbers are')} being sent right now and will not be sent again."
        )
    if reach.at_provider:
        numbers = counted(reach.at_provider, "number is", "numbers are")
        said.append(
            f"{numbers} already in jobs at {details.provider}, which nothing can stop; Linesman is watching them "
            "until they finish."
        )
    if reach.unknown:
        numbers = counted(reach.unknown, "number was", "numbers were")
        said.append(f"Linesman is checking whether {numbers} sent; nothing is sent again until that is known.")
    return " ".join(said)


def _wait(numbers: int, which: str = "") -> str:
    return f"{which}{counted(numbers, 'number waits', 'numbers wait')}"
