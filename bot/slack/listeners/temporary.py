"""Ending and extending temporary changes: the card's buttons, the modal for the new end, and the commands."""

from __future__ import annotations

from bot.changes.input.times import UNTIL, end_time
from bot.changes.model.public_ids import named_first, public_id, read_public_id
from bot.errors import InputError, LinesmanError
from bot.slack.commands import COMMAND
from bot.slack.interactions import Click, ModalSubmission, SlashCommand
from bot.slack.registry import Registry, Reply
from bot.slack.services import Services
from bot.slack.views.elements import escape
from bot.slack.views.preview import notice, waiting
from bot.slack.views.temporary import END_NOW, EXTEND, EXTENSION, TITLE, extension_form


def register(registry: Registry) -> None:
    """Listen to the buttons, and to the modal."""
    registry.on_click(END_NOW, _pressed_end, "end now", before_ack=True)
    registry.on_click(EXTEND, _ask_until, "extend")
    registry.on_submit(
        EXTENSION, _submit, "extension", refused=_refused, waiting=lambda _: waiting("Requesting…", title=TITLE)
    )


async def _pressed_end(services: Services, click: Click) -> None:
    said = await services.change_end.end_now(int(click.value), by=click.user)
    await services.say(click, escape(said))


async def end_named(services: Services, command: SlashCommand, text: str) -> None:
    """Answer ``/numbers end CHG-42``."""
    change = read_public_id(text)
    if change is None:
        await services.say(command, f"Name the change: `{COMMAND} end CHG-42`.")
        return
    await services.say(command, escape(await services.change_end.end_now(change, by=command.user)))


async def extend_named(services: Services, command: SlashCommand, text: str) -> None:
    """Answer ``/numbers extend CHG-42 until Tue 08:00``."""
    change, until = named_first(text)
    if change is None or not end_time(until):
        await services.say(command, f"Name the change, and its new end: `{COMMAND} extend CHG-42 until Tue 08:00`.")
        return
    submission = f"{command.trigger}:extend"
    said = await services.extensions.ask(change, until, by=command.user, submission=submission)
    await services.say(command, escape(said))


async def _ask_until(services: Services, click: Click) -> None:
    """Show the modal that asks for the new end."""
    view = await services.open(click)
    try:
        details, _ = await services.change_details.shown(int(click.value), by=click.user)
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}", title=TITLE))
        return
    await services.show(view, extension_form(details.change))


async def _submit(services: Services, sent: ModalSubmission) -> Reply:
    change = int(sent.view.metadata)
    try:
        said = await services.extensions.ask(
            change, sent.view.typed(UNTIL), by=sent.user, submission=sent.view.submission
        )
    except InputError as error:
        return Reply(errors=dict(error.problems))
    return Reply(view=notice(escape(said), title=TITLE))


def _refused(_: Services, sent: ModalSubmission, text: str) -> Reply:
    return Reply(view=notice(f"🚫 {public_id(int(sent.view.metadata))}: {escape(text)}", title=TITLE))
