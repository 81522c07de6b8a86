"""Approve, with or without a comment, Reject and Details. Every click gets an answer."""

from __future__ import annotations

from functools import partial

from bot.changes.model.decisions import DecisionVerb
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.public_ids import public_id
from bot.changes.text.counts import counted
from bot.errors import LinesmanError, NotAuthorized, Superseded
from bot.slack.interactions import Click, ModalSubmission
from bot.slack.registry import Registry, Reply
from bot.slack.services import Services
from bot.slack.views.approval_card import (
    APPROVAL,
    APPROVE,
    APPROVE_SAYING,
    ASK,
    COMMENT,
    DETAILS,
    REJECT,
    REJECTION,
    WHY,
    comment_form,
    read_ticket,
    rejection_form,
    says_at_once,
    ticket,
)
from bot.slack.views.elements import View, code, escape, person, quote, when
from bot.slack.views.preview import notice, waiting
from bot.slack.views.revisions import CHANGES, WHAT, changes_form
from bot.slack.views.status import details
from bot.workflow.approval.recording import DecisionResult


def register(registry: Registry) -> None:
    """Listen to the buttons of approval cards, and to the modals for a text with the decision."""
    registry.on_click(APPROVE, _approve, "approve", before_ack=True)
    registry.on_click(APPROVE_SAYING, _ask_for_comment, "approve with comment")
    registry.on_click(REJECT, _ask_why, "reject")
    registry.on_click(ASK, _ask_what, "ask for changes")
    registry.on_click(DETAILS, _details, "details")
    registry.on_submit(
        APPROVAL,
        _approve_saying,
        "approval",
        refused=partial(_not_decided, COMMENT),
        waiting=lambda _: waiting("Approving…"),
    )
    registry.on_submit(
        REJECTION, _reject, "rejection", refused=partial(_not_decided, WHY), waiting=lambda _: waiting("Rejecting…")
    )
    registry.on_submit(
        CHANGES,
        _ask_for_changes,
        "changes asked for",
        refused=partial(_not_decided, WHAT),
        waiting=lambda _: waiting("Asking for changes…"),
    )


async def _approve(services: Services, click: Click) -> None:
    change, digest = read_ticket(click.value)
    try:
        answer = await services.approvals.decide(
            change,
            by=click.user,
            verb=DecisionVerb.APPROVE,
            digest=digest,
            at_once=says_at_once(click.value),
            clicked=click.message,
        )
    except Superseded as error:
        if error.instead is None:
            raise
        await services.say(click, await _instead(services, error.message, error.instead))
        return
    await services.say(click, _thanks(change, answer))


async def _instead(services: Services, text: str, change: int) -> str:
    """Return the answer to a click on a replaced plan, with the way to the plan that replaced it."""
    replacement = (await services.change_details.read(change)).change
    place = replacement.approval_card if replacement.approval_card.ts else replacement.card
    link = (await services.permalinks.of([place])).get(place)
    return f"{escape(text)} <{link}|Show {public_id(change)}>" if link else escape(text)


def _thanks(change: int, answer: DecisionResult) -> str:
    approved = f"Approved for {person(answer.on_behalf_of)}." if answer.on_behalf_of else "Approved."
    if answer.state is ChangeState.AWAITING_APPROVAL:
        missing = answer.required - answer.approvals
        lapsed = f" {escape(answer.lapsed)}" if answer.lapsed else ""
        if answer.completed:
            done, following = code(answer.completed, 60), code(answer.stage, 60)
            return (
                f"{approved}{lapsed} The stage {done} of {public_id(change)} is complete. It now waits for the stage "
                f"{following}; its approvers have been notified."
            )
        return f"{approved}{lapsed} {public_id(change)} needs {counted(missing, 'more approval')}, from somebody else."
    if answer.extended is not None:
        return f"{approved} That was the last approval needed: {public_id(answer.extended)} is extended."
    begins = when(answer.begins_at) if answer.begins_at else "now"
    if answer.frozen:
        begins = f"{begins}, once the freeze is lifted" if answer.begins_at else "once the freeze is lifted"
    return f"{approved} That was the last approval needed: {public_id(change)} starts {begins}."


async def _ask_for_comment(services: Services, click: Click) -> None:
    """Open the modal for a comment, for people whose approval will count."""
    view = await services.open(click)
    filling = _fill(services, click, view, DecisionVerb.APPROVE)
    services.clicks.hand_over(filling, services.in_modal(click, view), "approval form")


async def _ask_why(services: Services, click: Click) -> None:
    """Open the modal that asks why, for people whose rejection will count."""
    view = await services.open(click)
    filling = _fill(services, click, view, DecisionVerb.REJECT)
    services.clicks.hand_over(filling, services.in_modal(click, view), "rejection form")


async def _ask_what(services: Services, click: Click) -> None:
    """Open the modal that asks what should be different, for people who may ask for changes."""
    view = await services.open(click)
    filling = _fill(services, click, view, DecisionVerb.ASK_FOR_CHANGES)
    services.clicks.hand_over(filling, services.in_modal(click, view), "changes form")


async def _fill(services: Services, click: Click, view: str, verb: DecisionVerb) -> None:
    change_id, digest = read_ticket(click.value)
    try:
        change = await services.approvals.open_to(
            change_id, by=click.user, verb=verb, digest=digest, clicked=click.message
        )
    except Superseded as error:
        if error.instead is None:
            raise
        await services.show(view, notice(await _instead(services, error.message, error.instead)))
        return
    if verb is DecisionVerb.REJECT:
        await services.show(view, rejection_form(change))
    elif verb is DecisionVerb.ASK_FOR_CHANGES:
        await services.show(view, changes_form(change, ticket(change)))
    else:
        await services.show(view, comment_form(await services.change_details.read(change_id)))


async def _approve_saying(services: Services, sent: ModalSubmission) -> Reply:
    change, digest = read_ticket(sent.view.metadata)
    try:
        answer = await services.approvals.decide(
            change,
            by=sent.user,
            verb=DecisionVerb.APPROVE,
            digest=digest,
            reason=sent.view.typed(COMMENT),
            at_once=says_at_once(sent.view.metadata),
        )
    except (NotAuthorized, Superseded) as error:  # a second submission finds that the person has already approved
        return Reply(view=_given_back(COMMENT, sent, error.message))
    return Reply(view=notice(_thanks(change, answer)))


async def _reject(services: Services, sent: ModalSubmission) -> Reply:
    change, digest = read_ticket(sent.view.metadata)
    try:
        await services.approvals.decide(
            change, by=sent.user, verb=DecisionVerb.REJECT, digest=digest, reason=sent.view.typed(WHY)
        )
    except Superseded as error:
        return Reply(view=_given_back(WHY, sent, error.message))
    return Reply(view=notice(f"You rejected {public_id(change)}. The requester sees your reason in the thread."))


async def _ask_for_changes(services: Services, sent: ModalSubmission) -> Reply:
    change, digest = read_ticket(sent.view.metadata)
    try:
        await services.approvals.decide(
            change, by=sent.user, verb=DecisionVerb.ASK_FOR_CHANGES, digest=digest, reason=sent.view.typed(WHAT)
        )
    except Superseded as error:
        return Reply(view=_given_back(WHAT, sent, error.message))
    told = f"You asked for changes to {public_id(change)}. The requester sees your comment in the thread."
    return Reply(view=notice(f"{told} You will be asked again when there is another plan."))


def _not_decided(typed: str, services: Services, sent: ModalSubmission, text: str) -> Reply:
    """Say at the input why the decision did not count: it can be sent again. Without a modal, give the text back."""
    return Reply(errors={typed: text}, later=partial(services.show, sent.view.id, _given_back(typed, sent, text)))


def _given_back(typed: str, sent: ModalSubmission, text: str) -> View:
    """Return the answer when nothing is left to decide, with the text in ``typed`` unchanged.

    Not an error at the input: for a form that is sent twice, the first answer may have removed the input.
    """
    said = notice(f"🚫 {escape(text)}\nThis is what you typed:")
    return {**said, "blocks": [*said["blocks"], quote(sent.view.typed(typed))]}


async def _details(services: Services, click: Click) -> None:
    change, _ = read_ticket(click.value)
    view = await services.open(click)
    try:
        shown = await services.change_details.shown(change, by=click.user)
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await services.show(view, details(*shown))
