"""Trigger ids: each opens one modal, once, within three seconds of being sent (docs.slack.dev/surfaces/modals)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from bot.sandbox.slack.refusal import Refusal


@dataclass(kw_only=True, eq=False)
class Trigger:
    """A permission to show one view to one person."""

    id: str
    user: str
    #: monotonic seconds
    sent: float
    #: root view id when the interaction happened inside a modal, else None
    root_view: str | None
    used: bool = False


class Triggers:
    """Every trigger id that was handed out."""

    def __init__(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._known: dict[str, Trigger] = {}

    def issue(self, user: str, root_view: str | None = None) -> str:
        """Return a fresh trigger id; its clock starts now."""
        trigger = Trigger(
            id=f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**9)}.{secrets.token_hex(16)}",
            user=user,
            sent=time.monotonic(),
            root_view=root_view,
        )
        self._known[trigger.id] = trigger
        return trigger.id

    def check(self, trigger_id: str) -> Trigger:
        """Return the trigger without using it up; raises Refusal as Slack does."""
        trigger = self._known.get(trigger_id)
        if trigger is None:
            raise Refusal("invalid_trigger_id")
        if trigger.used:
            raise Refusal("exchanged_trigger_id")
        if time.monotonic() - trigger.sent > self._lifetime:
            raise Refusal("expired_trigger_id")
        return trigger
