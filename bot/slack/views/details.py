"""Everything about a change: its card, a sample of its plan, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.changes.audit.events import Event
from bot.slack.views.card import card
from bot.slack.views.elements import View, listed, modal, section, when
from bot.slack.views.events import event_line
from bot.slack.views.plan_lines import sample_lines, warning_lines
from bot.workflow.ports import ChangeDetails

#: How many of the newest events are shown.
EVENTS: Final = 25


def details(change_details: ChangeDetails, history: Sequence[Event]) -> View:
    """Return the card, a sample of the plan, and the audit log."""
    blocks = card(change_details)
    summary = change_details.change.summary
    if summary is not None:
        if summary.sample:
            sample = sample_lines(change_details.kind, summary, limit=5)
            blocks.append(section(f"*Before and after, for example*\n{sample}"))
        if warnings := warning_lines(change_details.kind, summary):
            blocks.append(section(f"*Before you approve*\n{warnings}"))
    blocks.append(section(f"*History*\n{history_lines(history)}"))
    return modal("details", change_details.change.public_id, blocks)


def history_lines(history: Sequence[Event], limit: int = EVENTS) -> str:
    """Return the newest events, oldest first."""
    return listed([f"{when(event.at)} · {event_line(event)}" for event in history[-limit:]]) or "Nothing yet."
