"""The Home tab: what waits, what runs, what I asked for."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.views.elements import Block, View, context, divider, header, section
from bot.slack.views.status import entry
from bot.workflow.ports import Story


def home(user: str, waiting: Sequence[Story], running: Sequence[Story], mine: Sequence[Story]) -> View:
    """Return the Home tab of ``user``."""
    for_me = [story for story in waiting if story.change.requester != user]
    blocks: list[Block] = []
    for title, stories, none in (
        ("Waiting for a decision", for_me, "No request waits."),
        ("Running now", running, "Nothing runs."),
        ("Your changes", mine, "You have asked for nothing yet. Start with `/numbers update`."),
    ):
        blocks.append(header(title))
        blocks += [section(entry(story)) for story in stories] or [section(none)]
        blocks.append(divider())
    blocks.append(context("Decide with the buttons on the request in the approval channel."))
    return {"type": "home", "blocks": blocks}
