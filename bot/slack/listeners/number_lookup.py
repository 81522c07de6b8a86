"""``/numbers find``, and the pages of a number's history."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.services import Services
from bot.slack.views.number import PAGES, number_details, places
from bot.slack.views.paging import read_turn
from bot.workflow.queries.number_lookup import NumberDetails


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons of a page."""

    async def turn(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_turn(services, body), services.to_person(body), "history page")

    for way in ("newer", "older"):
        app.block_action(f"{PAGES}_{way}")(turn)


async def show_number(services: Services, body: dict[str, Any], text: str) -> None:
    """Answer ``/numbers find +13035550100``."""
    await _show(services, body, await services.number_lookup.find(text, by=body["user_id"]))


async def _turn(services: Services, body: dict[str, Any]) -> None:
    cursor, number = read_turn(body["actions"][0]["value"])
    by = body["user"]["id"]
    if cursor is None:
        found = await services.number_lookup.find(number, by=by)
    else:
        found = await services.number_lookup.more(number, cursor, by=by)
    await _show(services, body, found, replace=True)


async def _show(services: Services, body: dict[str, Any], found: NumberDetails, *, replace: bool = False) -> None:
    permalinks = await services.permalinks.of(places(found))
    await services.say(body, *number_details(found, permalinks), replace=replace)
