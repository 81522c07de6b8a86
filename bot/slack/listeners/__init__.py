"""The listeners, one file for each sort of action."""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncApp

from bot.slack.interactions import Click
from bot.slack.listeners import (
    cards,
    commands,
    decisions,
    delegations,
    form,
    home,
    lists,
    number_lookup,
    operators,
    options,
    preview,
    questions,
    shortcuts,
    templates,
    temporary,
    values,
)
from bot.slack.registry import Registry
from bot.slack.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Register every listener with ``app``."""
    registry = Registry(app, services)
    for sort in (
        commands,
        shortcuts,
        form,
        options,
        preview,
        decisions,
        delegations,
        operators,
        questions,
        home,
        lists,
        number_lookup,
        templates,
        cards,
        temporary,
        values,
    ):
        sort.register(registry)
    registry.on_click(re.compile(".*"), _unknown, "unknown button")


async def _unknown(services: Services, click: Click) -> None:
    """Answer a click without a listener: it may be on a message of an older version."""
    await services.say(
        click, "This button belongs to another version of Linesman. `/numbers list` shows what is going on."
    )
