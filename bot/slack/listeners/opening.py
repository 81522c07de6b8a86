"""Opening the form, for every way of starting a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import ChangeState
from bot.changes.numbers.splitting import split_between_numbers
from bot.errors import NotAuthorized
from bot.slack.interactions import Interaction, Shortcut
from bot.slack.services import Services
from bot.slack.views.elements import escape, with_notes
from bot.slack.views.form import MOST_BOXES, form
from bot.slack.views.fragments import asked_lines
from bot.slack.views.inputs import BOX_LENGTH
from bot.slack.views.preview import TITLE, notice


async def open_form(services: Services, act: Interaction, *, kind: Kind | None = None, pasted: str = "") -> bool:
    """Open the form for a person, with numbers if there are some already, and tell whether it opened.

    A trigger is valid for three seconds, and asking Slack for the person's rights can take longer, so the modal opens
    first and is filled afterwards.
    """
    view = await services.open(act)
    return await fill_form(services, act, view, kind=kind, draft=Draft(kind="", pasted=boxes_of(pasted)))


async def fill_form(
    services: Services,
    act: Interaction,
    view: str,
    *,
    kind: Kind | None,
    draft: Draft,
    notes: Sequence[str] = (),
) -> bool:
    """Show the form of ``kind`` in an open modal, filled with ``draft``, and tell whether the person may have it.

    People who may not are told why, and get back their typed text. ``notes`` are sentences (mrkdwn) above the form.
    """
    # Typed text exists nowhere else now; the message of a shortcut is still where it was.
    typed = () if isinstance(act, Shortcut) else draft.pasted
    chosen = await allowed_kind(services, act, view, kind=kind, typed=typed)
    if chosen is None or await too_long(services, view, draft, typed=typed):
        return False
    fresh = form(services.choices.kinds, chosen, replace(draft, kind=chosen.name), origin=act.channel)
    await services.show(view, with_notes(fresh, notes))
    return True


async def allowed_kind(
    services: Services, act: Interaction, view: str, *, kind: Kind | None, typed: Sequence[str], title: str = TITLE
) -> Kind | None:
    """Return ``kind``, or the first kind, if they may request it; otherwise say in the modal why not.

    Slack has removed the text in ``typed`` from the keyboard, so a refusal gives it back.
    """
    chosen = kind or next(iter(services.choices.kinds), None)
    if chosen is None:
        why = "🚫 The policy allows no changes. Ask whoever runs Linesman."
        await services.show(view, notice(why, title=title, typed=typed))
        return None
    try:
        await services.authorization.start(act.user, chosen.name, fresh=False)
    except NotAuthorized as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}", title=title, typed=typed))
        return None
    return chosen


async def asked_of(services: Services, source: int | None, user: str) -> str:
    """Return, in mrkdwn, what approvers want to be different in the plan that ``user`` edits from ``source``.

    Empty when that plan replaces no other one.
    """
    if source is None:
        return ""
    details = await services.change_details.read(source)
    if details.change.revises is not None:
        details = await services.change_details.read(details.change.revises)
    change = details.change
    wanted = change.requester == user and change.state is ChangeState.CHANGES_REQUESTED
    return asked_lines(details) if wanted else ""


async def too_long(services: Services, view: str, draft: Draft, *, typed: Sequence[str], title: str = TITLE) -> bool:
    """Tell whether ``draft`` needs more boxes than a form has; if so, say it in the modal and give back the text.

    A form without the end of a list would look complete.
    """
    if len(draft.pasted) <= MOST_BOXES:
        return False
    why = (
        f"🚫 What you typed is more than the {MOST_BOXES} boxes of the form can hold. The form was not opened, so that "
        "no number is lost: split the list, or upload it as a sheet."
    )
    await services.show(view, notice(why, title=title, typed=typed))
    return True


def boxes_of(text: str) -> tuple[str, ...]:
    """Return ``text`` spread over number boxes, split between numbers; there may be more than a form has.

    No box is completely filled, because a full one counts as cut off.
    """
    return tuple(split_between_numbers(text, BOX_LENGTH - 1))
