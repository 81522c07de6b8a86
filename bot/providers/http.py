"""The one way in which providers are called over HTTP: paced, bounded, and clear about what is known afterwards.

Reads are repeated inside one deadline. Writes are sent at most once, because neither provider has an idempotency
key for them: whoever sent one decides what to do about an unclear ending.

Rates are learned from the answers, per endpoint group (``pacing.py``).
"""

from __future__ import annotations

import asyncio
import json as jsonlib
import logging
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast
from urllib.parse import quote

import httpx

from bot.changes.model.values import JSON
from bot.changes.text.characters import may_be_unsound, sound
from bot.clock_skew import ServiceClock
from bot.errors import (
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from bot.machine import chance, steady, wall
from bot.providers.answers import Answer, KeyWatch, Refuse, UnclearAnswer, as_object, read_answer
from bot.providers.masking import Masking
from bot.providers.pacing import EndpointPace, allowance, asked_wait
from bot.providers.shared_rates import SharedPace
from bot.telemetry import tracing
from bot.telemetry.call_times import CallTimes

_log = logging.getLogger(__name__)

#: Query parameters, brackets and all: ``{"page[size]": 250}``.
Params: TypeAlias = Mapping[str, str | int]
#: Has the last word before a request goes out; what it raises keeps the request back.
Ready: TypeAlias = Callable[[], Awaitable[None]]

#: Failures before a byte of the request was sent.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


#: Seconds that the last word may take, from which on others count how long a request may be under way.
READY_WITHIN: Final = 5.0


class _TooLate(Exception):
    """A request would have gone out when others may have taken its work over."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__()
        #: Whether its head went out in time, and only its body did not.
        self.begun = begun


class _Deadline:
    """Lets no part of a request go out after ``until`` (steady seconds).

    A process that is stopped and goes on much later finds its request where it was, and its time limit runs out only
    at the next turn of the loop. httpx tells of each part just before it is written.
    """

    def __init__(self, now: Callable[[], float], until: float) -> None:
        self._now = now
        self._until = until

    async def __call__(self, event: str, _: Mapping[str, object]) -> None:
        """Hear that ``event`` is about to happen; raises _TooLate."""
        if event.endswith(("send_request_headers.started", "send_request_body.started")) and self._now() > self._until:
            raise _TooLate(begun=event.endswith("body.started"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How long, how many and how large."""

    #: Seconds for one request, from connecting to the last byte of the answer.
    timeout: float = 30.0
    #: Seconds for a read with all its repetitions and pauses.
    deadline: float = 120.0
    #: Requests under way at the same time.
    concurrency: int = 8
    #: Largest answer, in bytes after decompression.
    max_bytes: int = 32 * 1024 * 1024
    #: Seconds of the first pause between two tries at most; it doubles with each try.
    backoff: float = 0.5
    #: Seconds of any such pause at most.
    longest_backoff: float = 8.0


@dataclass(kw_only=True)
class PacedClient:
    """Calls one provider through ``client``, which stays its owner's to close.

    ``client`` carries the base address and the credentials. ``title`` is the provider's name for people. ``now``
    counts seconds steadily, ``wall`` is our time of day (seconds since 1970), whose difference from the provider's is
    told, and ``jitter`` gives numbers from 0 to 1.
    """

    client: httpx.AsyncClient
    title: str
    refuse: Refuse
    bounds: Bounds = field(default_factory=Bounds)
    now: Callable[[], float] = steady
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    wall: Callable[[], float] = wall
    jitter: Callable[[], float] = chance
    #: Seconds that a 429 means when it does not say.
    unasked_wait: float = 1.0
    #: What calls took, by method, path before its parts are filled in (``/phone_numbers/{id}``) and HTTP status, or the
    #: name of the failure when there was no answer.
    calls: CallTimes = field(default_factory=lambda: CallTimes("method", "endpoint", "status"))
    #: The allowance that is shared with other replicas; None when there are none.
    shared: SharedPace | None = None
    #: Whether the provider counts each endpoint group by itself; else, and where that is not known, all together.
    by_endpoint: bool = True
    #: Takes what we sent in secret out of everything that the provider says.
    masking: Masking = field(default_factory=Masking)

    def __post_init__(self) -> None:
        self._paces: dict[tuple[str, str], EndpointPace] = {}
        self._slots = asyncio.Semaphore(self.bounds.concurrency)
        #: The time at the provider, as its answers tell.
        self.clock = ServiceClock(self.title, now=self.now, wall=self.wall)
        self.key = KeyWatch()
        timeout = self.bounds.timeout
        self._timeout = httpx.Timeout(timeout, connect=timeout / 3, pool=timeout / 3)

    async def read(
        self,
        method: str,
        path: str,
        *,
        parts: Mapping[str, str] | None = None,
        params: Params | None = None,
        json: JSON = None,
    ) -> JSON:
        """Return the answer to a request that changes nothing, trying again while the deadline allows.

        ``parts`` fills the braces of ``path``. Broken connections, timeouts, 408, 409, 429, 5xx and refusals that are
        not the provider's own are tried again. Raises what ``refuse`` makes of a refusal,
        :class:`~bot.errors.RateLimited` when the provider asks for a longer wait than there is time, and
        :class:`~bot.errors.Unavailable` when it gives no usable answer.
        """
        until = self.now() + self.bounds.deadline
        request = self._request(method, path, parts, params, json)
        attempt = 0
        while True:
            await self._pace(method, path, until)
            wait = self._backoff(attempt)
            attempt += 1
            try:
                return self._read(await self._send(method, path, request))
            except RateLimited as error:
                wait = max(wait, error.wait)
                if self.now() + wait > until:
                    raise
                why = str(error)
            except UnclearAnswer as error:
                if not error.again or self.now() + wait > until:
                    message = f"{self.title} gives no usable answer right now, nothing was changed: {error.why}."
                    raise Unavailable(message, status=error.status) from error.__cause__
                why = error.why
            _log.info("retrying %s %s in %.1f s: %s", method, path, wait, why)
            await self.sleep(wait)

    async def write(
        self,
        method: str,
        path: str,
        *,
        parts: Mapping[str, str] | None = None,
        params: Params | None = None,
        json: JSON = None,
        ready: Ready | None = None,
        patience: float | None = None,
    ) -> dict[str, JSON]:
        """Send a request that changes something, at most once, and return the JSON object that answers it.

        ``ready`` is awaited when nothing stands between the request and the wire any more: its turn has come, and it
        has a place among those under way. What it raises is raised, and nothing was sent. ``patience`` is how many
        seconds it may wait for its turn, and as many for a place: who has just seen that it may be sent has to look
        again after a longer wait.

        Raises :class:`~bot.errors.RateLimited` (not carried out; maybe not even sent),
        :class:`~bot.errors.Unavailable` (never sent), what ``refuse`` makes of a refusal, and
        :class:`~bot.errors.OutcomeUnknown` for every other ending.
        """
        request = self._request(method, path, parts, params, json)
        await self._pace(method, path, self.now() + (self.bounds.timeout if patience is None else patience))
        try:
            body = as_object(self._read(await self._send(method, path, request, ready, patience=patience)))
        except UnclearAnswer as error:
            if not error.sent:
                message = f"{self.title} cannot be reached right now and nothing was sent: {error.why}."
                raise Unavailable(message) from error.__cause__
            message = f"{self.title} did not confirm what happened to the request: {error.why}."
            raise OutcomeUnknown(message, status=error.status) from error.__cause__
        return body

    def rate(self, method: str, path: str) -> float:
        """Return how many requests a second the endpoint group allows; 0 while its answers have not told."""
        pace = self._paces.get((method, path))
        return pace.rate if pace else 0.0

    async def _pace(self, method: str, path: str, until: float) -> None:
        """Wait for the endpoint group's turn; raise RateLimited when it comes after ``until``."""
        pace = self._paces.setdefault((method, path), EndpointPace())
        while (wait := await self._take(method, path, pace)) > 0:
            if self.now() + wait > until:
                raise self._too_fast(method, path, wait)
            self.calls.waited(f"{method} {path}", wait)
            await self.sleep(wait)

    async def _take(self, method: str, path: str, pace: EndpointPace) -> float:
        """Take one request out of our own allowance, and out of the one that replicas share; see ``pace.take``."""
        if (wait := pace.take(self.now())) > 0 or self.shared is None:
            return wait
        try:
            wait = await self.shared.take(self._scope(method, path), pace.limit)
        except BaseException:
            pace.give_back()
            pace.ended()
            raise
        if wait > 0:
            pace.give_back()
            pace.ended()
        return wait

    def _scope(self, method: str, path: str) -> str:
        return f"{self.title} {method} {path}"[:120] if self.by_endpoint else self.title

    async def _share(self, method: str, path: str, pace: EndpointPace, headers: httpx.Headers) -> None:
        """Pass on to the other replicas what an answer told about the allowance."""
        if self.shared is not None:
            told = allowance(headers)
            await self.shared.learn(self._scope(method, path), pace.limit, told.get("remaining"), told.get("reset"))

    def _too_fast(self, method: str, path: str, wait: float, status: int | None = None) -> RateLimited:
        self.calls.waited(f"{method} {path}", wait)
        message = f"{self.title} asks to wait {math.ceil(wait)} s before the next request."
        return RateLimited(message, wait=wait, status=status)

    def _backoff(self, attempt: int) -> float:
        """Return a pause with full jitter: anywhere between none and the doubling bound."""
        return self.jitter() * min(self.bounds.longest_backoff, self.bounds.backoff * 2.0 ** min(attempt, 16))

    async def _send(
        self,
        method: str,
        path: str,
        request: httpx.Request,
        ready: Ready | None = None,
        *,
        patience: float | None = None,
    ) -> Answer:
        """Send the request that :meth:`_pace` let go and return its answer; raise RateLimited or UnclearAnswer."""
        try:
            return await self._answer(method, path, request, ready, patience)
        finally:
            self._paces[method, path].ended()

    def _request(
        self, method: str, path: str, parts: Mapping[str, str] | None, params: Params | None, json: JSON
    ) -> httpx.Request:
        filled = path.format_map({name: quote(part, safe="") for name, part in (parts or {}).items()})
        return self.client.build_request(
            method, filled, params=dict(params) if params else None, json=json, timeout=self._timeout
        )

    async def _answer(
        self, method: str, path: str, request: httpx.Request, ready: Ready | None, patience: float | None
    ) -> Answer:
        try:
            async with asyncio.timeout(self.bounds.deadline if patience is None else patience):
                await self._slots.acquire()
        except TimeoutError as error:
            raise UnclearAnswer("too many requests are under way", sent=False, again=False) from error
        asked = self.now()
        try:
            if ready is not None:
                await self._last_word(method, path, ready)
                request.extensions["trace"] = _Deadline(self.now, asked + READY_WITHIN + self.bounds.timeout)
            asked = self.now()
            # httpx bounds each phase; a server that drips its answer is bounded only by the whole.
            async with asyncio.timeout(self.bounds.timeout):
                with tracing.span(f"{method} {path}", attributes={"http.request.method": method, "url.template": path}):
                    answer = await self._exchange(request)
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
            raise UnclearAnswer(f"no complete answer came within {self.bounds.timeout:g} s") from error
        finally:
            self._slots.release()
        self._took(method, path, str(answer.status), asked)
        _log.debug("%s %s: %d", method, path, answer.status)
        pace = self._paces[method, path]
        pace.learn(answer.headers, asked, self.now())
        await self._share(method, path, pace, answer.headers)
        if answer.status == 429:
            wait = asked_wait(answer.headers, self.clock.earliest, otherwise=self.unasked_wait)
            pace.closed_until = self.now() + wait
            if self.shared is not None:
                await self.shared.close(self._scope(method, path), pace.limit, wait)
            raise self._too_fast(method, path, wait, status=429)
        return answer

    async def _last_word(self, method: str, path: str, ready: Ready) -> None:
        """Await ``ready``; the turn of a request that it keeps back is the next one's."""
        try:
            await ready()
        except BaseException:
            self._paces[method, path].give_back()
            raise

    async def _exchange(self, request: httpx.Request) -> Answer:
        asked = self.now()
        response = await self.client.send(request, stream=True)
        content = bytearray()
        try:
            # Left early, the generator has to be closed before the response that it reads from.
            async with aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_bytes())) as chunks:
                async for chunk in chunks:
                    content += chunk
                    if len(content) > self.bounds.max_bytes:
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
            # Only what the provider itself said just now tells its time: a cache repeats the date at which it got the
            # answer, and the page of a gateway, which is no JSON, has the gateway's.
            self.clock.learn(response.headers.get("date"), asked)
        said = await self.masking.heard(content, body, refused=response.status_code >= 400)
        return Answer(response.status_code, response.headers, said, body, readable=True)

    def _bare(self, error: httpx.RequestError) -> httpx.RequestError:
        """Return ``error`` reduced to what may be told.

        Its request has the key and the body; its text, and the errors behind it, may quote a line of the answer.
        """
        error.args = tuple(self.masking.text(each) for each in error.args)
        error.__cause__ = error.__context__ = None
        try:
            request = error.request
        except RuntimeError:  # httpx's own word for "this error knows no request"
            return error
        error.request = httpx.Request(request.method, request.url.copy_with(query=None))
        return error

    def _read(self, answer: Answer) -> JSON:
        return read_answer(answer, title=self.title, refuse=self.refuse, key=self.key)

    def _took(self, method: str, path: str, status: str, asked: float) -> None:
        self.calls.took(method, path, status, seconds=self.now() - asked)
