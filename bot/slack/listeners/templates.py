"""Templates: saving a change as one, listing, running and deleting them."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.input.templates import NAME, Template
from bot.errors import InputError, LinesmanError, NotFound
from bot.slack.command_text import unquoted
from bot.slack.commands import COMMAND
from bot.slack.listeners.opening import fill_form
from bot.slack.message_text import named
from bot.slack.services import Services
from bot.slack.submissions import Reply, answer_submission
from bot.slack.views.answers import read_private
from bot.slack.views.elements import View, code, escape
from bot.slack.views.inputs import ways_to_filter
from bot.slack.views.preview import loading, notice, waiting
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
    shelf,
)
from bot.workflow.planning.templates import NameTaken


def register(app: AsyncApp, services: Services) -> None:
    """Listen to "Save as template", to the modal that asks for a name, and to the buttons of the list."""

    async def keep(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_ask_name(services, body), services.to_person(body), "save as template")

    async def save(ack: AsyncAck, body: dict[str, Any]) -> None:
        await _save(services, ack, body)

    async def run(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_run(services, body), services.to_person(body), "run template")

    async def delete(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_delete(services, body), services.to_person(body), "delete template")

    async def turn(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_turn(services, body), services.to_person(body), "templates page")

    app.block_action(KEEP)(keep)
    app.view_submission(SAVE)(save)
    app.block_action(RUN)(run)
    app.block_action(DELETE)(delete)
    for way in (EARLIER, LATER):
        app.block_action(way)(turn)


async def show_templates(services: Services, body: dict[str, Any], text: str) -> None:
    """Answer ``/numbers templates``; with something after it, say where that belongs."""
    if text:
        await services.say(
            body, f"`{COMMAND} templates` takes no arguments; `{COMMAND} run {escape(text[:60])}` opens one."
        )
        return
    await _show(services, body)


async def run_named(services: Services, body: dict[str, Any], name: str) -> None:
    """Answer ``/numbers run NAME``: open the form with what the template holds."""
    if not name:
        await services.say(body, f"Name the template: `{COMMAND} run NAME`. `{COMMAND} templates` lists them.")
        return
    try:
        template = await services.templates.named(named(name), by=body["user_id"])
    except NotFound:
        template = await services.templates.named(unquoted(named(name)), by=body["user_id"])
    await _open(services, template, user=body["user_id"], trigger=body["trigger_id"], origin=body["channel_id"])


async def _run(services: Services, body: dict[str, Any]) -> None:
    template, _ = read_value(body["actions"][0]["value"])
    origin = (body.get("channel") or {}).get("id", "")
    found = await services.templates.get(template, by=body["user"]["id"])
    await _open(services, found, user=body["user"]["id"], trigger=body["trigger_id"], origin=origin)


async def _open(services: Services, template: Template, *, user: str, trigger: str, origin: str) -> None:
    kind = services.templates.kind(template)
    draft, notes = services.templates.fitted(template, ways_to_filter(kind) if kind else ())
    view = await services.open(trigger, loading())
    await fill_form(services, view, user=user, origin=origin, kind=kind, draft=draft, notes=[escape(n) for n in notes])


async def _ask_name(services: Services, body: dict[str, Any]) -> None:
    """Open the modal at once, for its trigger lives three seconds, and say in it what would be kept, or why not."""
    change = int(body["actions"][0]["value"])
    view = await services.reveal(body, loading())
    try:
        keeping = await services.templates.look(change, by=body["user"]["id"])
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}", title=TITLE))
        return
    await services.show(view, naming(change, keeping))


async def _save(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    async def work() -> Reply:
        try:
            return Reply(view=await _saved(services, body))
        except InputError as error:
            if "name" in read_private(body["view"]):  # nothing to type into is shown any more
                return refused(error.message)
            return Reply(errors={NAME: error.message})

    def refused(text: str) -> Reply:
        return Reply(view=notice(f"🚫 {escape(text)}", title=TITLE))

    await answer_submission(
        services, ack, body, work, refused=refused, waiting=waiting("Saving…", title=TITLE), what="template"
    )


async def _saved(services: Services, body: dict[str, Any]) -> View:
    view = body["view"]
    private = read_private(view)
    typed = private.get("name") or view["state"]["values"][NAME][NAME]["value"] or ""
    result = await services.templates.save(
        int(private["change"]),
        typed,
        by=body["user"]["id"],
        submission=f"{view['id']}:{view['hash']}",
        replacing=private.get("replacing"),
    )
    if isinstance(result, NameTaken):
        return replacing(int(private["change"]), typed, result.template)
    return notice(saved(result), title=TITLE)


async def _delete(services: Services, body: dict[str, Any]) -> None:
    template, version = read_value(body["actions"][0]["value"])
    gone = await services.templates.delete(template, version, by=body["user"]["id"])
    await _show(services, body, first=f"🗑️ {code(gone.name)} is deleted.", replace=True)


async def _turn(services: Services, body: dict[str, Any]) -> None:
    action = body["actions"][0]
    side = "before" if action["action_id"] == EARLIER else "after"
    await _show(services, body, replace=True, **{side: action["value"]})


async def _show(
    services: Services,
    body: dict[str, Any],
    *,
    first: str = "",
    replace: bool = False,
    after: str = "",
    before: str = "",
) -> None:
    by = body["user_id"] if "user_id" in body else body["user"]["id"]
    page = await services.templates.shelf(by=by, after=after, before=before)
    kinds = {kind.name: kind for kind in services.choices.kinds}
    await services.say(body, *shelf(page, kinds, first), replace=replace)
