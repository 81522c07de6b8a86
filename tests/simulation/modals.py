"""Whether anybody sits before a modal that loads for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import View

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Within which time whoever clicks is answered.
ANSWERED: Final = timedelta(seconds=60)
#: How Slack asks to wait with a method, and for how long at the most.
LIMITED: Final = "ratelimited"
LONGEST: Final = timedelta(seconds=90)


class Modals:
    """Judges the modals of one world that are open at its end."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: States of modals that loaded when their process was killed: a dead one fills none, and they say so.
        self._left: set[tuple[str, str]] = set()

    def spoilt(self, before: int) -> bool:
        """Tell whether Slack has failed since so many calls, or had asked then to wait."""
        calls = self._world.slack.calls
        failed = [call for call in calls if call.spoilt and call.error is not None]
        if any(call in failed for call in calls[before:]):
            return True
        since = self._world.nature.now() - LONGEST - ANSWERED
        return any(call.error == LIMITED and call.at > since for call in failed)

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
        """Tell whether Slack itself failed when it was last to be filled; what came of it is said elsewhere then."""
        updates = [call for call in self._world.slack.calls if call.method == "views.update"]
        tries = [call for call in updates if call.params.get("view_id") == view.id]
        if not tries:  # not even tried, because Slack had asked to wait
            return any(call.spoilt and call.error == LIMITED for call in updates)
        return tries[-1].error is not None and tries[-1].spoilt

    def _open(self) -> Iterator[tuple[str, View]]:
        for person, stack in self._world.slack.workspace.views.stacks.items():
            for view in stack:
                yield person, view
