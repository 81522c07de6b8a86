"""Searching the provider for choices."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog

from bot.changes.model.filter_fields import NONE, PREFIX
from bot.errors import LinesmanError, NotAuthorized, Unauthorised
from bot.slack.interactions import MenuQuery
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.answers import read_form
from bot.slack.views.elements import option
from bot.slack.views.inputs import UNAVAILABLE, VALUE, ways_to_filter

log = structlog.get_logger(__name__)

#: Seconds within which the options must be there; Slack waits three (API.md, "Option menus").
WITHIN: Final = 2.5


def register(registry: Registry) -> None:
    """Listen to the search fields of the form."""
    registry.on_search(VALUE, _options)
    registry.on_search(PREFIX, _options)


async def _options(services: Services, query: MenuQuery) -> list[dict[str, Any]]:
    """Return the choices; if the provider is too slow or refuses, one entry that says so and is not a choice."""
    kinds = services.choices.by_name
    kind = kinds[read_form(query.view, kinds).kind]
    block = query.block
    setting, none = block.removeprefix(VALUE), False
    if block.startswith(PREFIX):
        way = ways_to_filter(kind).get(block.removeprefix(PREFIX))
        setting, none = (way[0].lookup, way[0].none) if way else ("", False)
    try:
        async with asyncio.timeout(WITHIN):
            choices = await services.choices.search(kind, setting, query.text, by=query.user)
    except NotAuthorized:
        return []
    except (LinesmanError, TimeoutError) as error:
        log.warning("no options", setting=setting, error=type(error).__name__, why=str(error))
        return [option(f"⚠️ {_why_none(kind.provider.title(), error)}", UNAVAILABLE)]
    # With any text: people who want "none" type it, and others may change their mind.
    nothing = [option("None", NONE)] if none else []
    return [*nothing, *(option(choice.label, choice.value) for choice in choices)][:100]


def _why_none(provider: str, error: Exception) -> str:
    """Return why there are no choices, within the 75 characters of an option."""
    match error:
        case Unauthorised():
            return f"{provider} rejects Linesman's key; operators have been told"
        case _:
            return f"{provider} is not responding; type again in a minute"
