"""Running clicks: each is answered in time, worked on, and never left without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from typing import Any, Final

import structlog

from bot.errors import (
    DeliveryError,
    DeliveryPostponed,
    DeliveryRefused,
    DeliveryUnknown,
    LinesmanError,
    ModalClosed,
    TokenLost,
)
from bot.telemetry import tracing

log = structlog.get_logger(__name__)

#: Most clicks worked on at once; the next ones wait for a place, after their ack.
ROOM: Final = 64
#: Longest time that a click may be worked on before its ack goes out anyway, in seconds. Slack gives up after 3 s
#: (API.md, "Deadlines").
ACK_WITHIN: Final = 2.0

#: What a person reads after an unforeseen fault.
FAULT: Final = "Linesman had an internal error; the log has the details. Check `/numbers list` before you try again."

#: What a person reads when Linesman stops before their click is answered, and the seconds for telling them.
STOPPED: Final = (
    "Linesman was stopped before it could answer this click. When it is back, check `/numbers list`, and "
    "click again if nothing happened."
)
FAREWELL: Final = 2.0

#: What a person reads when Slack failed while their click was being answered. What was already decided stands.
_UNSHOWN: Final[Mapping[type[DeliveryError], str]] = {
    TokenLost: "Slack rejects Linesman's token right now; Linesman's log says why.",
    DeliveryPostponed: "Slack is rate limiting Linesman, so the answer could not be shown.",
    DeliveryUnknown: "Slack had an internal error, so the answer may not have been shown.",
    DeliveryRefused: "Slack refused the answer; Linesman's log says why.",
}
_LOOK_FIRST: Final = "Check `/numbers list` before you try again."


def in_words(error: DeliveryError) -> str:
    """Return what a person reads about a fault of Slack; the log has Slack's own words."""
    said = next((text for sort, text in _UNSHOWN.items() if isinstance(error, sort)), "The answer could not be shown.")
    return f"{said} {_LOOK_FIRST}"


#: Says a sentence to the person who clicked.
Answer = Callable[[str], Awaitable[None]]

#: Seconds for which an answer is still useful, as long as a response URL is valid; then the longest pause between two
#: attempts to give it.
HEARD_WITHIN: Final = 1800.0
LONGEST_PAUSE: Final = 30.0


class ClickRunner:
    """Runs the work behind clicks.

    In slack-bolt's async runner, an exception in the same tick after ``await ack()`` loses the ack (API.md, "Bolt and
    the SDK"). So no listener lets an exception escape: work is handed over here, and faults are reported to the person.
    """

    def __init__(self, cancel: Callable[[Collection[asyncio.Task[None]]], Awaitable[None]]) -> None:
        #: Cancels tasks without interrupting a write.
        self._cancel = cancel
        #: Work under way -> how to answer the person who waits for it.
        self._tasks: dict[asyncio.Task[None], Answer] = {}
        #: Answers that wait until Slack can be reached.
        self._speaking: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(ROOM)

    def hand_over(self, work: Coroutine[Any, Any, object], answer: Answer, what: str) -> asyncio.Task[None]:
        """Start ``work``; if anything goes wrong, ``answer`` tells the person. ``what`` names it in the log."""
        task = asyncio.create_task(self._attend(work, answer, what))
        self._tasks[task] = answer
        task.add_done_callback(self._tasks.pop)
        return task

    async def within_ack(self, work: Coroutine[Any, Any, object], answer: Answer, what: str) -> bool:
        """Start ``work``, wait as long as the ack can, and tell whether it ended in time; it continues either way."""
        task = self.hand_over(work, answer, what)
        done, _ = await asyncio.wait({task}, timeout=ACK_WITHIN)
        return bool(done)

    async def until_heard(self, speak: Callable[[], Awaitable[None]]) -> None:
        """Send a message now, or later in the background, once Slack can be reached again.

        Raises DeliveryRefused at once when Slack rejects the message.
        """
        try:
            await speak()
        except (DeliveryPostponed, DeliveryUnknown) as error:
            log.info("answered later", why=error.message)
            task = asyncio.create_task(self._again(speak, error))
            self._speaking.add(task)
            task.add_done_callback(self._speaking.discard)

    async def _again(self, speak: Callable[[], Awaitable[None]], error: DeliveryPostponed | DeliveryUnknown) -> None:
        pause = 1.0
        try:
            async with asyncio.timeout(HEARD_WITHIN):
                while True:
                    await asyncio.sleep(max(pause, error.wait if isinstance(error, DeliveryPostponed) else 0.0))
                    pause = min(pause * 2, LONGEST_PAUSE)
                    try:
                        await speak()
                    except (DeliveryPostponed, DeliveryUnknown) as again:
                        error = again
                    else:
                        return
        except (LinesmanError, TimeoutError) as why:
            log.warning("a click was not answered", why=getattr(why, "message", "") or "Slack was not reached in time")

    async def close(self) -> None:
        """Let running work finish for a moment, then cancel it and tell the people who wait for it.

        Its decisions are already in the database.
        """
        if under_way := {*self._tasks, *self._speaking}:
            await asyncio.wait(under_way, timeout=1.0)
        cut = dict(self._tasks)
        await self._cancel(set(cut))
        telling = {asyncio.create_task(self._tell(answer, STOPPED, "stopped")) for answer in cut.values()}
        if telling:
            await asyncio.wait(telling, timeout=FAREWELL)
        await self._cancel({task for task in telling | self._speaking if not task.done()})

    async def _attend(self, work: Coroutine[Any, Any, object], answer: Answer, what: str) -> None:
        tracing.begin()
        try:
            async with self._room:  # every wait inside has its own limit: Slack's, the provider's, the database's
                with tracing.click(f"click {what}"):
                    await work
        except ModalClosed as error:
            log.info("modal closed before the answer", what=what, why=error.message)
        except DeliveryError as error:
            log.warning(
                "Slack failed while a click was answered", what=what, error=type(error).__name__, why=error.message
            )
            await self._tell(answer, in_words(error), what)
        except LinesmanError as error:
            log.info("answered with a refusal", what=what, error=type(error).__name__, answer=error.message)
            await self._tell(answer, error.message, what)
        except Exception:  # the person must get an answer whatever happened; the log has the cause
            log.exception("click failed", what=what)
            await self._tell(answer, FAULT, what)
        finally:
            work.close()

    async def _tell(self, answer: Answer, text: str, what: str) -> None:
        try:
            await answer(text)
        except Exception:  # a failed notification is logged, and work continues
            log.exception("cannot answer", what=what)
