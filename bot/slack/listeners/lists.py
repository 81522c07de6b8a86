"""``/numbers list``, and its pages."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.model.paging import Cursor
from bot.errors import InputError
from bot.slack.services import Services
from bot.slack.views.elements import escape
from bot.slack.views.help import list_help
from bot.slack.views.paging import read_turn
from bot.slack.views.status import PAGES, SCHEDULED, listing, schedule


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons of a page."""

    async def turn(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_turn(services, body), services.to_person(body), "list page")

    for way in ("newer", "older"):
        app.block_action(f"{PAGES}_{way}")(turn)


async def show_list(services: Services, body: dict[str, Any], text: str) -> None:
    """Answer ``/numbers list …``: a page of changes, or everything that is wrong and what is allowed."""
    words = text.lower().split()
    try:
        if "scheduled" in words:
            await _show_scheduled(services, body, words)
            return
        await _show(services, body, text, None, by=body["user_id"])
    except InputError as error:
        problems = "\n".join(f"• {escape(problem)}" for problem in error.problems.values())
        await services.say(body, f"{problems}\n\n{list_help(services.choices.kinds)}")


async def _show_scheduled(services: Services, body: dict[str, Any], words: list[str]) -> None:
    """Show what waits for its time: a list of its own, for its order is that of the starts."""
    if not set(words) <= {"scheduled", "mine"}:
        raise InputError({"scheduled": "Use “scheduled” alone or with “mine”."})
    mine = body["user_id"] if "mine" in words else ""
    await services.say(
        body,
        *schedule(await services.change_details.scheduled(requester=mine, limit=SCHEDULED + 1, by=body["user_id"])),
    )


async def _turn(services: Services, body: dict[str, Any]) -> None:
    cursor, words = read_turn(body["actions"][0]["value"])
    await _show(services, body, words, cursor, by=body["user"]["id"], replace=True)


async def _show(
    services: Services, body: dict[str, Any], text: str, cursor: Cursor | None, *, by: str, replace: bool = False
) -> None:
    wanted = services.change_lists.read(text, by=by)
    page = await services.change_lists.shown(wanted, cursor, by=by)
    kinds = {kind.name: kind for kind in services.choices.kinds}
    await services.say(body, *listing(page, wanted, kinds, by), replace=replace)
