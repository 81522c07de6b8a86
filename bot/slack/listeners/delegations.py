"""``/numbers delegate``: lending the right to approve, the list of delegations, and the button that ends one."""

from __future__ import annotations

from bot.changes.input.delegations import DelegationEnd, DelegationRequest, read_delegation
from bot.errors import NotAuthorized
from bot.slack.interactions import Click, Interaction, SlashCommand
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.delegations import END, PAGES, delegation_list, ended_text, ends, lent_text


def register(registry: Registry) -> None:
    """Listen to the buttons of the list."""
    registry.on_click(END, _end, "end delegation")
    for way in ("previous", "next"):
        registry.on_click(f"{PAGES}_{way}", _turn, "delegations page")


async def delegate(services: Services, command: SlashCommand, text: str) -> None:
    """Answer ``/numbers delegate``, alone, with a person and an end, or with ``end`` and a person."""
    match read_delegation(text):
        case None:
            await _show(services, command)
        case DelegationEnd(delegate=user):
            lent = await services.delegation_control.lent_to(user, by=command.user)
            ended = await services.delegation_control.end(lent.id, by=command.user)
            await services.say(command, ended_text(ended, command.user))
        case DelegationRequest() as asked:
            lent = await services.delegation_control.lend(asked, by=command.user)
            await services.say(command, lent_text(lent))


async def _end(services: Services, click: Click) -> None:
    delegation, skipped = ends(click.value)
    ended = await services.delegation_control.end(delegation, by=click.user)
    first = ended_text(ended, click.user)
    try:
        await _show(services, click, first=first, skipped=skipped, replace=True)
    except NotAuthorized:  # the former delegate may no longer view
        await services.say(click, first, replace=True)


async def _turn(services: Services, click: Click) -> None:
    await _show(services, click, skipped=int(click.value), replace=True)


async def _show(
    services: Services, act: Interaction, *, first: str = "", skipped: int = 0, replace: bool = False
) -> None:
    delegations, everybodys = await services.delegation_control.listed(by=act.user)
    shown = delegation_list(delegations, act.user, everybodys=everybodys, first=first, skipped=skipped)
    await services.say(act, *shown, replace=replace)
