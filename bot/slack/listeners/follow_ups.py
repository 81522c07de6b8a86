"""Retrying what failed and undoing what was done: the buttons of a card that is over, and the commands."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.model.change import FollowUp, read_public_id
from bot.errors import LinesmanError
from bot.slack.commands import COMMAND
from bot.slack.services import Services
from bot.slack.views.card import RETRY, UNDO
from bot.slack.views.elements import escape
from bot.slack.views.form import form
from bot.slack.views.preview import loading, notice

_ACTIONS = {RETRY: FollowUp.RETRY, UNDO: FollowUp.UNDO}


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the two buttons."""

    async def follow(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_pressed(services, body), services.to_person(body), "follow")

    for action in _ACTIONS:
        app.block_action(action)(follow)


async def follow_named(services: Services, body: dict[str, Any], what: FollowUp, text: str) -> None:
    """Answer the command that names a change."""
    change = read_public_id(text)
    if change is None:
        await services.say(body, f"Name the change: `{COMMAND} {what.value} CHG-42`.")
        return
    await _follow(services, body, change, what, body["user_id"])


async def _pressed(services: Services, body: dict[str, Any]) -> None:
    action = body["actions"][0]
    await _follow(services, body, int(action["value"]), _ACTIONS[action["action_id"]], body["user"]["id"])


async def _follow(services: Services, body: dict[str, Any], change: int, what: FollowUp, by: str) -> None:
    """Show the form with what failed, or the plan that takes back what was done."""
    view = await services.open(body["trigger_id"], loading())
    try:
        draft = await services.follow_ups.draft(change, what, by=by)
        origin = (await services.change_details.read(change)).change.origin
        if what is FollowUp.RETRY:
            kinds = {kind.name: kind for kind in services.choices.kinds}
            await services.show(
                view, form(services.choices.kinds, kinds[draft.kind], draft, origin=origin, source=change)
            )
            return
        fresh = await services.requests.propose(
            draft, requester=by, origin=origin, view=view, submission=f"{view}:undo"
        )
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await services.requests.show(fresh)  # not here: what the outbox shows of the plan may be there already
