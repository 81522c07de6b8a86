"""Continue rollout, and Stop here, on the card of a change that is paused after its canary."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.services import Services
from bot.slack.views.canary import GO_ON, STOP
from bot.slack.views.elements import escape


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons of a paused change."""

    async def go_on(ack: AsyncAck, body: dict[str, Any]) -> None:
        # As for approvals: the word is in the database before Slack hears that the click arrived.
        await services.clicks.within_ack(_go_on(services, body), services.to_person(body), "go on")
        await ack()

    async def stop(ack: AsyncAck, body: dict[str, Any]) -> None:
        await services.clicks.within_ack(_stop(services, body), services.to_person(body), "stop the rest")
        await ack()

    app.block_action(GO_ON)(go_on)
    app.block_action(STOP)(stop)


async def _go_on(services: Services, body: dict[str, Any]) -> None:
    change = int(body["actions"][0]["value"])
    await services.say(body, escape(await services.canary.continue_rollout(change, by=body["user"]["id"])))


async def _stop(services: Services, body: dict[str, Any]) -> None:
    change = int(body["actions"][0]["value"])
    await services.say(body, escape(await services.cancellation.cancel(change, by=body["user"]["id"])))
