"""The shortcuts "New number change" and "Change these numbers"."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.front import Front
from bot.slack.listeners.opening import open_form
from bot.slack.manifest import CHANGE_THESE, NEW_CHANGE
from bot.slack.views.sheet_field import first_sheet


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the shortcuts."""

    async def new_change(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        work = open_form(front, user=body["user"]["id"], trigger=body["trigger_id"], origin="")
        front.desk.hand_over(work, front.to_person(body), "global shortcut")

    async def change_these(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        work = open_form(
            front,
            user=body["user"]["id"],
            trigger=body["trigger_id"],
            origin=body["channel"]["id"],
            pasted=body["message"].get("text", ""),
            sheet=first_sheet(body["message"].get("files") or ()),
        )
        front.desk.hand_over(work, front.to_person(body), "message shortcut")

    app.global_shortcut(NEW_CHANGE)(new_change)
    app.message_shortcut(CHANGE_THESE)(change_these)
