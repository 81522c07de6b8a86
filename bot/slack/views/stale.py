"""Numbers that changed after the plan was made, and numbers that could not be checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.changes.text.counts import counted
from bot.slack.views.elements import code, person
from bot.slack.views.problems import problem_lines
from bot.workflow.ports import ChangeDetails

#: The message about a change that continues without stale numbers.
LEFT_OUT: Final = "left_out"


def stale_history(details: ChangeDetails, data: Mapping[str, Any]) -> str:
    """Return a line of history about unsent numbers; empty when the line is about something else."""
    change = details.change
    problem = problem_lines(change.problem, 1500)
    again = f"{person(change.requester)} can plan them again with *Retry failed* on the card once it is over."
    match data["what"]:
        case "stale":
            return f"⚠️ Stale. {problem} {person(change.requester)} can plan again on the card."
        case "stopped":
            said = f"✋ {problem} {_kept_back(data['numbers'], data.get('unknown', 0))}"
            return f"{said} {again}" if data.get("stale") else said
        case "kept_back":
            return f"✋ After the stop: {_decided(data['numbers'], data.get('given_up', 0))}"
        case what if what == LEFT_OUT and change.part_of is not None:
            return f"⚠️ {problem} Every number that nobody has changed is still restored."
        case what if what == LEFT_OUT:
            going_on = "The rest continues, even if more turn out to have changed; the results name them all."
            return f"⚠️ {problem} {going_on} {again}"
        case _:
            return ""


def _kept_back(numbers: int, unknown: int) -> str:
    """Return how many numbers a stop certainly keeps back, and how many are not known yet."""
    kept = f"{counted(numbers, 'number')} will not be sent."
    if not unknown:
        return kept
    whether = counted(unknown, "number was", "numbers were")
    unclear = (
        f"Whether {whether} sent is not known yet, because the provider did not respond. Any that were not sent stay "
        "unsent."
    )
    return f"{kept} {unclear}" if numbers else unclear


def _decided(numbers: int, given_up: int) -> str:
    """Return how many numbers a stop has kept back, once every batch has an answer or was given up."""
    unsent = f"{counted(numbers, 'number was', 'numbers were')} not sent"
    if not given_up:
        return f"{unsent}."
    was, are, have = ("was", "It is", "it has") if given_up == 1 else ("were", "They are", "they have")
    return (
        f"{unsent}, and nobody knows whether {given_up:,} {was}, because an operator gave up. {are} read "
        f"back, and the results say what {have} now."
    )


def unread_line(details: ChangeDetails) -> str:
    """Return that nothing is sent because the numbers cannot be read again; otherwise empty."""
    if details.change.state not in {ChangeState.APPROVED, ChangeState.RUNNING}:
        return ""
    kept = [batch for batch in details.batches if batch.state is BatchState.QUEUED and batch.check_problem]
    if not kept:
        return ""
    numbers = sum(batch.size for batch in kept)
    return (
        f"⏳ *{counted(numbers, 'number waits', 'numbers wait')} to be read again*: before it "
        f"creates a job, Linesman checks that its numbers have not changed, and {details.provider} cannot "
        f"be read now. {code(kept[0].check_problem)} Linesman keeps trying."
    )
