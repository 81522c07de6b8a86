"""``/numbers find``, and the pages of a number's history."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.front import Front
from bot.slack.views.number import PAGES, places, portrait
from bot.slack.views.paging import read_turn
from bot.workflow.finding import Portrait


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the buttons of a page."""

    async def turn(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_turn(front, body), front.to_person(body), "history page")

    for way in ("newer", "older"):
        app.block_action(f"{PAGES}_{way}")(turn)


async def show_number(front: Front, body: dict[str, Any], text: str) -> None:
    """Answer ``/numbers find +13035550100``."""
    await _show(front, body, await front.finding.find(text, by=body["user_id"]))


async def _turn(front: Front, body: dict[str, Any]) -> None:
    cursor, number = read_turn(body["actions"][0]["value"])
    by = body["user"]["id"]
    if cursor is None:
        found = await front.finding.find(number, by=by)
    else:
        found = await front.finding.more(number, cursor, by=by)
    await _show(front, body, found, replace=True)


async def _show(front: Front, body: dict[str, Any], found: Portrait, *, replace: bool = False) -> None:
    links = await front.links.of(places(found))
    await front.say(body, *portrait(found, links), replace=replace)
