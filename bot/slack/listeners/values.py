"""Sheets to fill in: empty ones, and those with current values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bot.changes.input.targets import NUMBERS
from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.sheets import empty_sheet
from bot.errors import InputError
from bot.slack.command_text import first_word
from bot.slack.commands import COMMAND
from bot.slack.interactions import ModalSubmission, SlashCommand
from bot.slack.listeners.opening import allowed_kind, boxes_of, too_long
from bot.slack.registry import Registry, Reply
from bot.slack.services import Services
from bot.slack.views.answers import field_errors, read_form
from bot.slack.views.elements import code
from bot.slack.views.preview import loading
from bot.slack.views.problems import with_problems
from bot.slack.views.values import TITLE, VALUES, being_read, values_form


def register(registry: Registry) -> None:
    """Listen to the form that asks for current values."""
    registry.on_submit(VALUES, _ask, "values", refused=_refused, waiting=lambda _: loading())


async def open_values(services: Services, command: SlashCommand, text: str) -> bool:
    """Open the form and tell whether it opened; a kind and numbers may follow the command."""
    view = await services.open(command)
    word, rest = first_word(text)
    kind = _kind(services, word)
    pasted = boxes_of(rest if kind else text)
    chosen = await allowed_kind(services, command, view, kind=kind, typed=pasted, title=TITLE)
    if chosen is None:
        return False
    draft = Draft(kind=chosen.name, pasted=pasted)
    if await too_long(services, view, draft, typed=pasted, title=TITLE):
        return False
    await services.show(view, values_form(services.choices.kinds, chosen, draft))
    return True


async def send_empty_sheet(services: Services, command: SlashCommand, text: str) -> None:
    """Send an empty sheet for the kind that ``text`` names."""
    await services.authorization.read(command.user)
    kind = _kind(services, text)
    if kind is None:
        offered = ", ".join(f"`{COMMAND} sheet {each.command}`" for each in services.choices.kinds)
        said = f"Unknown kind of change {code(text, 80)}. " if text else "Name the kind of change. "
        await services.say(command, f"{said}Choose one: {offered}.")
        return
    beside = (
        f"An empty sheet for {kind.provider.title()}: {kind.title}. Put one number in each row, and values "
        f"where something should change. You can remove columns. Upload it with {COMMAND} {kind.command}."
    )
    await services.direct_messages.send(command.user, f"{kind.command}-sheet.csv", empty_sheet(kind), beside)
    await services.say(command, "The empty sheet is in your direct message with Linesman.")


def _kind(services: Services, text: str) -> Kind | None:
    """Return the kind called ``text``: by its command, its name or its title."""
    wanted = " ".join(text.split()).casefold()
    for kind in services.choices.kinds:
        if wanted in {kind.command.casefold(), kind.name.casefold(), kind.title.casefold()}:
            return kind
    return None


async def _ask(services: Services, sent: ModalSubmission) -> Reply:
    draft = read_form(sent.view, services.choices.by_name)
    try:
        await services.value_exports.ask(draft, by=sent.user, submission=sent.view.submission)
    except InputError as error:
        return _wrong(services, sent, error.problems)
    return Reply(view=being_read(services.choices.by_name[draft.kind].provider.title()))


def _refused(services: Services, sent: ModalSubmission, text: str) -> Reply:
    return _wrong(services, sent, {NUMBERS: text})


def _wrong(services: Services, sent: ModalSubmission, problems: Mapping[str, str]) -> Reply:
    return Reply(errors=field_errors(problems, sent.view), later=partial(_show_again, services, sent, problems))


async def _show_again(services: Services, sent: ModalSubmission, problems: Mapping[str, str]) -> None:
    """Show the form as it was sent, with its problems above it."""
    draft = read_form(sent.view, services.choices.by_name)
    boxes = int(sent.view.private.get("boxes", 1))
    fresh = values_form(services.choices.kinds, services.choices.by_name[draft.kind], draft, boxes=boxes)
    await services.show(sent.view.id, with_problems(fresh, problems.values()))
