"""The one way of calling providers over HTTP: paced, bounded, and clear about what is known afterwards.

Reads are repeated within one deadline. Writes are sent at most once, because neither provider has an idempotency key
for them: the caller decides what to do about an unclear result.

Rates are learned from the answers, per endpoint group (``pacing.py``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import quote

import httpx

from bot.changes.model.values import JSON
from bot.clock_skew import ServiceClock
from bot.errors import OutcomeUnknown, RateLimited, Unavailable
from bot.machine import chance, steady, wall
from bot.providers.answers import Answer, KeyWatch, Refuse, UnclearAnswer, as_object, read_answer
from bot.providers.endpoint_paces import EndpointPaces
from bot.providers.exchange import Exchange, Ready
from bot.providers.masking import Masking
from bot.providers.pacing import asked_wait
from bot.providers.shared_rates import SharedPace
from bot.telemetry.call_times import CallTimes

_log = logging.getLogger(__name__)

#: Query parameters, brackets and all: ``{"page[size]": 250}``.
Params: TypeAlias = Mapping[str, str | int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Limits on time, number and size."""

    #: Seconds for one request, from connecting to the last byte of the answer.
    timeout: float = 30.0
    #: Seconds for a read with all its repetitions and pauses.
    deadline: float = 120.0
    #: Requests under way at the same time.
    concurrency: int = 8
    #: Largest answer, in bytes after decompression.
    max_bytes: int = 32 * 1024 * 1024
    #: Longest first pause between two tries, in seconds; it doubles with each try.
    backoff: float = 0.5
    #: Longest of all such pauses, in seconds.
    longest_backoff: float = 8.0


@dataclass(kw_only=True)
class PacedClient:
    """Calls one provider through ``client``, which its owner closes.

    ``client`` has the base address and the credentials. ``title`` is the provider's name for people. ``now`` counts
    seconds steadily; ``wall`` is our time of day (seconds since 1970), whose difference from the provider's is
    reported; and ``jitter`` gives numbers from 0 to 1.
    """

    client: httpx.AsyncClient
    title: str
    refuse: Refuse
    bounds: Bounds = field(default_factory=Bounds)
    now: Callable[[], float] = steady
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    wall: Callable[[], float] = wall
    jitter: Callable[[], float] = chance
    #: Seconds to wait after a 429 that does not say how long.
    unasked_wait: float = 1.0
    #: Duration of calls, by method, path before its parts are filled in (``/phone_numbers/{id}``) and HTTP status, or
    #: the name of the failure when there was no answer.
    calls: CallTimes = field(default_factory=lambda: CallTimes("method", "endpoint", "status"))
    #: The allowance shared with other replicas; None without others.
    shared: SharedPace | None = None
    #: Whether the provider counts each endpoint group separately; otherwise, and if unknown, all count together.
    by_endpoint: bool = True
    #: Removes the secrets that we sent from everything that the provider says.
    masking: Masking = field(default_factory=Masking)

    def __post_init__(self) -> None:
        self._paces = EndpointPaces(
            self.title,
            now=self.now,
            sleep=self.sleep,
            calls=self.calls,
            shared=self.shared,
            by_endpoint=self.by_endpoint,
        )
        #: The time at the provider, according to its answers.
        self.clock = ServiceClock(self.title, now=self.now, wall=self.wall)
        self.key = KeyWatch()
        self._exchange = Exchange(
            client=self.client,
            paces=self._paces,
            clock=self.clock,
            masking=self.masking,
            calls=self.calls,
            now=self.now,
            timeout=self.bounds.timeout,
            concurrency=self.bounds.concurrency,
            max_bytes=self.bounds.max_bytes,
        )
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
        """Return the answer to a request that changes nothing, retrying while the deadline allows.

        ``parts`` fills the braces of ``path``. Broken connections, timeouts, 408, 409, 429, 5xx and refusals that are
        not the provider's own are retried. Raises what ``refuse`` makes of a refusal, :class:`~bot.errors.RateLimited`
        when the provider asks for a longer wait than the deadline allows, and :class:`~bot.errors.Unavailable` when it
        gives no usable answer.
        """
        until = self.now() + self.bounds.deadline
        request = self._request(method, path, parts, params, json)
        attempt = 0
        while True:
            await self._paces.turn(method, path, until)
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

        ``ready`` is awaited when nothing is left between the request and the wire: its turn has come, and it has a
        place among the requests under way. If it raises, the error is raised and nothing was sent. ``patience`` is how
        many seconds it may wait for its turn, and again for a place: after a longer wait, the caller must check again
        that it may be sent.

        Raises :class:`~bot.errors.RateLimited` (not carried out; perhaps not even sent),
        :class:`~bot.errors.Unavailable` (never sent), what ``refuse`` makes of a refusal, and
        :class:`~bot.errors.OutcomeUnknown` for every other result.
        """
        request = self._request(method, path, parts, params, json)
        await self._paces.turn(method, path, self.now() + (self.bounds.timeout if patience is None else patience))
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
        """Return how many requests per second the endpoint group allows; 0 before its answers have told."""
        return self._paces.rate(method, path)

    def _backoff(self, attempt: int) -> float:
        """Return a pause with full jitter: anywhere between zero and the doubling bound."""
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
        """Send a request whose turn has come, and return its answer; raise RateLimited or UnclearAnswer."""
        try:
            answer = await self._exchange.send(
                method, path, request, ready, patience=self.bounds.deadline if patience is None else patience
            )
            if answer.status == 429:
                wait = asked_wait(answer.headers, self.clock.earliest, otherwise=self.unasked_wait)
                raise await self._paces.refused(method, path, wait)
            return answer
        finally:
            self._paces.ended(method, path)

    def _request(
        self, method: str, path: str, parts: Mapping[str, str] | None, params: Params | None, json: JSON
    ) -> httpx.Request:
        filled = path.format_map({name: quote(part, safe="") for name, part in (parts or {}).items()})
        return self.client.build_request(
            method, filled, params=dict(params) if params else None, json=json, timeout=self._timeout
        )

    def _read(self, answer: Answer) -> JSON:
        return read_answer(answer, title=self.title, refuse=self.refuse, key=self.key)
