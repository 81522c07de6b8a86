"""Opening modals and showing content in them, so that the last content wins and nobody waits before an empty one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import DeliveryError, DeliveryPostponed, DeliveryRefused, DeliveryUnknown, ModalClosed, ModalNotOpened
from bot.slack.interactions import SentView
from bot.slack.redraws import Redraws
from bot.slack.views.elements import View
from bot.slack.views.preview import loading, notice
from bot.slack.web_api import call

log = structlog.get_logger(__name__)

#: Seconds from the arrival of a submission until its ack is certainly applied or void: Slack shows an ack's content in
#: the modal when it receives the ack, which it accepts for 3 s after the click (API.md, "Deadlines").
ACK_APPLIED: Final = 3.2
#: Seconds after each attempt to show something that Slack did not accept.
PAUSES: Final = (0.5, 2.0, 4.0)
#: Longest wait that Slack may ask for before a person in front of a modal is told instead, in seconds.
PATIENCE: Final = 15.0
#: Most modals that are remembered.
MOST_OPEN: Final = 1000
#: Refusals of a trigger that was too old or used (the pages of views.open and views.push spell the first one twice).
_EXPIRED: Final = frozenset({"expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "trigger_exchanged"})


class Modals:
    """The open modals. Content after a submission waits until its ack can no longer cover it."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        #: View id -> time of the loop at which the ack of its last submission is certainly applied.
        self._covered: dict[str, float] = {}
        #: Trigger of a click -> the modal that was opened for it and is still loading.
        self._loading: dict[str, str] = {}
        #: View id -> Slack's hash of its content when it was opened or last clicked.
        self._seen: dict[str, str] = {}
        self._redraws = Redraws()

    def clicked(self, view: SentView) -> None:
        """Note that somebody clicked in a modal, and its state at that time."""
        self._see(view.id, view.hash)

    def submitted(self, view_id: str) -> None:
        """Note that a modal was just submitted, so its ack may show other content in it."""
        self._seen.pop(view_id, None)
        now = asyncio.get_running_loop().time()
        self._covered = {view: until for view, until in self._covered.items() if until > now}
        self._covered[view_id] = now + ACK_APPLIED

    async def show(self, view_id: str, view: View) -> None:
        """Replace the content of an open modal; raises ModalClosed when it is no longer open.

        Raises another DeliveryError when Slack does not accept it; then the modal says so, if it can be reached.
        """
        now = asyncio.get_running_loop().time()
        self._loading = {trigger: view for trigger, view in self._loading.items() if view != view_id}
        await asyncio.sleep(max(0.0, self._covered.get(view_id, now) - now))
        # An unanswered attempt may have succeeded, and the person may have continued in the new content, which the next
        # attempt must not replace. So that attempt applies only to the state of the click.
        states = chain([None], repeat(self._seen.get(view_id)))
        try:
            await _persistently(lambda: self._client.views_update(view_id=view_id, hash=next(states), view=view))
        except ModalClosed:
            raise
        except DeliveryError as error:
            if isinstance(error, DeliveryRefused) and error.code == "hash_conflict":
                return  # it is shown, or something later is
            await self._excuse(view_id, error)
            raise

    async def redraw(self, view: SentView, fresh: View, *, at: str) -> None:
        """Replace ``view`` by ``fresh``, for a click ``at`` Slack's time, unless something later is there.

        Raises DeliveryError when Slack does not accept it. Nothing else is shown then, as it would replace typed text.
        """

        async def show(state: str) -> dict[str, Any]:
            return await _persistently(
                lambda: self._client.views_update(view_id=view.id, hash=state, view=fresh), patience=60.0
            )

        try:
            await self._redraws.redraw(view, at, show)
        except DeliveryRefused as error:
            if error.code != "hash_conflict":  # something later, or an earlier attempt, is already there
                raise

    async def explain(self, trigger: str, view: View) -> bool:
        """Show ``view`` in a modal that still loads for this click; tell whether there was one."""
        if (still := self._loading.get(trigger)) is None:
            return False
        try:
            await self.show(still, view)
        except DeliveryError as error:
            log.info("answered outside of the modal", why=error.message)
            return False
        return True

    async def open(self, trigger: str) -> str:
        """Open a loading modal and return its id; must happen within three seconds of the click.

        Raises ModalNotOpened.
        """
        return await self._opened(trigger, self._client.views_open)

    async def push(self, trigger: str) -> str:
        """Do the same on top of the modal of the click."""
        return await self._opened(trigger, self._client.views_push)

    async def _opened(self, trigger: str, opening: Callable[..., Awaitable[Any]]) -> str:
        view = await self._open(trigger, opening)
        opened = str(view["id"])
        self._loading[trigger] = opened
        if len(self._loading) > MOST_OPEN:  # some modals get their content elsewhere, so their entries stay
            del self._loading[next(iter(self._loading))]
        self._see(opened, str(view.get("hash", "")))
        return opened

    def _see(self, view_id: str, hash_: str) -> None:
        self._seen.pop(view_id, None)
        if view_id and hash_:
            self._seen[view_id] = hash_
        if len(self._seen) > MOST_OPEN:
            del self._seen[next(iter(self._seen))]

    async def _open(self, trigger: str, opening: Callable[..., Awaitable[Any]]) -> dict[str, Any]:
        # With a name of its own, a modal can be found even if the answer with its id was lost.
        named = {**loading(), "external_id": trigger[:255]}
        try:
            answer = await call(opening(trigger_id=trigger, view=named))
        except DeliveryUnknown as error:
            return await self._found(named, error)
        except DeliveryError as error:
            if error.code in _EXPIRED:
                raise ModalNotOpened(
                    "Linesman could not open the window within the three seconds that Slack allows. "
                    "Nothing happened; try again."
                ) from error
            raise ModalNotOpened from error
        return dict(answer["view"])

    async def _found(self, named: View, lost: DeliveryUnknown) -> dict[str, Any]:
        try:
            answer = await _persistently(
                lambda: self._client.views_update(external_id=named["external_id"], view=named)
            )
        except DeliveryError as error:
            log.warning("modal not found after a lost answer", why=error.message)
            raise ModalNotOpened from lost
        return dict(answer["view"])

    async def _excuse(self, view_id: str, error: DeliveryError) -> None:
        excuse = "⚠️ Slack refused the content of this window. Close it and try again."
        try:
            await call(self._client.views_update(view_id=view_id, view=notice(excuse)))
        except DeliveryError as second:
            log.warning("modal could not be filled", why=error.message, then=second.message)


async def _persistently(request: Callable[[], Awaitable[Any]], patience: float = PATIENCE) -> dict[str, Any]:
    """Repeat an idempotent call while Slack has a fault of its own or asks for a short wait."""
    for pause in PAUSES:
        try:
            return await call(request())
        except DeliveryPostponed as error:
            if error.wait > patience:
                raise
            await asyncio.sleep(max(pause, error.wait))
        except DeliveryUnknown:
            await asyncio.sleep(pause)
        except DeliveryRefused as error:
            if error.code == "not_found":
                raise ModalClosed from error
            raise
    return await call(request())
