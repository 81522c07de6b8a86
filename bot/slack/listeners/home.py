"""The Home tab."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.changes.lifecycle import ChangeState
from bot.slack.calls import call
from bot.slack.front import Front
from bot.slack.views.home import home


def register(app: AsyncApp, front: Front) -> None:
    """Listen to people opening the Home tab."""

    async def opened(body: dict[str, Any]) -> None:
        event = body["event"]
        if event.get("tab") != "home":
            return

        async def answer(text: str) -> None:
            """Nobody waits for an answer to looking; the log has it."""

        front.desk.hand_over(_publish(front, event["user"]), answer, "home")

    app.event("app_home_opened")(opened)


async def _publish(front: Front, user: str) -> None:
    waiting = await front.stories.list(states=[ChangeState.AWAITING_APPROVAL])
    running = await front.stories.list(states=[ChangeState.APPROVED, ChangeState.RUNNING, ChangeState.VERIFYING])
    mine = await front.stories.list(requester=user)
    await call(front.client.views_publish(user_id=user, view=home(user, waiting, running, mine)))
