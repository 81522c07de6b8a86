"""How much of a rate limit is used: a provider with windows, requests on their way, and time that is only counted."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

import httpx
import pytest

from bot.providers.pacing import EndpointPace

LIMIT = 50
NUMBERS = 1000
#: What the limit alone needs: a window opens with its first request.
LEAST = NUMBERS / LIMIT - 1


@dataclass
class Provider:
    """Allows :data:`LIMIT` requests in each second, from the first one on."""

    opened: float = -9.0
    used: int = 0
    refused: int = 0

    def answer(self, now: float) -> httpx.Headers | None:
        """Return what a good answer tells; None for a refusal."""
        if now >= self.opened + 1.0:
            self.opened, self.used = now, 0
        if self.used >= LIMIT:
            self.refused += 1
            return None
        self.used += 1
        reset = self.opened + 1.0 - now
        return httpx.Headers({"ratelimit": f"limit={LIMIT}, remaining={LIMIT - self.used}, reset={reset:.3f}"})


@dataclass
class Run:
    """Carries :data:`NUMBERS` requests to the provider, ``width`` at once."""

    width: int
    #: Seconds on the way there and back, of the request with this count.
    there: tuple[float, ...]
    back: tuple[float, ...]
    pace: EndpointPace = field(default_factory=EndpointPace)
    provider: Provider = field(default_factory=Provider)

    def __post_init__(self) -> None:
        self._events: list[tuple[float, int, str, float, httpx.Headers | None]] = []
        self._order = count()

    def seconds(self) -> float:
        """Return how long it takes until the last number is done."""
        done, now = 0, 0.0
        for _ in range(self.width):
            self._add(0.0, "turn")
        while done < NUMBERS:
            now, number, what, sent, headers = heapq.heappop(self._events)
            if what == "turn":
                if (wait := self.pace.take(now)) > 0:
                    self._add(now + wait, "turn")
                else:
                    self._add(now + self.there[number % len(self.there)], "arrival", now)
            elif what == "arrival":
                back = self.back[number % len(self.back)]
                self._add(now + back, "answer", sent, self.provider.answer(now))
            else:
                if headers is not None:
                    self.pace.learn(headers, sent, now)
                    done += 1
                self.pace.ended()
                self._add(now, "turn")
        return now

    def _add(self, at: float, what: str, sent: float = 0.0, headers: httpx.Headers | None = None) -> None:
        heapq.heappush(self._events, (at, next(self._order), what, sent, headers))


@pytest.mark.parametrize(
    ("there", "back"),
    [
        pytest.param((0.01,), (0.01,), id="near"),
        pytest.param((0.05,), (0.05,), id="far"),
        pytest.param((0.1,), (0.0,), id="far-one-way"),
        pytest.param((0.0,), (0.1,), id="far-back"),
        pytest.param((0.03, 0.05, 0.08, 0.04, 0.2), (0.05, 0.03, 0.1), id="uneven"),
    ],
)
def test_a_limit_is_used_up_and_not_overrun(there: tuple[float, ...], back: tuple[float, ...]) -> None:
    """A thousand requests take at most a tenth longer than the limit alone needs, and hardly one is turned away."""
    run = Run(width=32, there=there, back=back)

    took = run.seconds()

    assert took <= 1.1 * LEAST
    assert run.provider.refused <= NUMBERS // 100


def test_an_answer_about_the_window_before_holds_nothing_back() -> None:
    """What was left of a window that is over is not taken for what is left of the next one."""
    pace = EndpointPace()
    for _ in range(3):
        assert pace.take(0.0) == 0
    pace.learn(httpx.Headers({"ratelimit": "limit=50, remaining=3, reset=0.5"}), 0.0, 0.1)
    pace.ended()
    pace.learn(httpx.Headers({"ratelimit": "limit=50, remaining=2, reset=0.5"}), 0.0, 0.1)
    pace.ended()
    assert pace.take(1.0) == 0  # the next window; one of the window before is still on its way
    assert pace.remaining == 48

    pace.learn(httpx.Headers({"ratelimit": "limit=50, remaining=1, reset=0.49"}), 0.0, 1.1)

    assert pace.remaining == 49
    assert pace.take(1.2) == 0


def test_requests_on_their_way_count_in_the_window_that_begins() -> None:
    """Sent before a window ended they may arrive after it, so the next one has so many fewer to give."""
    pace = EndpointPace()
    assert pace.take(0.0) == 0
    pace.learn(httpx.Headers({"ratelimit": "limit=10, remaining=9, reset=0.9"}), 0.0, 0.1)
    pace.ended()
    for _ in range(6):
        assert pace.take(0.8) == 0

    assert [pace.take(1.0) == 0 for _ in range(5)] == [True, True, True, True, False]
