"""The buttons of a change's card and of its history, and the equivalent commands."""

from __future__ import annotations

from bot.changes.model.draft import FollowUp
from bot.changes.model.public_ids import read_public_id
from bot.errors import LinesmanError
from bot.slack.commands import COMMAND
from bot.slack.interactions import Click, Interaction, SlashCommand
from bot.slack.listeners.opening import allowed_kind, asked_of
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.card import RETRY, UNDO
from bot.slack.views.elements import escape
from bot.slack.views.form import form
from bot.slack.views.lines import WORKBOOK
from bot.slack.views.preview import notice
from bot.slack.views.revisions import REVISE
from bot.slack.views.rollout import CONTINUE, STOP, read_place

_ACTIONS = {RETRY: FollowUp.RETRY, UNDO: FollowUp.UNDO}


def register(registry: Registry) -> None:
    """Listen to the buttons."""
    registry.on_click(CONTINUE, _continue, "continue rollout", before_ack=True)
    registry.on_click(STOP, _stop, "stop here", before_ack=True)
    registry.on_click(WORKBOOK, _workbook, "workbook")
    registry.on_click(REVISE, _revise, "edit")
    for action in _ACTIONS:
        registry.on_click(action, _pressed, "follow")


async def _continue(services: Services, click: Click) -> None:
    change, wave = read_place(click.value)
    said = await services.rollout.continue_rollout(change, wave, by=click.user)
    await services.say(click, escape(said))


async def _stop(services: Services, click: Click) -> None:
    said = await services.cancellation.cancel(read_place(click.value)[0], by=click.user)
    await services.say(click, escape(said))


async def _revise(services: Services, click: Click) -> None:
    """Show the form of the plan to which changes were requested, with those changes above it."""
    view = await services.open(click)
    change_id = int(click.value)
    try:
        await services.requests.revisable(change_id, by=click.user)
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    shown = await services.change_details.read(change_id)
    change = shown.change
    if await allowed_kind(services, click, view, kind=shown.kind, typed=()) is None:
        return
    asked = await asked_of(services, change.id, click.user)
    kinds = services.choices.kinds
    await services.show(
        view, form(kinds, shown.kind, change.draft, origin=change.origin, source=change.id, asked=asked)
    )


async def _workbook(services: Services, click: Click) -> None:
    said = await services.results_export.workbook(int(click.value), by=click.user)
    await services.say(click, escape(said))


async def follow_named(services: Services, command: SlashCommand, what: FollowUp, text: str) -> None:
    """Answer a command that names a change."""
    change = read_public_id(text)
    if change is None:
        await services.say(command, f"Name the change: `{COMMAND} {what.value} CHG-42`.")
        return
    await _follow(services, command, change, what)


async def _pressed(services: Services, click: Click) -> None:
    await _follow(services, click, int(click.value), _ACTIONS[click.action])


async def _follow(services: Services, act: Interaction, change: int, what: FollowUp) -> None:
    """Show the form with the failed numbers, or the plan that undoes the change."""
    view = await services.open(act)
    try:
        draft = await services.follow_ups.draft(change, what, by=act.user)
        origin = (await services.change_details.read(change)).change.origin
        if what is FollowUp.RETRY:
            kind = services.choices.by_name[draft.kind]
            await services.show(view, form(services.choices.kinds, kind, draft, origin=origin, source=change))
            return
        fresh = await services.requests.propose(
            draft, requester=act.user, origin=origin, view=view, submission=f"{view}:undo"
        )
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await services.requests.show(fresh)  # not here: the outbox may have shown the plan already
