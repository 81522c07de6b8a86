"""The preview: asking for approval, going back to edit, closing."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.errors import LinesmanError
from bot.slack.front import Front
from bot.slack.views.elements import escape
from bot.slack.views.form import form, read_private
from bot.slack.views.preview import (
    AGAIN,
    EDIT,
    LEAVE_OUT,
    PREVIEW,
    asked,
    asking,
    in_the_way,
    loading,
    notice,
    planning,
)


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the preview."""

    async def request(ack: AsyncAck, body: dict[str, Any]) -> None:
        view = body["view"]
        answers: dict[str, Any] = {}
        in_time = True

        async def ask() -> None:
            private = read_private(view)
            by = body["user"]["id"]
            change = await front.approval.ask(int(private["change"]), by=by, digest=private["digest"])
            answers["view"] = asked(change)
            if not in_time:
                await front.show(view["id"], answers["view"])

        async def refuse(text: str) -> None:
            answers["view"] = in_the_way(int(read_private(view)["change"]), text)
            if not in_time:
                await front.show(view["id"], answers["view"])

        in_time = await front.desk.within_ack(ask(), refuse, "request for approval")
        shown = answers.get("view") or asking(int(read_private(view)["change"]))
        await ack(response_action="update", view=shown)

    async def edit(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_edit(front, body), front.in_modal(body["view"]["id"]), "edit")

    async def again(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        where = front.in_modal(body["view"]["id"]) if "view" in body else front.to_person(body)
        front.desk.hand_over(_again(front, body), where, "plan again")

    async def closed(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        change = int(read_private(body["view"])["change"])
        work = front.proposals.discard(change, by=body["user"]["id"])
        front.desk.hand_over(work, front.to_person(body), "preview closed")

    app.view_submission(PREVIEW)(request)
    app.view_closed(PREVIEW)(closed)
    app.block_action(EDIT)(edit)
    for action in (AGAIN, LEAVE_OUT):
        app.block_action(action)(again)


async def _edit(front: Front, body: dict[str, Any]) -> None:
    """Show the form again as it was sent; the plan is given up."""
    await front.proposals.editable(int(body["actions"][0]["value"]), by=body["user"]["id"])
    story = await front.stories.read(int(body["actions"][0]["value"]))
    change = story.change
    fresh = form(front.choices.kinds, story.kind, change.draft, origin=change.origin, source=change.id)
    await front.show(body["view"]["id"], fresh)
    await front.proposals.discard(change.id, by=change.requester, editing=True)


async def _again(front: Front, body: dict[str, Any]) -> None:
    """Plan the same request anew, in the open modal or, from a card, in a new one."""
    action = body["actions"][0]
    view = body["view"]["id"] if "view" in body else await front.open(body["trigger_id"], loading())
    try:
        change = await front.proposals.again(
            int(action["value"]),
            by=body["user"]["id"],
            view=view,
            submission=f"{view}:{action['action_id']}:{action['action_ts']}",
            leave_out=action["action_id"] == LEAVE_OUT,
        )
    except LinesmanError as error:
        await front.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await front.show(view, planning(change))
