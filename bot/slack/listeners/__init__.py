"""What Linesman listens to, a file for each sort of thing that people do."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.slack.front import Front
from bot.slack.listeners import (
    commands,
    decisions,
    finding,
    following,
    form,
    home,
    listing,
    operators,
    options,
    preview,
    questions,
    results,
    shortcuts,
    templates,
    trying,
    values,
)


def register(app: AsyncApp, front: Front) -> None:
    """Give every listener to ``app``."""
    for sort in (
        commands,
        shortcuts,
        form,
        options,
        preview,
        decisions,
        operators,
        questions,
        results,
        following,
        home,
        listing,
        finding,
        templates,
        trying,
        values,
    ):
        sort.register(app, front)
