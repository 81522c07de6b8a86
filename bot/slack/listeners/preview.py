"""The preview: requesting approval, going back to edit, closing."""

from __future__ import annotations

from functools import partial

import structlog

from bot.errors import InputError, LinesmanError, StoreError
from bot.slack.interactions import Click, ModalSubmission
from bot.slack.listeners.opening import asked_of
from bot.slack.registry import Registry, Reply
from bot.slack.services import Services
from bot.slack.views.elements import View, escape
from bot.slack.views.form import form
from bot.slack.views.preview import (
    AGAIN,
    EDIT,
    LEAVE_OUT,
    PREVIEW,
    asked,
    asking,
    in_the_way,
    notice,
)
from bot.workflow.approval.asking import COUNT

log = structlog.get_logger(__name__)


def register(registry: Registry) -> None:
    """Listen to the preview."""
    registry.on_submit(PREVIEW, _request, "request for approval", refused=_refused, waiting=_asking)
    registry.on_close(PREVIEW, _closed, "preview closed")
    registry.on_click(EDIT, _edit, "edit", in_modal=True)
    for action in (AGAIN, LEAVE_OUT):
        registry.on_click(action, _again, "plan again", in_modal=True)


async def _request(services: Services, sent: ModalSubmission) -> Reply:
    """Request approval, and show the result in the modal."""
    change = _change(sent)
    try:
        requested = await services.approval_requests.ask(
            change, by=sent.user, digest=sent.view.private["digest"], counted=sent.view.typed(COUNT)
        )
    except InputError as error:
        later = partial(services.show, sent.view.id, in_the_way(change, error.message))
        return Reply(errors=error.problems, later=later)
    return Reply(view=asked(requested))


def _refused(_: Services, sent: ModalSubmission, text: str) -> Reply:
    return Reply(view=in_the_way(_change(sent), text))


def _asking(sent: ModalSubmission) -> View:
    return asking(_change(sent))


def _change(sent: ModalSubmission) -> int:
    return int(sent.view.private["change"])


async def _closed(services: Services, closed: ModalSubmission) -> None:
    """Give up the plan of a closed modal."""
    await services.requests.discard(_change(closed), by=closed.user)


async def _edit(services: Services, click: Click) -> None:
    """Show the form again as it was sent; the plan is given up."""
    await services.requests.editable(int(click.value), by=click.user)
    details = await services.change_details.read(int(click.value))
    change = details.change
    wanted = await asked_of(services, change.id, click.user)
    kinds = services.choices.kinds
    fresh = form(kinds, details.kind, change.draft, origin=change.origin, source=change.id, asked=wanted)
    await services.show(click.view.id, fresh)
    try:
        await services.requests.discard(change.id, by=change.requester, editing=True)
    except StoreError as error:
        # The form is there, and somebody types in it: nothing may replace it. The plan expires by itself.
        log.warning("plan of a form not given up yet", change=change.id, why=error.message)


async def _again(services: Services, click: Click) -> None:
    """Plan the same request again, in the open modal or, from a card, in a new one."""
    view = click.view.id or await services.open(click)
    try:
        change = await services.requests.again(
            int(click.value),
            by=click.user,
            view=view,
            submission=f"{view}:{click.action}:{click.at}",
            leave_out=click.action == LEAVE_OUT,
        )
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await services.requests.show(change)  # not here: the outbox may have shown the plan already
