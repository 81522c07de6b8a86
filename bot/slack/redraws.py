"""The order in which a form is redrawn when somebody chooses faster than it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from weakref import WeakValueDictionary

from bot.slack.interactions import SentView

#: Forms whose latest redrawing is remembered.
MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class _Latest:
    """What a form was redrawn to last."""

    #: Slack's time of the click, in seconds.
    at: Decimal
    #: Slack's hash of what is shown since, and of the states that it took the place of.
    hash: str
    replaced: frozenset[str]


class Redraws:
    """The latest redrawing of each form.

    Two choices in quick succession both tell of the same state of the form, and the second one of both. Its redrawing
    takes the place of the first one's; the first one's, if that is late, of nothing.
    """

    def __init__(self) -> None:
        self._latest: dict[str, _Latest] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def redraw(self, view: SentView, at: str, show: Callable[[str], Awaitable[Mapping[str, Any]]]) -> None:
        """Have ``show`` redraw ``view`` for the click ``at`` Slack's time, unless a later one's redrawing is there.

        ``show`` gets the hash of the state that it may replace, and returns Slack's answer. What it raises passes.
        """
        moment = Decimal(at or 0)
        async with self._turns.setdefault(view.id, asyncio.Lock()):
            latest = self._latest.get(view.id)
            if latest is None or view.hash not in latest.replaced:
                latest = _Latest(moment, view.hash, frozenset())
            elif moment <= latest.at:
                return
            answer = await show(latest.hash)
            shown = str((answer.get("view") or {}).get("hash") or "")
            self._latest.pop(view.id, None)
            self._latest[view.id] = _Latest(moment, shown, latest.replaced | {view.hash, latest.hash})
            if len(self._latest) > MOST:
                del self._latest[next(iter(self._latest))]
