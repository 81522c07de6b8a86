"""Numbers that changed after the plan was made, and those of which nobody can see whether they did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.changes.lifecycle import BatchState, ChangeState
from bot.slack.views.elements import code, counted, person
from bot.workflow.ports import Story

#: What is told of a change that goes on without numbers that are stale.
LEFT_OUT: Final = "left_out"


def stale_history(story: Story, data: Mapping[str, Any]) -> str:
    """Return a line of history about what is not sent after all; empty when the line is about something else."""
    change = story.change
    again = f"{person(change.requester)} can plan them again with *Retry failed* on the card, once it is over."
    match data["what"]:
        case "stale":
            return f"⚠️ Stale. {code(change.problem, 1500)} {person(change.requester)} can plan again on the card."
        case "stopped":
            said = f"✋ {code(change.problem, 1500)} {counted(data['numbers'], 'number')} will not be sent."
            return f"{said} {again}" if data.get("stale") else said
        case what if what == LEFT_OUT:
            going_on = "The rest goes on, also if more turn out to have changed: the results name them all."
            return f"⚠️ {code(change.problem, 1500)} {going_on} {again}"
        case _:
            return ""


def unread_line(story: Story) -> str:
    """Return that nothing is sent because the numbers cannot be read again; empty when they can be, or are not yet."""
    if story.change.state not in {ChangeState.APPROVED, ChangeState.RUNNING}:
        return ""
    kept = [batch for batch in story.batches if batch.state is BatchState.QUEUED and batch.check_problem]
    if not kept:
        return ""
    numbers = sum(batch.size for batch in kept)
    return (
        f"⏳ *{numbers:,} {'number waits' if numbers == 1 else 'numbers wait'} to be read again*: before a job is "
        f"created, its numbers have to be as they were approved, and {story.provider} cannot be asked now. "
        f"{code(kept[0].check_problem)} It is tried again by itself."
    )
