"""``/numbers find``, and the pages of a number's history."""

from __future__ import annotations

from bot.slack.interactions import Click, Interaction, SlashCommand
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.fragments import read_turn
from bot.slack.views.number import PAGES, number_details, places
from bot.workflow.queries.number_lookup import NumberDetails


def register(registry: Registry) -> None:
    """Listen to the buttons of a page."""
    for way in ("newer", "older"):
        registry.on_click(f"{PAGES}_{way}", _turn, "history page")


async def show_number(services: Services, command: SlashCommand, text: str) -> None:
    """Answer ``/numbers find +13035550100``."""
    await _show(services, command, await services.number_lookup.find(text, by=command.user))


async def _turn(services: Services, click: Click) -> None:
    cursor, number = read_turn(click.value)
    if cursor is None:
        found = await services.number_lookup.find(number, by=click.user)
    else:
        found = await services.number_lookup.more(number, cursor, by=click.user)
    await _show(services, click, found, replace=True)


async def _show(services: Services, act: Interaction, found: NumberDetails, *, replace: bool = False) -> None:
    permalinks = await services.permalinks.of(places(found))
    await services.say(act, *number_details(found, permalinks), replace=replace)
