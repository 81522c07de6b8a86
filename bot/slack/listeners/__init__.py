"""What Linesman listens to, a file for each sort of thing that people do."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.slack.listeners import (
    canary,
    commands,
    decisions,
    follow_ups,
    form,
    home,
    lists,
    number_lookup,
    operators,
    options,
    preview,
    questions,
    results,
    shortcuts,
    templates,
    values,
)
from bot.slack.services import Services


def register(app: AsyncApp, services: Services) -> None:
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
        follow_ups,
        home,
        lists,
        number_lookup,
        templates,
        canary,
        values,
    ):
        sort.register(app, services)
