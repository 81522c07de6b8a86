"""Templates: saving a change as one, listing, running and deleting them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.changes.input.templates import NAME, Template
from bot.errors import InputError, LinesmanError, NotFound
from bot.slack.command_text import unquoted
from bot.slack.commands import COMMAND
from bot.slack.interactions import Click, Interaction, ModalSubmission, SlashCommand
from bot.slack.listeners.opening import fill_form
from bot.slack.message_text import named
from bot.slack.registry import Registry, Reply
from bot.slack.services import Services
from bot.slack.views.elements import View, code, escape
from bot.slack.views.inputs import ways_to_filter
from bot.slack.views.preview import notice, waiting
from bot.slack.views.templates import (
    DELETE,
    EARLIER,
    KEEP,
    LATER,
    RUN,
    SAVE,
    TITLE,
    naming,
    read_value,
    replacing,
    saved,
    template_list,
)
from bot.workflow.planning.templates import NameTaken


def register(registry: Registry) -> None:
    """Listen to "Save as template", to the modal that asks for a name, and to the buttons of the list."""
    registry.on_click(KEEP, _ask_name, "save as template")
    registry.on_submit(SAVE, _save, "template", refused=_refused, waiting=lambda _: waiting("Saving…", title=TITLE))
    registry.on_click(RUN, _run, "run template")
    registry.on_click(DELETE, _delete, "delete template")
    for way in (EARLIER, LATER):
        registry.on_click(way, _turn, "templates page")


async def show_templates(services: Services, command: SlashCommand, text: str) -> None:
    """Answer ``/numbers templates``; if there is text after it, say where that belongs."""
    if text:
        await services.say(
            command, f"`{COMMAND} templates` takes no arguments; `{COMMAND} run {escape(text[:60])}` opens one."
        )
        return
    await _show(services, command)


async def run_named(services: Services, command: SlashCommand, name: str) -> None:
    """Answer ``/numbers run NAME``: open the form with the content of the template."""
    if not name:
        await services.say(command, f"Name the template: `{COMMAND} run NAME`. `{COMMAND} templates` lists them.")
        return
    await _open(services, command, lambda: _by_name(services, command, named(name)))


async def _by_name(services: Services, command: SlashCommand, name: str) -> Template:
    try:
        return await services.templates.named(name, by=command.user)
    except NotFound:
        return await services.templates.named(unquoted(name), by=command.user)


async def _run(services: Services, click: Click) -> None:
    template, _ = read_value(click.value)
    await _open(services, click, lambda: services.templates.get(template, by=click.user))


async def _open(services: Services, act: Interaction, read: Callable[[], Awaitable[Template]]) -> None:
    """Open the form with the template from ``read``, or with the reason why there is none.

    A trigger is valid for three seconds, and asking Slack for the person's rights can take longer, so the modal opens
    first.
    """
    view = await services.open(act)
    try:
        template = await read()
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    kind = services.templates.kind(template)
    draft, notes = services.templates.fitted(template, ways_to_filter(kind) if kind else ())
    await fill_form(services, act, view, kind=kind, draft=draft, notes=[escape(n) for n in notes])


async def _ask_name(services: Services, click: Click) -> None:
    """Open the modal at once, as its trigger is valid for three seconds; then show what would be kept, or why not."""
    change = int(click.value)
    view = await services.reveal(click)
    try:
        keeping = await services.templates.preview(change, by=click.user)
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}", title=TITLE))
        return
    await services.show(view, naming(change, keeping))


async def _save(services: Services, sent: ModalSubmission) -> Reply:
    try:
        return Reply(view=await _saved(services, sent))
    except InputError as error:
        if "name" in sent.view.private:  # the modal no longer has an input
            return _refused(services, sent, error.message)
        return Reply(errors={NAME: error.message})


def _refused(_: Services, __: ModalSubmission, text: str) -> Reply:
    return Reply(view=notice(f"🚫 {escape(text)}", title=TITLE))


async def _saved(services: Services, sent: ModalSubmission) -> View:
    private = sent.view.private
    change, typed = int(private["change"]), private.get("name") or sent.view.typed(NAME)
    result = await services.templates.save(
        change, typed, by=sent.user, submission=sent.view.submission, replacing=private.get("replacing")
    )
    if isinstance(result, NameTaken):
        return replacing(change, typed, result.template)
    return notice(saved(result), title=TITLE)


async def _delete(services: Services, click: Click) -> None:
    template, version = read_value(click.value)
    gone = await services.templates.delete(template, version, by=click.user)
    await _show(services, click, first=f"🗑️ {code(gone.name)} is deleted.", replace=True)


async def _turn(services: Services, click: Click) -> None:
    side = "before" if click.action == EARLIER else "after"
    await _show(services, click, replace=True, **{side: click.value})


async def _show(
    services: Services,
    act: Interaction,
    *,
    first: str = "",
    replace: bool = False,
    after: str = "",
    before: str = "",
) -> None:
    page = await services.templates.page(by=act.user, after=after, before=before)
    await services.say(act, *template_list(page, services.choices.by_name, first), replace=replace)
