"""Approve, Reject and Details. Whoever clicks gets an answer."""

from __future__ import annotations

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.lifecycle import ChangeState
from bot.changes.records import Place, Verb, public_id
from bot.errors import LinesmanError, Superseded
from bot.slack.front import Front
from bot.slack.submissions import Reply, answer_submission
from bot.slack.views.approval_card import (
    APPROVE,
    DETAILS,
    REJECT,
    REJECTION,
    WHY,
    read_ticket,
    rejection_form,
    says_at_once,
)
from bot.slack.views.details import details
from bot.slack.views.elements import escape, quote, when
from bot.slack.views.preview import loading, notice, waiting
from bot.workflow.approval import Answer


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the buttons of approval cards, and to the modal that asks why."""

    async def approve(ack: AsyncAck, body: dict[str, Any]) -> None:
        # The decision is in the database before Slack hears that the click arrived, whenever three seconds allow it.
        await front.desk.within_ack(_approve(front, body), front.to_person(body), "approve")
        await ack()

    async def reject(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_ask_why(front, body), front.to_person(body), "reject")

    async def show_details(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_details(front, body), front.to_person(body), "details")

    async def rejection(ack: AsyncAck, body: dict[str, Any]) -> None:
        await answer_submission(
            front,
            ack,
            body,
            partial(_reject, front, body),
            refused=lambda text: Reply(errors={WHY: text}, later=partial(_not_rejected, front, body, text)),
            waiting=waiting("Rejecting…"),
            what="rejection",
        )

    app.block_action(APPROVE)(approve)
    app.block_action(REJECT)(reject)
    app.block_action(DETAILS)(show_details)
    app.view_submission(REJECTION)(rejection)


async def _approve(front: Front, body: dict[str, Any]) -> None:
    value = body["actions"][0]["value"]
    change, digest = read_ticket(value)
    try:
        answer = await front.approval.decide(
            change,
            by=body["user"]["id"],
            verb=Verb.APPROVE,
            digest=digest,
            at_once=says_at_once(value),
            clicked=_clicked(body),
        )
    except Superseded as error:
        if error.instead is None:
            raise
        await front.say(body, await _instead(front, error.message, error.instead))
        return
    await front.say(body, _thanks(change, answer))


def _clicked(body: dict[str, Any]) -> Place | None:
    """Return the message whose button was pressed; None for a button on a Home tab."""
    container = body.get("container") or {}
    if container.get("type") != "message":
        return None
    return Place(channel=str(container["channel_id"]), ts=str(container["message_ts"]))


async def _instead(front: Front, text: str, change: int) -> str:
    """Return the answer to a click on a plan that was replaced, with the way to the one that took its place."""
    replacement = (await front.stories.read(change)).change
    place = replacement.approval_card if replacement.approval_card.ts else replacement.card
    link = (await front.links.of([place])).get(place)
    return f"{escape(text)} <{link}|Show {public_id(change)}>" if link else escape(text)


def _thanks(change: int, answer: Answer) -> str:
    if answer.state is ChangeState.AWAITING_APPROVAL:
        missing = answer.required - answer.approvals
        lapsed = f" {escape(answer.lapsed)}" if answer.lapsed else ""
        return f"Your approval of {public_id(change)} counts.{lapsed} {missing} more needed, from somebody else."
    begins = when(answer.begins_at) if answer.begins_at else "now"
    if answer.frozen:
        begins = f"{begins}, once the freeze is lifted" if answer.begins_at else "once the freeze is lifted"
    return f"Your approval of {public_id(change)} counts, and it is the last one needed: the change starts {begins}."


async def _ask_why(front: Front, body: dict[str, Any]) -> None:
    """Open the modal that asks why, for those whose rejection will count."""
    view = await front.open(body["trigger_id"], loading())
    answer = front.in_modal(body, view)
    front.desk.hand_over(_fill_rejection(front, body, view), answer, "rejection form")


async def _fill_rejection(front: Front, body: dict[str, Any], view: str) -> None:
    change_id, digest = read_ticket(body["actions"][0]["value"])
    try:
        change = await front.approval.open_to(
            change_id, by=body["user"]["id"], verb=Verb.REJECT, digest=digest, clicked=_clicked(body)
        )
    except Superseded as error:
        if error.instead is None:
            raise
        await front.show(view, notice(await _instead(front, error.message, error.instead)))
        return
    await front.show(view, rejection_form(change))


async def _reject(front: Front, body: dict[str, Any]) -> Reply:
    change, digest = read_ticket(body["view"]["private_metadata"])
    reason = " ".join(_why(body).split())
    await front.approval.decide(change, by=body["user"]["id"], verb=Verb.REJECT, digest=digest, reason=reason)
    return Reply(view=notice(f"{public_id(change)} is rejected. The requester can read why in its thread."))


async def _not_rejected(front: Front, body: dict[str, Any], text: str) -> None:
    """Say that the rejection did not count, with the reason as it was typed."""
    said = notice(f"🚫 {escape(text)}\nThis is what you typed:")
    await front.show(body["view"]["id"], {**said, "blocks": [*said["blocks"], quote(_why(body))]})


def _why(body: dict[str, Any]) -> str:
    return str(body["view"]["state"]["values"][WHY][WHY]["value"] or "")


async def _details(front: Front, body: dict[str, Any]) -> None:
    change, _ = read_ticket(body["actions"][0]["value"])
    view = await front.open(body["trigger_id"], loading())
    try:
        shown = await front.stories.shown(change, by=body["user"]["id"])
    except LinesmanError as error:
        await front.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await front.show(view, details(*shown))
