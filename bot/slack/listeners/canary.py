"""Continue rollout, and Stop here, on the card of a change that is paused after its canary."""

from __future__ import annotations

from bot.slack.interactions import Click
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.canary import CONTINUE, STOP
from bot.slack.views.elements import escape


def register(registry: Registry) -> None:
    """Listen to the buttons of a paused change."""
    registry.on_click(CONTINUE, _continue, "continue rollout", before_ack=True)
    registry.on_click(STOP, _stop, "stop here", before_ack=True)


async def _continue(services: Services, click: Click) -> None:
    said = await services.canary.continue_rollout(int(click.value), by=click.user)
    await services.say(click, escape(said))


async def _stop(services: Services, click: Click) -> None:
    said = await services.cancellation.cancel(int(click.value), by=click.user)
    await services.say(click, escape(said))
