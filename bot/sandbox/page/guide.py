"""The guided first minute: three steps, each done when the stand-ins have seen it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.page.counts import approved_changes
from bot.sandbox.page.world import APPROVALS, StandIns
from bot.sandbox.slack.records import Json


class Guide:
    """The steps; ``numbers`` are those that the visitor is to paste."""

    def __init__(self, world: StandIns, numbers: Sequence[str]) -> None:
        self._slack = world.slack
        self._numbers = numbers

    def part(self) -> list[Json]:
        """Return the steps as the page is sent them."""
        opened = any(each.kind == "slash_command" and each.status == 200 for each in self._slack.deliveries)
        first, *_, last = self._numbers
        numbers = f"the {len(self._numbers)} numbers from {first} to {last}"
        steps = (
            ("As Ana, type /numbers update in #number-ops.", opened, "/numbers update"),
            (
                f"Paste {numbers}, choose a setting and its new value, press Preview, then Request approval.",
                bool(self._slack.messages(APPROVALS)),
                "\n".join(self._numbers),
            ),
            ("Approve as Max in #number-approvals.", bool(approved_changes(self._slack)), None),
        )
        return [{"text": text, "done": done, "copy": copy} for text, done, copy in steps]
