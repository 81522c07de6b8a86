"""The preview: asking for approval, going back to edit, closing."""

from __future__ import annotations

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.errors import InputError, LinesmanError
from bot.slack.services import Services
from bot.slack.submissions import Reply, answer_submission
from bot.slack.views.answers import read_private
from bot.slack.views.elements import escape
from bot.slack.views.form import form
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
)
from bot.workflow.approval.approvals import COUNT


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the preview."""

    async def request(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _request(services, ack, body)

    async def edit(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_edit(services, body), services.in_modal(body), "edit")

    async def again(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_again(services, body), services.in_modal(body), "plan again")

    async def closed(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_closed(services, body), services.to_person(body), "preview closed")

    app.view_submission(PREVIEW)(request)
    app.view_closed(PREVIEW)(closed)
    app.block_action(EDIT)(edit)
    for action in (AGAIN, LEAVE_OUT):
        app.block_action(action)(again)


async def _request(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Ask for approval, and say in the modal what came of it."""
    view, by = body["view"], body["user"]["id"]
    private = read_private(view)
    change = int(private["change"])

    async def work() -> Reply:
        try:
            counted = _counted(view)
            requested = await services.approvals.ask(change, by=by, digest=private["digest"], counted=counted)
        except InputError as error:
            later = partial(services.show, view["id"], in_the_way(change, error.message))
            return Reply(errors=error.problems, later=later)
        return Reply(view=asked(requested))

    await answer_submission(
        services,
        ack,
        body,
        work,
        refused=lambda text: Reply(view=in_the_way(change, text)),
        waiting=asking(change),
        what="request for approval",
    )


def _counted(view: dict[str, Any]) -> str:
    """Return how many numbers the requester has typed that there are; nothing where that was not asked."""
    answer = view.get("state", {}).get("values", {}).get(COUNT, {}).get(COUNT, {})
    return str(answer.get("value") or "")


async def _closed(services: Services, body: dict[str, Any]) -> None:
    """Give up the plan whose modal was closed."""
    await services.requests.discard(int(read_private(body["view"])["change"]), by=body["user"]["id"])


async def _edit(services: Services, body: dict[str, Any]) -> None:
    """Show the form again as it was sent; the plan is given up."""
    await services.requests.editable(int(body["actions"][0]["value"]), by=body["user"]["id"])
    details = await services.change_details.read(int(body["actions"][0]["value"]))
    change = details.change
    fresh = form(services.choices.kinds, details.kind, change.draft, origin=change.origin, source=change.id)
    await services.show(body["view"]["id"], fresh)
    await services.requests.discard(change.id, by=change.requester, editing=True)


async def _again(services: Services, body: dict[str, Any]) -> None:
    """Plan the same request anew, in the open modal or, from a card, in a new one."""
    action = body["actions"][0]
    view = body["view"]["id"] if "view" in body else await services.open(body["trigger_id"], loading())
    try:
        change = await services.requests.again(
            int(action["value"]),
            by=body["user"]["id"],
            view=view,
            submission=f"{view}:{action['action_id']}:{action['action_ts']}",
            leave_out=action["action_id"] == LEAVE_OUT,
        )
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await services.requests.show(change)  # not here: what the outbox shows of the plan may be there already
