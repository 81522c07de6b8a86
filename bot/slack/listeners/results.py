"""The button "Results as XLSX"."""

from __future__ import annotations

from bot.slack.interactions import Click
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.elements import escape
from bot.slack.views.lines import WORKBOOK


def register(registry: Registry) -> None:
    """Listen to the button at the end of a change's history."""
    registry.on_click(WORKBOOK, _workbook, "workbook")


async def _workbook(services: Services, click: Click) -> None:
    said = await services.results_export.workbook(int(click.value), by=click.user)
    await services.say(click, escape(said))
