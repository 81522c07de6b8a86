"""Retrying what failed and undoing what was done: the buttons of a card that is over, and the commands."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.records import Following, read_public_id
from bot.errors import LinesmanError
from bot.slack.front import Front
from bot.slack.manifest import COMMAND
from bot.slack.views.card import RETRY, UNDO
from bot.slack.views.elements import escape
from bot.slack.views.form import form
from bot.slack.views.preview import loading, notice

_ACTIONS = {RETRY: Following.RETRY, UNDO: Following.UNDO}


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the two buttons."""

    async def follow(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_pressed(front, body), front.to_person(body), "follow")

    for action in _ACTIONS:
        app.block_action(action)(follow)


async def follow_named(front: Front, body: dict[str, Any], what: Following, text: str) -> None:
    """Answer the command that names a change."""
    change = read_public_id(text)
    if change is None:
        await front.say(body, f"Say which change: `{COMMAND} {what.value} CHG-42`.")
        return
    await _follow(front, body, change, what, body["user_id"])


async def _pressed(front: Front, body: dict[str, Any]) -> None:
    action = body["actions"][0]
    await _follow(front, body, int(action["value"]), _ACTIONS[action["action_id"]], body["user"]["id"])


async def _follow(front: Front, body: dict[str, Any], change: int, what: Following, by: str) -> None:
    """Show the form with what failed, or the plan that takes back what was done."""
    view = await front.open(body["trigger_id"], loading())
    try:
        draft = await front.bases.draft(change, what, by=by)
        origin = (await front.stories.read(change)).change.origin
        if what is Following.RETRY:
            kinds = {kind.name: kind for kind in front.choices.kinds}
            await front.show(view, form(front.choices.kinds, kinds[draft.kind], draft, origin=origin, source=change))
            return
        fresh = await front.proposals.propose(draft, requester=by, origin=origin, view=view, submission=f"{view}:undo")
    except LinesmanError as error:
        await front.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await front.proposals.show(fresh)  # not here: what the outbox shows of the plan may be there already
