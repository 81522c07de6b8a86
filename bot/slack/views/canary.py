"""The canary: what it is going to be, how it went, and the buttons that decide what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.slack.views.elements import Block, actions, button, confirmation, counted, person, when
from bot.slack.views.fragments import count_parts
from bot.workflow.ports import ChangeDetails

CONTINUE: Final = "go_on"
STOP: Final = "stop_rest"

#: States in which nothing has been sent.
_AHEAD: Final = frozenset({ChangeState.PLANNED, ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED})


def canary_line(details: ChangeDetails) -> str:
    """Return what the canary is, or where it is; empty when there is none, or when it is over and the rest goes."""
    change = details.change
    first = [batch for batch in details.batches if batch.canary]
    rest = [batch for batch in details.batches if not batch.canary]
    if not first:
        unneeded = change.draft.canary and change.state in _AHEAD
        return "🐤 *No canary*: the change is no larger, so all numbers go at once." if unneeded else ""
    tried, others = sum(batch.size for batch in first), sum(batch.size for batch in rest)
    others_text = f"the remaining {counted(others, 'number')}" if others > 1 else "the last number"
    if change.state in _AHEAD:
        named = ", ".join(change.summary.canary) if change.summary else ""
        more = ", …" if change.summary and tried > len(change.summary.canary) else ""
        return (
            f"🐤 *Canary: {counted(tried, 'number')} first* ({named}{more}), in {counted(len(first), 'job')}. If all "
            f"are verified, {others_text} {'follow' if others > 1 else 'follows'}, in {counted(len(rest), 'job')}. If "
            "not, the change pauses, and its requester or an operator decides."
        )
    if change.stopped_at is not None or change.state.over:
        return ""
    if change.continued_at is not None:
        held = change.state is ChangeState.RUNNING and all(batch.state is BatchState.QUEUED for batch in rest)
        if not held or details.opens_at is None:
            return ""
        follow = "follow" if others > 1 else "follows"
        return f"🕒 Outside its change window: {others_text} {follow} at {when(details.opens_at)}."
    if change.state is ChangeState.PAUSED:
        return (
            f"⏸️ *Paused after the canary* of {counted(tried, 'number')}: not all are as approved. "
            f"{person(change.requester)} or an operator must decide whether to continue with {others_text}. All "
            "numbers stay locked until then."
        )
    wait = "wait" if others > 1 else "waits"
    return f"🐤 Canary: {counted(tried, 'number')} first; {others_text} {wait} until all are verified."


def canary_history(details: ChangeDetails, data: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """Return a line of history about the canary; empty when the line is about something else."""
    requester = person(details.change.requester)
    match data["what"]:
        case "paused":
            said = f"⏸️ Paused after the canary: {', '.join(count_parts(**counts))}."
            return f"{said} {requester} or an operator can press *Continue rollout* or *Stop here* on the card."
        case "still_paused":
            return f"⏰ Still paused after the canary; all its numbers stay locked. {requester}: continue or stop?"
        case "continued" | "went_on":  # as earlier versions called it
            return f"▶️ {person(data['by'])} continued the rollout: {counted(data['numbers'], 'number')} to go."
        case _:
            return ""


def canary_buttons(details: ChangeDetails) -> Block:
    """Return the buttons of a paused change."""
    change = details.change
    rest = sum(batch.size for batch in details.batches if batch.state is BatchState.QUEUED)
    return actions(
        f"paused:{change.id}",
        [
            button("Continue rollout", CONTINUE, str(change.id), style="primary", confirm=_question(change, rest)),
            button("Stop here", STOP, str(change.id), style="danger", confirm=_stopping(change, rest)),
        ],
    )


def _question(change: Change, rest: int) -> Block:
    text = f"{counted(rest, 'number')} will be changed as approved, although not all canary numbers are as approved."
    return confirmation(f"Continue {change.public_id}?", text, "Continue rollout")


def _stopping(change: Change, rest: int) -> Block:
    text = f"{counted(rest, 'number')} will not be sent. The canary numbers stay as they are now."
    return confirmation(f"Stop {change.public_id} here?", text, "Stop here")
