"""The button "Results as XLSX"."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.front import Front
from bot.slack.views.elements import escape
from bot.slack.views.lines import WORKBOOK


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the button at the end of a change's history."""

    async def workbook(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_workbook(front, body), front.to_person(body), "workbook")

    app.block_action(WORKBOOK)(workbook)


async def _workbook(front: Front, body: dict[str, Any]) -> None:
    change = int(body["actions"][0]["value"])
    await front.say(body, escape(await front.reporting.workbook(change, by=body["user"]["id"])))
