"""The Home tab."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.listeners.opening import open_form
from bot.slack.services import Services
from bot.slack.views.home import START


def register(app: AsyncApp, services: Services) -> None:
    """Listen to people opening the Home tab, and to its button; the buttons of requests are those of the cards."""

    async def opened(body: dict[str, Any]) -> None:
        event = body["event"]
        if event.get("tab") != "home":
            return

        async def answer(text: str) -> None:
            """Nobody waits for an answer to looking; the log has it."""

        services.clicks.hand_over(services.home_publisher.opened(event["user"]), answer, "home")

    async def start(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        work = open_form(services, user=body["user"]["id"], trigger=body["trigger_id"], origin="")
        services.clicks.hand_over(work, services.to_person(body), "new change from home")

    app.event("app_home_opened")(opened)
    app.block_action(START)(start)
