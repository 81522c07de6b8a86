"""Whether anybody sits before a modal that loads for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.sandbox.slack import View

if TYPE_CHECKING:
    from tests.simulation.world import World


class Modals:
    """Judges the modals of one world that are open at its end."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: States of modals that loaded when their process was killed: a dead one fills none, and they say so.
        self._left: set[tuple[str, str]] = set()

    def killed(self) -> None:
        """Note what loads at the moment at which the process is killed."""
        self._left |= {(view.id, view.hash) for _, view in self._open() if view.callback_id == "loading"}

    def end(self) -> None:
        """Want no modal to load, or to be planned in, any more."""
        for person, view in self._open():
            planning = not view.content.get("submit") and not any(each["type"] == "actions" for each in view.blocks)
            loading = view.callback_id == "loading" and (view.id, view.hash) not in self._left
            if (view.callback_id == "preview" and planning) or (loading and not self._refused(view)):
                self._world.judge.wrong(f"{person} sits before {view.title!r}: {view.blocks}")

    def _refused(self, view: View) -> bool:
        """Tell whether Slack has failed while a modal was to be filled; then it is said elsewhere what came of it."""
        return any(
            call.method == "views.update" and call.error is not None and call.params.get("view_id") == view.id
            for call in self._world.slack.calls
        )

    def _open(self) -> Iterator[tuple[str, View]]:
        for person, stack in self._world.slack.workspace.views.stacks.items():
            for view in stack:
                yield person, view
