"""The form while it is filled in, and its submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from bot.changes.input.drafts import REASON
from bot.changes.model.draft import Draft
from bot.changes.model.values import Secret
from bot.errors import InputError
from bot.slack.interactions import Click, Interaction, ModalSubmission, SentView
from bot.slack.listeners.opening import asked_of
from bot.slack.registry import Registry, Reply
from bot.slack.services import Services
from bot.slack.views.answers import field_errors, read_form
from bot.slack.views.elements import View
from bot.slack.views.form import FORM, KIND, MORE, PUT_BACK, SEVERAL, form
from bot.slack.views.inputs import FILTERS
from bot.slack.views.preview import loading, planning
from bot.slack.views.sheet_field import TAKE_AWAY, next_turn, sheet_problems
from bot.slack.views.values import VALUES, values_form


def register(registry: Registry) -> None:
    """Listen to the form's selects and buttons, and to its submission."""
    for action in (KIND, "settings", FILTERS, MORE, SEVERAL, TAKE_AWAY, PUT_BACK):
        # Faults are not reported in the modal: a sentence would replace the typed text.
        registry.on_click(action, _redraw, "form redraw")
    registry.on_submit(FORM, _submit, "form submission", refused=_refused, waiting=lambda _: loading())


async def _submit(services: Services, sent: ModalSubmission) -> Reply:
    """Take in the request; the outbox puts the plan into the modal."""
    try:
        change = await _propose(services, sent)
    except InputError as error:
        return _wrong(services, sent, error.problems)
    # If late, it goes through the outbox like the plan itself: the last message then shows the latest state.
    return Reply(view=planning(change), later=partial(services.requests.show, change))


def _refused(services: Services, sent: ModalSubmission, text: str) -> Reply:
    return _wrong(services, sent, {REASON: text})


def _wrong(services: Services, sent: ModalSubmission, problems: Mapping[str, str]) -> Reply:
    return Reply(errors=field_errors(problems, sent.view), later=partial(_show_again, services, sent, problems))


async def _show_again(services: Services, sent: ModalSubmission, problems: Mapping[str, str]) -> None:
    """Show the form as it was sent, with its problems above it."""
    draft = await _read(services, sent)
    boxes = int(sent.view.private.get("boxes", 1))
    fresh = await _form(services, sent.view, draft, boxes, by=sent.user, problems=problems)
    await services.show(sent.view.id, fresh)


async def _redraw(services: Services, click: Click) -> None:
    """Show the inputs that the kind and the chosen settings need; typed text and kept secrets stay."""
    view = click.view
    draft = await _read(services, click)
    taken_away = click.action == TAKE_AWAY
    if taken_away:
        draft = replace(draft, sheet=None, columns_left_out=())
    if click.action == PUT_BACK:
        draft = replace(draft, left_out=())
    boxes = int(view.private.get("boxes", 1)) + (click.action == MORE)
    if click.action == SEVERAL:
        boxes = int(click.value)
    if view.callback == VALUES:
        kind = services.choices.by_name[draft.kind]
        fresh = values_form(services.choices.kinds, kind, draft, boxes=boxes)
    else:
        fresh = await _form(services, view, draft, boxes, by=click.user, taken_away=taken_away)
    await services.modals.redraw(view, fresh, at=click.at)


async def _form(
    services: Services,
    view: SentView,
    draft: Draft,
    boxes: int,
    *,
    by: str,
    taken_away: bool = False,
    problems: Mapping[str, str] = MappingProxyType({}),
) -> View:
    """Return the form that replaces ``view``."""
    source = view.private.get("source")
    return form(
        services.choices.kinds,
        services.choices.by_name[draft.kind],
        draft,
        origin=view.private.get("origin", ""),
        boxes=boxes,
        source=source,
        asked=await asked_of(services, source, by),
        turn=next_turn(view, taken_away=taken_away),
        problems=problems,
    )


async def _read(services: Services, act: Interaction) -> Draft:
    """Return the form's content and what it carries over: secrets, and parts left out with one click."""
    before = await _edited(services, act.view.private.get("source"), act.user)
    kept = {name: value for name, value in before.typed.items() if isinstance(value, Secret)}
    draft = read_form(act.view, services.choices.by_name, kept)
    return replace(
        draft,
        left_out=before.left_out if act.view.private.get("left_out") else (),
        columns_left_out=before.columns_left_out if draft.sheet and draft.sheet == before.sheet else (),
    )


async def _propose(services: Services, sent: ModalSubmission) -> int:
    """Write down the request and return its change; raises InputError with every problem at once."""
    draft = await _read(services, sent)
    return await services.requests.propose(
        await _checked(services, draft, sent.user, sheet_problems(sent.view)),
        requester=sent.user,
        origin=sent.view.private.get("origin", ""),
        view=sent.view.id,
        submission=sent.view.submission,
        source=sent.view.private.get("source"),
    )


async def _checked(services: Services, draft: Draft, user: str, found: Mapping[str, str]) -> Draft:
    """Return the draft of ``user``, secrets sealed; raises InputError with all problems, including ``found``."""
    problems: dict[str, str] = {**found}
    sealed = draft
    try:
        sealed = services.requests.seal(draft)
    except InputError as error:
        problems |= error.problems
        typed = {name: value for name, value in draft.typed.items() if name not in error.problems}
        sealed = services.requests.seal(replace(draft, typed=typed))
    try:
        sealed = await services.requests.in_zone_of(sealed, user)
    except InputError as error:
        problems |= error.problems
        sealed = replace(sealed, start="", until="")
    try:
        await services.requests.read(sealed)
    except InputError as error:
        problems = {**error.problems, **problems}
    if problems:
        raise InputError(problems)
    return sealed


async def _edited(services: Services, source: int | None, user: str) -> Draft:
    """Return the draft behind the edited plan, or an empty one; nobody gets another person's."""
    if source is None:
        return Draft(kind="")
    change = (await services.change_details.read(source)).change
    return change.draft if change.requester == user else Draft(kind="")
