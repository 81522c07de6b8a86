"""One request to a provider and its one answer: bounded, and clear about what is known afterwards."""

from __future__ import annotations

import asyncio
import json as jsonlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

import httpx

from bot.changes.text.characters import may_be_unsound, sound
from bot.clock_skew import ServiceClock
from bot.providers.answers import Answer, UnclearAnswer
from bot.providers.endpoint_paces import EndpointPaces
from bot.providers.masking import Masking
from bot.telemetry import tracing
from bot.telemetry.call_times import CallTimes

_log = logging.getLogger(__name__)

#: Has the last word before a request goes out; if it raises, the request is not sent.
Ready: TypeAlias = Callable[[], Awaitable[None]]

#: Failures before a byte of the request was sent.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

#: Seconds that ``ready`` may take; after it, others count how long a request may be under way.
READY_WITHIN: Final = 5.0


class _TooLate(Exception):
    """A request would have gone out when others may already have taken its work over."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__()
        #: Whether its head went out in time, and only its body did not.
        self.begun = begun


class _Deadline:
    """Lets no part of a request go out after ``until`` (steady seconds).

    A process that is stopped and resumes much later finds its request where it was, and its time limit expires only at
    the next turn of the loop. httpx calls this just before writing each part.
    """

    def __init__(self, now: Callable[[], float], until: float) -> None:
        self._now = now
        self._until = until

    async def __call__(self, event: str, _: Mapping[str, object]) -> None:
        """Take note that ``event`` is about to happen; raises _TooLate."""
        if event.endswith(("send_request_headers.started", "send_request_body.started")) and self._now() > self._until:
            raise _TooLate(begun=event.endswith("body.started"))


@dataclass(kw_only=True)
class Exchange:
    """Sends requests through ``client``, up to ``concurrency`` at once, and reads their answers.

    ``timeout`` is how many seconds one request may take, from connecting to the last byte of the answer; ``max_bytes``
    is the largest answer after decompression.
    """

    client: httpx.AsyncClient
    paces: EndpointPaces
    clock: ServiceClock
    masking: Masking
    calls: CallTimes
    now: Callable[[], float]
    timeout: float
    concurrency: int
    max_bytes: int

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.concurrency)

    async def send(
        self, method: str, path: str, request: httpx.Request, ready: Ready | None, *, patience: float
    ) -> Answer:
        """Send a request whose turn has come, and return the answer.

        ``patience`` is how many seconds it may wait for a place. Raises UnclearAnswer, and any error of ``ready``.
        """
        try:
            async with asyncio.timeout(patience):
                await self._slots.acquire()
        except TimeoutError as error:
            raise UnclearAnswer("too many requests are under way", sent=False, again=False) from error
        asked = self.now()
        try:
            if ready is not None:
                await self._last_word(method, path, ready)
                request.extensions["trace"] = _Deadline(self.now, asked + READY_WITHIN + self.timeout)
            asked = self.now()
            # httpx limits each phase; only the total limits a server that drips its answer.
            async with asyncio.timeout(self.timeout):
                with tracing.span(f"{method} {path}", attributes={"http.request.method": method, "url.template": path}):
                    answer = await self._exchanged(request)
                    tracing.note("http.response.status_code", answer.status)
        except _TooLate as error:
            self._took(method, path, "TooLate", asked)
            raise UnclearAnswer("this process was stopped before the request went out", sent=error.begun) from error
        except httpx.RequestError as error:
            name = type(error).__name__
            self._took(method, path, name, asked)
            sent = not isinstance(error, _NEVER_SENT)
            raise UnclearAnswer(f"the connection failed ({name})", sent=sent) from self._bare(error)
        except TimeoutError as error:
            self._took(method, path, "Timeout", asked)
            raise UnclearAnswer(f"no complete answer came within {self.timeout:g} s") from error
        finally:
            self._slots.release()
        self._took(method, path, str(answer.status), asked)
        _log.debug("%s %s: %d", method, path, answer.status)
        await self.paces.learn(method, path, answer.headers, asked)
        return answer

    async def _last_word(self, method: str, path: str, ready: Ready) -> None:
        """Await ``ready``; if it keeps the request back, the next request gets the turn."""
        try:
            await ready()
        except BaseException:
            self.paces.give_back(method, path)
            raise

    async def _exchanged(self, request: httpx.Request) -> Answer:
        asked = self.now()
        response = await self.client.send(request, stream=True)
        content = bytearray()
        try:
            # If left early, the generator must be closed before the response that it reads from.
            async with aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_bytes())) as chunks:
                async for chunk in chunks:
                    content += chunk
                    if len(content) > self.max_bytes:
                        return Answer(response.status_code, response.headers, None, None, readable=False)
        finally:
            await response.aclose()
        try:
            body = jsonlib.loads(content)
            if may_be_unsound(content):
                body = sound(body)
        except (ValueError, RecursionError):
            return Answer(response.status_code, response.headers, None, None, readable=False)
        if "age" not in response.headers:
            # Only an answer just made by the provider tells its time: a cache repeats an old date, and a gateway's
            # page, which is not JSON, has the gateway's time.
            self.clock.learn(response.headers.get("date"), asked)
        said = await self.masking.heard(content, body, refused=response.status_code >= 400)
        return Answer(response.status_code, response.headers, said, body, readable=True)

    def _bare(self, error: httpx.RequestError) -> httpx.RequestError:
        """Return ``error`` reduced to what may be shown.

        Its request has the key and the body; its text, and the errors behind it, may quote a line of the answer.
        """
        error.args = tuple(self.masking.text(each) for each in error.args)
        error.__cause__ = error.__context__ = None
        try:
            request = error.request
        except RuntimeError:  # httpx's own error for "this error knows no request"
            return error
        error.request = httpx.Request(request.method, request.url.copy_with(query=None))
        return error

    def _took(self, method: str, path: str, status: str, asked: float) -> None:
        self.calls.took(method, path, status, seconds=self.now() - asked)
