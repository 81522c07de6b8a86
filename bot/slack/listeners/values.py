"""Sheets to fill in: empty ones, and those with current values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.input.requests import NUMBERS
from bot.changes.model.change import Draft
from bot.changes.model.kinds import Kind
from bot.changes.sheets import template
from bot.errors import InputError, NotAuthorized
from bot.slack.command_text import first_word
from bot.slack.commands import COMMAND
from bot.slack.listeners.opening import boxes_of
from bot.slack.services import Services
from bot.slack.submissions import Reply, answer_submission
from bot.slack.views.answers import field_errors, full_boxes, read_form, read_private
from bot.slack.views.elements import code, escape
from bot.slack.views.preview import loading, notice
from bot.slack.views.problems import with_problems
from bot.slack.views.values import TITLE, VALUES, being_read, values_form


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the form that asks for current values."""

    async def submit(ack: AsyncAck, body: dict[str, Any]) -> None:
        def wrong(problems: Mapping[str, str]) -> Reply:
            later = partial(_show_again, services, body, problems)
            return Reply(errors=field_errors(problems, body["view"]), later=later)

        await answer_submission(
            services,
            ack,
            body,
            partial(_ask, services, body, wrong),
            refused=lambda text: wrong({NUMBERS: text}),
            waiting=loading(),
            what="values",
        )

    app.view_submission(VALUES)(submit)


async def open_values(services: Services, body: dict[str, Any], text: str) -> None:
    """Open the form; a kind and numbers may follow the command."""
    view = await services.open(body["trigger_id"], loading())
    word, rest = first_word(text)
    kind = _kind(services, word)
    chosen, numbers = (kind, rest) if kind else (services.choices.kinds[0], text)
    try:
        await services.authorization.start(body["user_id"], chosen.name, fresh=False)
    except NotAuthorized as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}", title=TITLE))
        return
    draft = Draft(kind=chosen.name, pasted=boxes_of(numbers))
    await services.show(view, values_form(services.choices.kinds, chosen, draft))


async def send_template(services: Services, body: dict[str, Any], text: str) -> None:
    """Send an empty sheet for the kind that ``text`` names."""
    await services.authorization.read(body["user_id"])
    kind = _kind(services, text)
    if kind is None:
        offered = ", ".join(f"`{COMMAND} template {each.command}`" for each in services.choices.kinds)
        said = f"There is no kind of change called {code(text, 80)}. " if text else "Say what the sheet is for. "
        await services.say(body, f"{said}There are: {offered}.")
        return
    beside = (
        f"An empty sheet for {kind.provider.title()}: {kind.title}. Put one number in each row, and values "
        f"where something should change. You can remove columns. Upload it with {COMMAND} {kind.command}."
    )
    await services.direct_messages.send(body["user_id"], f"{kind.command}-template.csv", template(kind), beside)
    await services.say(body, "The empty sheet is in your direct message with Linesman.")


def _kind(services: Services, text: str) -> Kind | None:
    """Return the kind that people call ``text``: by its command, its name or its title."""
    wanted = " ".join(text.split()).casefold()
    for kind in services.choices.kinds:
        if wanted in {kind.command.casefold(), kind.name.casefold(), kind.title.casefold()}:
            return kind
    return None


async def _ask(services: Services, body: dict[str, Any], wrong: Callable[[Mapping[str, str]], Reply]) -> Reply:
    view = body["view"]
    kinds = {kind.name: kind for kind in services.choices.kinds}
    draft = read_form(view, kinds)
    if full := full_boxes(draft):
        return wrong(full)
    try:
        await services.value_exports.ask(draft, by=body["user"]["id"], submission=f"{view['id']}:{view['hash']}")
    except InputError as error:
        return wrong(error.problems)
    return Reply(view=being_read(kinds[draft.kind].provider.title()))


async def _show_again(services: Services, body: dict[str, Any], problems: Mapping[str, str]) -> None:
    """Show the form once more as it was sent, with what is wrong above it."""
    view = body["view"]
    kinds = {kind.name: kind for kind in services.choices.kinds}
    draft = read_form(view, kinds)
    boxes = int(read_private(view).get("boxes", 1))
    fresh = values_form(services.choices.kinds, kinds[draft.kind], draft, boxes=boxes)
    await services.show(view["id"], with_problems(fresh, problems.values()))
