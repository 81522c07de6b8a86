"""Approve, Reject and Details. Whoever clicks gets an answer."""

from __future__ import annotations

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.model.change import DecisionVerb, MessageRef, public_id
from bot.changes.model.lifecycle import ChangeState
from bot.errors import LinesmanError, Superseded
from bot.slack.services import Services
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
from bot.workflow.approval.approvals import DecisionResult


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons of approval cards, and to the modal that asks why."""

    async def approve(ack: AsyncAck, body: dict[str, Any]) -> None:
        # The decision is in the database before Slack hears that the click arrived, whenever three seconds allow it.
        await services.clicks.within_ack(_approve(services, body), services.to_person(body), "approve")
        await ack()

    async def reject(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_ask_why(services, body), services.to_person(body), "reject")

    async def show_details(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_details(services, body), services.to_person(body), "details")

    async def rejection(ack: AsyncAck, body: dict[str, Any]) -> None:
        await answer_submission(
            services,
            ack,
            body,
            partial(_reject, services, body),
            refused=lambda text: Reply(errors={WHY: text}, later=partial(_not_rejected, services, body, text)),
            waiting=waiting("Rejecting…"),
            what="rejection",
        )

    app.block_action(APPROVE)(approve)
    app.block_action(REJECT)(reject)
    app.block_action(DETAILS)(show_details)
    app.view_submission(REJECTION)(rejection)


async def _approve(services: Services, body: dict[str, Any]) -> None:
    value = body["actions"][0]["value"]
    change, digest = read_ticket(value)
    try:
        answer = await services.approvals.decide(
            change,
            by=body["user"]["id"],
            verb=DecisionVerb.APPROVE,
            digest=digest,
            at_once=says_at_once(value),
            clicked=_clicked(body),
        )
    except Superseded as error:
        if error.instead is None:
            raise
        await services.say(body, await _instead(services, error.message, error.instead))
        return
    await services.say(body, _thanks(change, answer))


def _clicked(body: dict[str, Any]) -> MessageRef | None:
    """Return the message whose button was pressed; None for a button on a Home tab."""
    container = body.get("container") or {}
    if container.get("type") != "message":
        return None
    return MessageRef(channel=str(container["channel_id"]), ts=str(container["message_ts"]))


async def _instead(services: Services, text: str, change: int) -> str:
    """Return the answer to a click on a plan that was replaced, with the way to the one that took its place."""
    replacement = (await services.change_details.read(change)).change
    place = replacement.approval_card if replacement.approval_card.ts else replacement.card
    link = (await services.permalinks.of([place])).get(place)
    return f"{escape(text)} <{link}|Show {public_id(change)}>" if link else escape(text)


def _thanks(change: int, answer: DecisionResult) -> str:
    if answer.state is ChangeState.AWAITING_APPROVAL:
        missing = answer.required - answer.approvals
        lapsed = f" {escape(answer.lapsed)}" if answer.lapsed else ""
        more = "approval" if missing == 1 else "approvals"
        return f"Approved.{lapsed} {public_id(change)} needs {missing} more {more}, from somebody else."
    begins = when(answer.begins_at) if answer.begins_at else "now"
    if answer.frozen:
        begins = f"{begins}, once the freeze is lifted" if answer.begins_at else "once the freeze is lifted"
    return f"Approved. That was the last approval needed: {public_id(change)} starts {begins}."


async def _ask_why(services: Services, body: dict[str, Any]) -> None:
    """Open the modal that asks why, for those whose rejection will count."""
    view = await services.open(body["trigger_id"], loading())
    answer = services.in_modal(body, view)
    services.clicks.hand_over(_fill_rejection(services, body, view), answer, "rejection form")


async def _fill_rejection(services: Services, body: dict[str, Any], view: str) -> None:
    change_id, digest = read_ticket(body["actions"][0]["value"])
    try:
        change = await services.approvals.open_to(
            change_id, by=body["user"]["id"], verb=DecisionVerb.REJECT, digest=digest, clicked=_clicked(body)
        )
    except Superseded as error:
        if error.instead is None:
            raise
        await services.show(view, notice(await _instead(services, error.message, error.instead)))
        return
    await services.show(view, rejection_form(change))


async def _reject(services: Services, body: dict[str, Any]) -> Reply:
    change, digest = read_ticket(body["view"]["private_metadata"])
    reason = " ".join(_why(body).split())
    await services.approvals.decide(
        change, by=body["user"]["id"], verb=DecisionVerb.REJECT, digest=digest, reason=reason
    )
    return Reply(view=notice(f"{public_id(change)} is rejected. The requester can read why in its thread."))


async def _not_rejected(services: Services, body: dict[str, Any], text: str) -> None:
    """Say that the rejection did not count, with the reason as it was typed."""
    said = notice(f"🚫 {escape(text)}\nThis is what you typed:")
    await services.show(body["view"]["id"], {**said, "blocks": [*said["blocks"], quote(_why(body))]})


def _why(body: dict[str, Any]) -> str:
    return str(body["view"]["state"]["values"][WHY][WHY]["value"] or "")


async def _details(services: Services, body: dict[str, Any]) -> None:
    change, _ = read_ticket(body["actions"][0]["value"])
    view = await services.open(body["trigger_id"], loading())
    try:
        shown = await services.change_details.shown(change, by=body["user"]["id"])
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await services.show(view, details(*shown))
