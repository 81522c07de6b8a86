"""The form while it is filled in, and when it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.input.requests import REASON
from bot.changes.model.change import Draft
from bot.changes.model.values import Secret, Value
from bot.errors import InputError
from bot.slack.services import Services
from bot.slack.submissions import Reply, answer_submission
from bot.slack.views.answers import field_errors, full_boxes, read_form, read_private
from bot.slack.views.form import FORM, KIND, MORE, SEVERAL, form
from bot.slack.views.inputs import FILTERS
from bot.slack.views.preview import loading, planning
from bot.slack.views.sheet_field import TAKE_AWAY, next_turn, sheet_problems
from bot.slack.views.values import VALUES, values_form


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the form's selects and buttons, and to its submission."""

    async def reshape(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        # Not in the modal: a sentence in its place would take away what was typed.
        services.clicks.hand_over(_reshaped(services, body), services.to_person(body), "form redraw")

    async def submit(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _submit(services, ack, body)

    for action in (KIND, "settings", FILTERS, MORE, SEVERAL, TAKE_AWAY):
        app.block_action(action)(reshape)
    app.view_submission(FORM)(submit)


async def _reshaped(services: Services, body: dict[str, Any]) -> None:
    await _redraw(services, body["user"]["id"], body["view"], body["actions"][0])


async def _submit(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Take the request in; the plan comes into the modal through the outbox."""
    view = body["view"]

    def wrong(problems: Mapping[str, str]) -> Reply:
        return Reply(errors=field_errors(problems, view), later=partial(_show_again, services, body, problems))

    async def work() -> Reply:
        try:
            change = await _propose(services, body)
        except InputError as error:
            return wrong(error.problems)
        # Late, it goes through the outbox like the plan itself: whichever comes last shows the latest.
        return Reply(view=planning(change), later=partial(services.requests.show, change))

    await answer_submission(
        services,
        ack,
        body,
        work,
        refused=lambda text: wrong({REASON: text}),
        waiting=loading(),
        what="form submission",
    )


async def _show_again(services: Services, body: dict[str, Any], problems: Mapping[str, str]) -> None:
    """Show the form once more as it was sent, with what is wrong above it."""
    view = body["view"]
    private = read_private(view)
    kinds = {kind.name: kind for kind in services.choices.kinds}
    draft = read_form(view, kinds, await _kept_secrets(services, private, body["user"]["id"]))
    fresh = form(
        services.choices.kinds,
        kinds[draft.kind],
        draft,
        origin=private.get("origin", ""),
        boxes=int(private.get("boxes", 1)),
        source=private.get("source"),
        turn=next_turn(view, private, taken_away=False),
        problems=problems,
    )
    await services.show(view["id"], fresh)


async def _redraw(services: Services, user: str, view: dict[str, Any], pressed: Mapping[str, Any]) -> None:
    """Show the inputs that the kind and the chosen settings need; everything typed stays, and what was kept sealed."""
    action = pressed["action_id"]
    kinds = {kind.name: kind for kind in services.choices.kinds}
    private = read_private(view)
    draft = read_form(view, kinds, await _kept_secrets(services, private, user))
    if action == TAKE_AWAY:
        draft = replace(draft, sheet=None)
    boxes = int(private.get("boxes", 1)) + (action == MORE)
    if action == SEVERAL:
        boxes = int(pressed["selected_option"]["value"])
    if view["callback_id"] == VALUES:
        await services.modals.redraw(view, values_form(services.choices.kinds, kinds[draft.kind], draft, boxes=boxes))
        return
    fresh = form(
        services.choices.kinds,
        kinds[draft.kind],
        draft,
        origin=private.get("origin", ""),
        boxes=boxes,
        source=private.get("source"),
        turn=next_turn(view, private, taken_away=action == TAKE_AWAY),
    )
    await services.modals.redraw(view, fresh)


async def _propose(services: Services, body: dict[str, Any]) -> int:
    """Write the request down and return its change; raises InputError with every problem at once."""
    view = body["view"]
    private = read_private(view)
    kinds = {kind.name: kind for kind in services.choices.kinds}
    kept = await _kept_secrets(services, private, body["user"]["id"])
    draft = read_form(view, kinds, kept)
    return await services.requests.propose(
        await _checked(services, draft, body["user"]["id"], sheet_problems(view, private)),
        requester=body["user"]["id"],
        origin=private.get("origin", ""),
        view=view["id"],
        submission=f"{view['id']}:{view['hash']}",
        source=private.get("source"),
    )


async def _checked(services: Services, draft: Draft, user: str, found: Mapping[str, str]) -> Draft:
    """Return the draft of ``user``, secrets sealed; raises InputError with all problems, ``found`` among them."""
    problems: dict[str, str] = {**full_boxes(draft), **found}
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
        sealed = replace(sealed, start="")
    try:
        await services.requests.read(sealed)
    except InputError as error:
        problems = {**error.problems, **problems}
    if problems:
        raise InputError(problems)
    return sealed


async def _kept_secrets(services: Services, private: dict[str, Any], user: str) -> dict[str, Value]:
    """Return the sealed secrets of the plan that this form edits; nobody gets at somebody else's."""
    source = private.get("source")
    if source is None:
        return {}
    change = (await services.change_details.read(int(source))).change
    if change.requester != user:
        return {}
    return {name: value for name, value in change.draft.typed.items() if isinstance(value, Secret)}
