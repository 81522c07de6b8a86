"""What ``/numbers status`` and ``/numbers list`` answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.changes.records import Event
from bot.slack.views.card import card, card_text
from bot.slack.views.details import history_lines
from bot.slack.views.elements import Block, code, context, person, section, when
from bot.slack.views.pieces import counts_text, state_word
from bot.workflow.ports import Story


def status(story: Story, history: Sequence[Event]) -> tuple[str, list[dict[str, Any]]]:
    """Return one change as its card shows it, with the newest lines of its history."""
    blocks = [*card(story), section(f"*Lately*\n{history_lines(history, limit=8)}")]
    return card_text(story), blocks


def listing(stories: Sequence[Story], *, mine: bool) -> tuple[str, list[dict[str, Any]]]:
    """Return the newest changes, a line each."""
    if not stories:
        who = "You have asked for no changes yet" if mine else "There are no changes yet"
        text = f"{who}. Start one with `/numbers update`."
        return text, [section(text)]
    blocks: list[Block] = [section("*Your newest changes*" if mine else "*The newest changes*")]
    blocks += [section(entry(story)) for story in stories]
    blocks.append(context("`/numbers status CHG-42` shows one of them whole."))
    return f"{len(stories)} changes", blocks


def entry(story: Story) -> str:
    """Return one change in two lines."""
    change = story.change
    counts = f" · {counts_text(story)}" if change.started_at else f" · {story.tally.total:,} numbers"
    return (
        f"*{change.public_id}* · {state_word(change)} · {story.provider}: {story.kind.title}{counts}\n"
        f"{person(change.requester)}, {when(change.created_at)}: {code(change.draft.reason, 120)}"
    )
