"""The button "Results as XLSX"."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.services import Services
from bot.slack.views.elements import escape
from bot.slack.views.lines import WORKBOOK


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button at the end of a change's history."""

    async def workbook(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_workbook(services, body), services.to_person(body), "workbook")

    app.block_action(WORKBOOK)(workbook)


async def _workbook(services: Services, body: dict[str, Any]) -> None:
    change = int(body["actions"][0]["value"])
    await services.say(body, escape(await services.results_export.workbook(change, by=body["user"]["id"])))
