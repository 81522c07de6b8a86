"""Home tabs that are being looked at, kept up to date.

Slack says when somebody opens their Home tab and never when they leave, so a tab counts as looked at for an hour.
Who looks is in memory: after a restart Slack asks again when the tab is opened next, and its buttons work meanwhile.

views.publish allows 100 calls a minute in a workspace (Slack tier 4, API.md, "Rate limits"). A change of something is
therefore not told to everybody at once: every tab is published at most once in :data:`PAUSE`, the one that has waited
longest first, at most one each :data:`STEP`, and only when it would show something else. However many changes there
were meanwhile, the tab shows the state of the moment.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import DeliveryPostponed, DeliveryRefused, DeliveryUnknown, LinesmanError
from bot.slack.views.home import home
from bot.slack.web_api import call
from bot.workflow.context import Wakeup
from bot.workflow.ports import Clock
from bot.workflow.queries.home import HomeTab

log = structlog.get_logger(__name__)

#: How long after it was opened a tab is kept up to date.
WATCHED: Final = timedelta(hours=1)
#: Least pause between two publications of one tab.
PAUSE: Final = timedelta(seconds=10)
#: Least pause between two publications of any tabs: 60 a minute leave room for those that are being opened.
STEP: Final = timedelta(seconds=1)
#: Seconds between two looks whether anything changed, when nobody rings; other replicas change things too.
IDLE: Final = 5.0
#: Seconds between two looks at the least, however often somebody rings.
BREATH: Final = 0.1
#: Most tabs that are watched; whoever opens theirs beyond that sees it as it was when they opened it.
ROOM: Final = 2000


@dataclass(slots=True)
class _Tab:
    """One person's Home tab."""

    opened_at: datetime
    #: When it was last published, or was looked at and would have shown the same.
    fresh_at: datetime
    #: The mark of the state that it shows; see :meth:`bot.workflow.queries.home.HomeTab.mark`.
    mark: int = -1
    #: A hash over what it shows, and Slack's own hash of it.
    shown: str = ""
    hash: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class HomePublisher:
    """Publishes Home tabs, when they are opened and when what they show has changed."""

    def __init__(self, client: AsyncWebClient, overview: HomeTab, wakeup: Wakeup, clock: Clock) -> None:
        self._client = client
        self._overview = overview
        self._wakeup = wakeup
        self._clock = clock
        self._tabs: dict[str, _Tab] = {}

    async def opened(self, user: str) -> None:
        """Publish the tab of ``user``, and keep it up to date from now on."""
        now = self._clock()
        tab = self._tabs.get(user) or _Tab(opened_at=now, fresh_at=now)
        tab.opened_at = now
        if user in self._tabs or len(self._tabs) < ROOM:
            self._tabs[user] = tab
        await self._publish(user, tab, anew=True)
        self._wakeup.ring()

    async def refresh(self) -> float:
        """Wait until something may have changed, and bring a tab up to date; return the seconds to wait after that."""
        await self._wakeup.wait(IDLE)
        return await self._refresh()

    async def _refresh(self) -> float:
        """Bring the tab that has waited longest up to date, if any is due; return the seconds to wait."""
        now = self._clock()
        self._tabs = {user: tab for user, tab in self._tabs.items() if now - tab.opened_at < WATCHED}
        if not self._tabs:
            return BREATH
        mark, running = await self._overview.mark()
        due = [
            (tab.fresh_at, user)
            for user, tab in self._tabs.items()
            if (running or tab.mark != mark) and now - tab.fresh_at >= PAUSE
        ]
        if not due:
            return BREATH
        user = min(due)[1]
        try:
            published = await self._publish(user, self._tabs[user])
        except DeliveryPostponed as error:
            return error.wait
        except DeliveryRefused as error:
            log.info("home tab given up", user=user, code=error.code)
            self._tabs.pop(user, None)
            return BREATH
        except LinesmanError as error:
            log.info("home tab left as it is", user=user, why=error.message)
            return STEP.total_seconds()
        finally:
            if len(due) > 1:
                self._wakeup.ring()
        return STEP.total_seconds() if published else STEP.total_seconds() / 4

    async def _publish(self, user: str, tab: _Tab, *, anew: bool = False) -> bool:
        """Publish the tab as it is now, unless it shows just that; return whether it was published.

        With ``anew`` nothing is believed of what it shows: another replica may have published it meanwhile.

        One at a time, so that an older state never covers a newer one; Slack's hash does the same across replicas.
        """
        async with tab.lock:
            if anew:
                tab.shown = tab.hash = ""
            for hash_ in (tab.hash, ""):
                tab.fresh_at = self._clock()
                mark, _ = await self._overview.mark()
                view = home(await self._overview.of(user))
                shown = hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()
                if shown == tab.shown:
                    tab.mark = mark
                    return False
                try:
                    answer = await self._call(user, view, hash_)
                except DeliveryRefused as error:
                    if error.code == "hash_conflict" and hash_:
                        continue  # another replica has published it meanwhile: read again, and show what is true now
                    raise
                except DeliveryUnknown:
                    tab.hash = ""  # it may have arrived; the next publication decides
                    raise
                tab.mark, tab.shown = mark, shown
                tab.hash = str(answer["view"].get("hash") or "")
                return True
        return False

    async def _call(self, user: str, view: dict[str, Any], hash_: str) -> dict[str, Any]:
        return await call(self._client.views_publish(user_id=user, view=view, hash=hash_ or None))
