"""Go on, and Stop, on the card of a change that is paused after its first try."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.front import Front
from bot.slack.views.elements import escape
from bot.slack.views.trying import GO_ON, STOP


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the buttons of a paused change."""

    async def go_on(ack: AsyncAck, body: dict[str, Any]) -> None:
        # As for approvals: the word is in the database before Slack hears that the click arrived.
        await front.desk.within_ack(_go_on(front, body), front.to_person(body), "go on")
        await ack()

    async def stop(ack: AsyncAck, body: dict[str, Any]) -> None:
        await front.desk.within_ack(_stop(front, body), front.to_person(body), "stop the rest")
        await ack()

    app.block_action(GO_ON)(go_on)
    app.block_action(STOP)(stop)


async def _go_on(front: Front, body: dict[str, Any]) -> None:
    change = int(body["actions"][0]["value"])
    await front.say(body, escape(await front.trying.go_on(change, by=body["user"]["id"])))


async def _stop(front: Front, body: dict[str, Any]) -> None:
    change = int(body["actions"][0]["value"])
    await front.say(body, escape(await front.cancelling.cancel(change, by=body["user"]["id"])))
