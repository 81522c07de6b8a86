"""Keeping open Home tabs up to date.

Slack reports when somebody opens their Home tab but never when they leave, so a tab counts as open for an hour. Open
tabs are kept in memory: after a restart Slack asks again when a tab is next opened, and its buttons work meanwhile.

views.publish allows 100 calls a minute in a workspace (Slack tier 4, API.md, "Rate limits"). So a change is not shown
to everybody at once: every tab is published at most once in :data:`PAUSE`, the longest-waiting first, at most one per
:data:`STEP`, and only if its content would differ. However many changes there were meanwhile, the tab shows the current
state.
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

#: How long a tab is kept up to date after it was opened.
WATCHED: Final = timedelta(hours=1)
#: Least pause between two publications of one tab.
PAUSE: Final = timedelta(seconds=10)
#: Least pause between two publications of any tabs: 60 a minute leave room for tabs being opened.
STEP: Final = timedelta(seconds=1)
#: Seconds between two checks for changes without a ring; other replicas make changes too.
IDLE: Final = 5.0
#: Least seconds between two checks, however often somebody rings.
BREATH: Final = 0.1
#: Most tabs that are watched; a tab beyond that shows the state in which it was opened.
ROOM: Final = 2000


@dataclass(slots=True)
class _Tab:
    """One person's Home tab."""

    opened_at: datetime
    #: When it was last published, or checked and found unchanged.
    fresh_at: datetime
    #: The mark of the shown state; see :meth:`bot.workflow.queries.home.HomeTab.mark`.
    mark: int = -1
    #: A hash over the shown content, and Slack's own hash of it.
    shown: str = ""
    hash: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class HomePublisher:
    """Publishes Home tabs when they are opened, and when their content has changed."""

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
        """Wait until something may have changed, and update a tab; return the seconds to wait after that."""
        await self._wakeup.wait(IDLE)
        return await self._refresh()

    async def _refresh(self) -> float:
        """Update the longest-waiting tab, if any is due; return the seconds to wait."""
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
        """Publish the tab as it is now, unless it already shows that; return whether it was published.

        ``anew`` means that the shown content is unknown: another replica may have published the tab meanwhile.

        One publication at a time, so that an older state never covers a newer one; Slack's hash ensures that across
        replicas.
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
                        continue  # another replica has published it: read again, and show the current state
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
