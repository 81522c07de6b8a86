"""Sheets to fill in: empty ones, and those with today's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.drafts import NUMBERS
from bot.changes.kinds import Kind
from bot.changes.records import Draft
from bot.changes.sheets import template
from bot.errors import InputError, NotAllowed
from bot.slack.front import Front
from bot.slack.listeners.opening import boxes_of
from bot.slack.manifest import COMMAND
from bot.slack.submissions import Reply, answer_submission
from bot.slack.views.answers import field_errors, full_boxes, read_form, read_private
from bot.slack.views.elements import code, escape
from bot.slack.views.preview import loading, notice
from bot.slack.views.problems import with_problems
from bot.slack.views.values import TITLE, VALUES, being_read, values_form


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the form that asks for today's values."""

    async def submit(ack: AsyncAck, body: dict[str, Any]) -> None:
        def wrong(problems: Mapping[str, str]) -> Reply:
            later = partial(_show_again, front, body, problems)
            return Reply(errors=field_errors(problems, body["view"]), later=later)

        await answer_submission(
            front,
            ack,
            body,
            partial(_ask, front, body, wrong),
            refused=lambda text: wrong({NUMBERS: text}),
            waiting=loading(),
            what="values",
        )

    app.view_submission(VALUES)(submit)


async def open_values(front: Front, body: dict[str, Any], text: str) -> None:
    """Open the form; a kind and numbers may follow the command."""
    view = await front.open(body["trigger_id"], loading())
    word, _, rest = text.partition(" ")
    kind = _kind(front, word)
    chosen, numbers = (kind, rest) if kind else (front.choices.kinds[0], text)
    try:
        await front.authority.start(body["user_id"], chosen.name, fresh=False)
    except NotAllowed as error:
        await front.show(view, notice(f"🚫 {escape(error.message)}", title=TITLE))
        return
    draft = Draft(kind=chosen.name, pasted=boxes_of(numbers))
    await front.show(view, values_form(front.choices.kinds, chosen, draft))


async def send_template(front: Front, body: dict[str, Any], text: str) -> None:
    """Send an empty sheet for the kind that ``text`` names."""
    await front.authority.read(body["user_id"])
    kind = _kind(front, text)
    if kind is None:
        offered = ", ".join(f"`{COMMAND} template {each.command}`" for each in front.choices.kinds)
        said = f"There is no kind of change called {code(text, 80)}. " if text else "Say what the sheet is for. "
        await front.say(body, f"{said}There are: {offered}.")
        return
    beside = (
        f"An empty sheet for {kind.provider.title()}: {kind.title}. Put a number into each row, and values where "
        f"something is to change; columns may be removed. Upload it with {COMMAND} {kind.command}."
    )
    await front.mail.send(body["user_id"], f"{kind.command}-template.csv", template(kind), beside)
    await front.say(body, "The empty sheet is in your direct message with Linesman.")


def _kind(front: Front, text: str) -> Kind | None:
    """Return the kind that people call ``text``: by its command, its name or its title."""
    wanted = " ".join(text.split()).casefold()
    for kind in front.choices.kinds:
        if wanted in {kind.command.casefold(), kind.name.casefold(), kind.title.casefold()}:
            return kind
    return None


async def _ask(front: Front, body: dict[str, Any], wrong: Callable[[Mapping[str, str]], Reply]) -> Reply:
    view = body["view"]
    kinds = {kind.name: kind for kind in front.choices.kinds}
    draft = read_form(view, kinds)
    if full := full_boxes(draft):
        return wrong(full)
    try:
        await front.inquiries.ask(draft, by=body["user"]["id"], submission=f"{view['id']}:{view['hash']}")
    except InputError as error:
        return wrong(error.problems)
    return Reply(view=being_read(kinds[draft.kind].provider.title()))


async def _show_again(front: Front, body: dict[str, Any], problems: Mapping[str, str]) -> None:
    """Show the form once more as it was sent, with what is wrong above it."""
    view = body["view"]
    kinds = {kind.name: kind for kind in front.choices.kinds}
    draft = read_form(view, kinds)
    boxes = int(read_private(view).get("boxes", 1))
    fresh = values_form(front.choices.kinds, kinds[draft.kind], draft, boxes=boxes)
    await front.show(view["id"], with_problems(fresh, problems.values()))
