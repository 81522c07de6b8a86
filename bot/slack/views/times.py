"""Times in words: how long jobs take, when a change begins, and what delays it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.changes.text.counts import counted
from bot.slack.views.elements import channel, code, when
from bot.slack.views.freezes import frozen_line
from bot.workflow.ports import ChangeDetails, ScheduledChange

#: States in which nothing has been sent.
_UNSENT = frozenset({ChangeState.PLANNED, ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED})


def duration(seconds: float) -> str:
    """Return a length of time in words, rounded as people would."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 172_800 else f"{round(seconds / 86_400)} days"


def start_line(details: ChangeDetails | ScheduledChange) -> str:
    """Return when the change will begin; empty if as soon as it is approved, or if it has begun."""
    start, begins, state = details.change.start, details.opens_at, details.change.state
    if state not in _UNSENT:
        return ""
    if start is None:
        return f"🕒 Outside its change window: once approved it starts at {when(begins)}." if begins else ""
    if start.at <= details.now:
        if begins:
            return f"🕒 Its start, {start}, has passed and its change window is closed: it starts at {when(begins)}."
        # A list of waiting changes reports a freeze by itself.
        frozen = isinstance(details, ChangeDetails) and details.freeze is not None
        soon = "once the freeze is lifted" if frozen else "at once"
        at_once = f"🕒 Its start, {start}, has passed: *if approved now, it starts {soon}*."
        return "" if state is ChangeState.APPROVED else at_once
    if begins and begins > start.at:
        return f"🕒 Its start, {start}, is outside its change window: it *starts {when(begins)}*, when that opens."
    return f"🕒 *Starts {start}*; in your time zone, {when(start.at)}."


def waiting_lines(details: ChangeDetails) -> str:
    """Return when the change will begin and what that means for others; empty if it does not wait."""
    line = start_line(details)
    if not line or details.change.start is None:
        return line
    if details.change.state is ChangeState.APPROVED:
        return f"{line} Until it is over, no other change can use its numbers."
    late = "" if details.change.start.at <= details.now else " If approved later, it starts at once."
    return f"{line}{late} From the request until it is over, no other change can use its numbers."


def freeze_line(details: ChangeDetails) -> str:
    """Return what delays the change: a freeze, or its time; empty if nothing does."""
    return "\n".join(filter(None, (frozen_line(details), waiting_lines(details), window_line(details))))


def window_line(details: ChangeDetails) -> str:
    """Return which part of a running change waits for its change window, and until when; empty if none does."""
    if not details.outside_window or details.opens_at is None or whole_wave_waits(details):
        return ""
    return f"🕒 {outside_window(details.outside_window, details.opens_at)}"


def time_history(details: ChangeDetails, data: Mapping[str, Any]) -> str:
    """Return a line of history about the time of sending; empty when the line is about something else."""
    match data["what"]:
        case "outside_window":
            whose = f"{details.change.public_id}: " if details.change.part_of is not None else ""
            return f"🕒 {whose}{outside_window(data['numbers'], datetime.fromtimestamp(data['opens'], UTC))}"
        case "started_late":
            return f"⏰ {late_start(data)}"
        case _:
            return ""


def late_start(data: Mapping[str, Any], who: str = "") -> str:
    """Return how late a change began, its planned time, and what it waited for if known; ``who`` names it."""
    why = f" Reason for the delay: {code(data['why'], 300)}" if data["why"] else ""
    started = f"{who} started" if who else "Started"
    due = datetime.fromtimestamp(data["due"], UTC)
    return f"{started} {duration(data['seconds'])} late; it was to start {when(due)}.{why}"


def whole_wave_waits(details: ChangeDetails) -> bool:
    """Tell whether nothing of a released later wave was sent: the rollout's text says until when it waits."""
    change = details.change
    mine = {batch.state for batch in details.batches if batch.wave == change.wave}
    return change.wave > 1 and change.state is ChangeState.RUNNING and mine == {BatchState.QUEUED}


def outside_window(numbers: int, opens: datetime) -> str:
    """Return that this many numbers wait for the change window, and until when."""
    wait = counted(numbers, "number waits", "numbers wait")
    return f"*Outside its change window*: {wait}. Sending continues at {when(opens)}."


def slack_line(waits: Mapping[str, datetime]) -> str:
    """Return which messages Slack delays just now, and until when; empty if none."""
    what: dict[str, datetime] = {}
    for method, until in waits.items():
        if words := _held(method):
            what[words] = max(until, what.get(words, until))
    if not what:
        return ""
    parts = [f"{words} until {when(until)}" for words, until in sorted(what.items())]
    return f"⏳ Slack's rate limit delays {', '.join(parts)}. The work continues; missing updates follow then."


def _held(method: str) -> str:
    """Return which messages a closed method delays; empty if it sends none."""
    name, _, place = method.partition(" in ")
    match name.partition("."):
        case ("chat", _, "update"):
            return "card updates"
        case ("chat", _, "postMessage"):
            return f"messages in {channel(place)}" if place.startswith(("C", "G")) else "messages"
        case ("files", _, _):
            return "files"
        case ("conversations", _, "history" | "replies"):
            return "reading earlier messages"
        case _:
            return ""
