"""The Home tab."""

from __future__ import annotations

from bot.slack.listeners.opening import open_form
from bot.slack.registry import Registry
from bot.slack.views.home import START


def register(registry: Registry) -> None:
    """Listen to people opening the Home tab, and to its button; the buttons of requests are those of the cards."""
    registry.on_home_opened(lambda services, user: services.home_publisher.opened(user))
    registry.on_click(START, open_form, "new change from home")
