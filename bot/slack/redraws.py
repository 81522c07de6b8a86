"""The order of redraws when somebody chooses faster than a form is redrawn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from weakref import WeakValueDictionary

from bot.slack.interactions import SentView

#: Most forms whose latest redraw is remembered.
MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class _Latest:
    """The last redraw of a form."""

    #: Slack's time of the click, in seconds.
    at: Decimal
    #: Slack's hash of the content shown since, and of the states that it replaced.
    hash: str
    replaced: frozenset[str]


class Redraws:
    """The latest redraw of each form.

    Two quick choices both report the form's state before them, and the second payload holds both choices. So its redraw
    may replace the first; a late first redraw replaces nothing.
    """

    def __init__(self) -> None:
        self._latest: dict[str, _Latest] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def redraw(self, view: SentView, at: str, show: Callable[[str], Awaitable[Mapping[str, Any]]]) -> None:
        """Have ``show`` redraw ``view`` for the click ``at`` Slack's time, unless there is a later redraw.

        ``show`` receives the hash of the state that it may replace, and returns Slack's answer. Its errors pass.
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
