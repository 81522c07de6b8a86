"""The first try: what it is going to be, how it went, and the buttons that decide what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.slack.views.elements import Block, actions, button, confirmation, counted, person, when
from bot.slack.views.fragments import count_parts
from bot.workflow.ports import ChangeDetails

GO_ON: Final = "go_on"
STOP: Final = "stop_rest"

#: States in which nothing has been sent.
_AHEAD: Final = frozenset({ChangeState.PLANNED, ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED})


def try_line(details: ChangeDetails) -> str:
    """Return what the first try is, or where it is; empty when there is none, or when it is over and the rest goes."""
    change = details.change
    first = [batch for batch in details.batches if batch.canary]
    rest = [batch for batch in details.batches if not batch.canary]
    if not first:
        unneeded = change.draft.canary and change.state in _AHEAD
        return "🐤 *No first try*: there are no more numbers than it was to have." if unneeded else ""
    tried, others = sum(batch.size for batch in first), sum(batch.size for batch in rest)
    others_text = f"the other {counted(others, 'number')}" if others > 1 else "the last number"
    if change.state in _AHEAD:
        named = ", ".join(change.summary.canary) if change.summary else ""
        more = ", …" if change.summary and tried > len(change.summary.canary) else ""
        return (
            f"🐤 *First try on {counted(tried, 'number')}* ({named}{more}), in {counted(len(first), 'job')}. Only when "
            f"each is verified {others_text} {'follow' if others > 1 else 'follows'}, in {counted(len(rest), 'job')}; "
            "otherwise the change pauses and asks its requester and operators."
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
            f"⏸️ *Paused after the first try* on {counted(tried, 'number')}: not every one is as approved. "
            f"{person(change.requester)} or an operator has to say whether {others_text} "
            f"{'follow' if others > 1 else 'follows'}. All numbers stay locked until then."
        )
    wait = "wait" if others > 1 else "waits"
    return f"🐤 First try on {counted(tried, 'number')}; {others_text} {wait} until each is verified."


def try_history(details: ChangeDetails, data: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """Return a line of history about the first try; empty when the line is about something else."""
    requester = person(details.change.requester)
    match data["what"]:
        case "paused":
            said = f"⏸️ Paused after the first try: {', '.join(count_parts(**counts))}."
            return f"{said} {requester} or an operator can press *Go on* or *Stop* on the card."
        case "still_paused":
            return f"⏰ Still paused after the first try; all its numbers stay locked. {requester}, go on or stop?"
        case "went_on":
            return f"▶️ {person(data['by'])} lets the other {counted(data['numbers'], 'number')} follow."
        case _:
            return ""


def try_buttons(details: ChangeDetails) -> Block:
    """Return the buttons of a paused change."""
    change = details.change
    rest = sum(batch.size for batch in details.batches if batch.state is BatchState.QUEUED)
    return actions(
        f"paused:{change.id}",
        [
            button("Go on", GO_ON, str(change.id), style="primary", confirm=_question(change, rest)),
            button("Stop", STOP, str(change.id), style="danger", confirm=_stopping(change, rest)),
        ],
    )


def _question(change: Change, rest: int) -> Block:
    text = f"{counted(rest, 'number')} will be changed as approved, although the first try did not go as approved."
    return confirmation(f"Go on with {change.public_id}?", text, "Go on")


def _stopping(change: Change, rest: int) -> Block:
    text = f"{counted(rest, 'number')} will not be sent. The numbers of the first try stay as they are now."
    return confirmation(f"Stop {change.public_id}?", text, "Stop")
