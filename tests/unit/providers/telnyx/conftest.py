"""What the unit tests of the Telnyx provider share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.values import Values
from bot.providers.base import BatchRequest
from bot.providers.http import Bounds, PacedClient
from bot.providers.telnyx.errors import refusal
from bot.providers.telnyx.kinds import kinds
from bot.providers.telnyx.provider import Telnyx

Serve = Callable[[httpx.Request], httpx.Response]
Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


@pytest.fixture
def encryption() -> Encryption:
    """Return a vault with a key of its own."""
    return Encryption([Fernet.generate_key().decode()])


@pytest.fixture
def settings_kind() -> Kind:
    """Return the kind that updates settings, with secrets."""
    return kinds(secrets=True)[0]


@pytest.fixture
def emergency_kind() -> Kind:
    """Return the kind that updates the emergency service."""
    return kinds(secrets=True)[1]


@pytest.fixture
def batch(settings_kind: Kind, emergency_kind: Kind) -> Callable[..., BatchRequest]:
    """Give a maker of batches of two numbers; the kind follows from the values."""

    def make(values: Values, numbers: tuple[tuple[str, str], ...] | None = None) -> BatchRequest:
        kind = emergency_kind if "emergency_enabled" in values else settings_kind
        two = (("1293384261075731499", "+19705555098"), ("1293384261075731500", "+19715555098"))
        return BatchRequest(kind=kind, numbers=two if numbers is None else numbers, values=values)

    return make


@pytest.fixture
async def telnyx(encryption: Encryption) -> AsyncIterator[Callable[[Serve], Telnyx]]:
    """Give a maker of providers whose server is a function; they are closed at the end."""
    made: list[Telnyx] = []

    def make(serve: Serve, **given: Any) -> Telnyx:
        clock = Clock()
        http = httpx.MockTransport(serve)
        made.append(
            Telnyx(api_key="KEY", encryption=encryption, transport=http, now=clock.now, sleep=clock.sleep, **given)
        )
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


@dataclass
class Clock:
    """Time that passes only in sleeps; remembers them."""

    time: float = 1000.0
    #: What the wall clock adds, seconds since 1970.
    epoch: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Return seconds that count steadily."""
        return self.time

    def wall(self) -> float:
        """Return the time of day."""
        return self.epoch + self.time

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.sleeps.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class World:
    """A client whose server is a list of answers, and what happened to it."""

    def __init__(self, *answers: httpx.Response | Exception, **bounds: Any) -> None:
        self.key = "KEY-that-nobody-may-read"
        self.clock = Clock()
        self.requests: list[tuple[float, httpx.Request]] = []
        self._answers = list(answers)
        self.handler: Handler = self._answer
        self.http = httpx.AsyncClient(
            base_url="https://provider.test/v2",
            headers={"Authorization": f"Bearer {self.key}"},
            transport=httpx.MockTransport(self._serve),
        )
        self.client = PacedClient(
            client=self.http,
            title="Telnyx",
            refuse=refusal,
            bounds=Bounds(**bounds),
            now=self.clock.now,
            wall=self.clock.wall,
            sleep=self.clock.sleep,
            jitter=lambda: 1.0,
        )

    async def _serve(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((self.clock.time, request))
        answer = self.handler(request)
        return answer if isinstance(answer, httpx.Response) else await answer

    def _answer(self, _request: httpx.Request) -> httpx.Response:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def times(self) -> list[float]:
        """When requests arrived, in seconds from the start."""
        return [moment - 1000.0 for moment, _ in self.requests]


@pytest.fixture
async def world() -> AsyncIterator[Callable[..., World]]:
    """Give a maker of worlds, whose clients are closed at the end."""
    made: list[World] = []

    def make(*answers: httpx.Response | Exception, **bounds: Any) -> World:
        made.append(World(*answers, **bounds))
        return made[-1]

    yield make
    for one in made:
        await one.http.aclose()
