"""Where a click is received: answered in time, worked on, and never left without an answer."""

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
#: Seconds that a click may be worked on before its ack goes out regardless. Slack gives up after 3 s
#: (API.md, "Deadlines").
ACK_WITHIN: Final = 2.0

#: What a person reads after a fault that nobody foresaw.
FAULT: Final = "Linesman had an internal error; the log has the details. Check `/numbers list` before you try again."

#: What a person reads when Linesman is stopped before their click is answered, and seconds in which they are told.
STOPPED: Final = (
    "Linesman was stopped before it could answer this click. When it is back, check `/numbers list`, and "
    "click again if nothing happened."
)
FAREWELL: Final = 2.0

#: What a person reads when the answer to a Slack failed while a click was answered: what was decided by then stands.
_UNSHOWN: Final[Mapping[type[DeliveryError], str]] = {
    TokenLost: "Slack rejects Linesman's token right now; Linesman's log says why.",
    DeliveryPostponed: "Slack is rate limiting Linesman, so the answer could not be shown.",
    DeliveryUnknown: "Slack had an internal error, so the answer may not have been shown.",
    DeliveryRefused: "Slack refused the answer; Linesman's log says why.",
}
_LOOK_FIRST: Final = "Check `/numbers list` before you try again."


def in_words(error: DeliveryError) -> str:
    """Return what a person reads of a fault of Slack; the log has Slack's own words."""
    said = next((text for sort, text in _UNSHOWN.items() if isinstance(error, sort)), "The answer could not be shown.")
    return f"{said} {_LOOK_FIRST}"


#: Says a sentence to the person who clicked.
Answer = Callable[[str], Awaitable[None]]

#: Seconds within which an answer still means something to whoever clicked, as long as a response URL lives, and the
#: longest pause between two attempts to give it.
HEARD_WITHIN: Final = 1800.0
LONGEST_PAUSE: Final = 30.0


class ClickRunner:
    """Runs the work behind clicks.

    In slack-bolt's async runner an exception in the same tick after ``await ack()`` loses the ack
    (API.md, "Bolt and the SDK"), so no listener lets one escape: work is handed over here, and what goes wrong is told
    to the person.
    """

    def __init__(self, cancel: Callable[[Collection[asyncio.Task[None]]], Awaitable[None]]) -> None:
        #: Cancels tasks without tearing a write apart.
        self._cancel = cancel
        #: Work under way -> how to answer who waits for it.
        self._tasks: dict[asyncio.Task[None], Answer] = {}
        #: Answers that wait until Slack can be reached.
        self._speaking: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(ROOM)

    def hand_over(self, work: Coroutine[Any, Any, object], answer: Answer, what: str) -> asyncio.Task[None]:
        """Start ``work``; whatever goes wrong, ``answer`` tells the person. ``what`` names it in the log."""
        task = asyncio.create_task(self._attend(work, answer, what))
        self._tasks[task] = answer
        task.add_done_callback(self._tasks.pop)
        return task

    async def within_ack(self, work: Coroutine[Any, Any, object], answer: Answer, what: str) -> bool:
        """Start ``work``, wait while the ack can wait, and tell whether it ended in time. It goes on either way."""
        task = self.hand_over(work, answer, what)
        done, _ = await asyncio.wait({task}, timeout=ACK_WITHIN)
        return bool(done)

    async def until_heard(self, speak: Callable[[], Awaitable[None]]) -> None:
        """Say something now, or else later, without anybody waiting for it: when Slack can be reached again.

        Raises DeliveryRefused at once when Slack does not want to hear it.
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
        """Let running work end for a moment, then cancel it and tell who waits for it.

        What it decided is in the database already.
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
        except Exception:  # the person must get an answer whatever happened; the cause is in the log
            log.exception("click failed", what=what)
            await self._tell(answer, FAULT, what)
        finally:
            work.close()

    async def _tell(self, answer: Answer, text: str, what: str) -> None:
        try:
            await answer(text)
        except Exception:  # a failed notification is logged and work goes on
            log.exception("cannot answer", what=what)
