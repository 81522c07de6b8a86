"""``/numbers list``, and its pages."""

from __future__ import annotations

from bot.changes.model.list_rows import Cursor
from bot.errors import InputError
from bot.slack.interactions import Click, Interaction, SlashCommand
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.elements import escape
from bot.slack.views.fragments import read_turn
from bot.slack.views.help import list_help
from bot.slack.views.status import PAGES, SCHEDULED, listing, schedule


def register(registry: Registry) -> None:
    """Listen to the buttons of a page."""
    for way in ("newer", "older"):
        registry.on_click(f"{PAGES}_{way}", _turn, "list page")


async def show_list(services: Services, command: SlashCommand, text: str) -> None:
    """Answer ``/numbers list …``: a page of changes, or all mistakes and the allowed words."""
    words = text.lower().split()
    try:
        if "scheduled" in words:
            await _show_scheduled(services, command, words)
            return
        await _show(services, command, text, None)
    except InputError as error:
        problems = "\n".join(f"• {escape(problem)}" for problem in error.problems.values())
        await services.say(command, f"{problems}\n\n{list_help(services.choices.kinds)}")


async def _show_scheduled(services: Services, command: SlashCommand, words: list[str]) -> None:
    """Show the changes that wait for their time, in a list of its own that is sorted by start."""
    if not set(words) <= {"scheduled", "mine"}:
        raise InputError({"scheduled": "Use “scheduled” alone or with “mine”."})
    mine = command.user if "mine" in words else ""
    changes = await services.change_details.scheduled(requester=mine, limit=SCHEDULED + 1, by=command.user)
    await services.say(command, *schedule(changes))


async def _turn(services: Services, click: Click) -> None:
    cursor, words = read_turn(click.value)
    await _show(services, click, words, cursor, replace=True)


async def _show(
    services: Services, act: Interaction, text: str, cursor: Cursor | None, *, replace: bool = False
) -> None:
    wanted = services.change_lists.read(text, by=act.user)
    page = await services.change_lists.shown(wanted, cursor, by=act.user)
    await services.say(act, *listing(page, wanted, services.choices.by_name, act.user), replace=replace)
