"""How fast a run is, on a clock that passes only when everybody waits."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass, field

import httpx
import pytest

from bot.providers.base import BatchRequest
from bot.providers.close.provider import Close
from tests.integration.provider_close.conftest import KIND
from tests.integration.provider_close.virtual import PaperRuns, run_virtually

NUMBERS = 1000
LIMIT = 60
PAIRS = tuple((f"phon_{each:04}", f"+1303555{each:04}") for each in range(NUMBERS))


@dataclass
class Service:
    """Close, as far as its rate limit goes: so many updates in each second from the first one on."""

    #: Seconds that an answer takes, at least and at most; half of it on the way there.
    latency: tuple[float, float]
    opened: float = -math.inf
    used: int = 0
    statuses: list[int] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - not for secrets

    pages: int = 0

    def page(self, skip: int) -> dict[str, object]:
        """Return a page of the list."""
        shown = PAIRS[skip : skip + 100]
        rows = [{"id": id_, "number": number, "label": "Front desk"} for id_, number in shown]
        return {"data": rows, "has_more": skip + 100 < NUMBERS}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer an update, or a page of the list, which has a limit of its own that is never met here."""
        way = self.chance.uniform(*self.latency) / 2
        await asyncio.sleep(way)
        if request.method == "GET":
            self.pages += 1
            await asyncio.sleep(way)
            return httpx.Response(200, json=self.page(int(request.url.params["_skip"])))
        now = asyncio.get_running_loop().time()
        if now >= self.opened + 1.0:
            self.opened, self.used = now, 0
        self.used += 1
        reset = self.opened + 1.0 - now
        told = f"limit={LIMIT}, remaining={max(LIMIT - self.used, 0)}, reset={reset:g}"
        status = 429 if self.used > LIMIT else 200
        self.statuses.append(status)
        await asyncio.sleep(way)
        return httpx.Response(status, json={"id": request.url.path}, headers={"RateLimit": told})


async def _run(service: Service, commit: float) -> tuple[float, int]:
    """Run a change of a thousand numbers; return the seconds that it took and how many succeeded."""
    loop = asyncio.get_running_loop()
    provider = Close(
        api_key="api_x",
        api_url="https://close.invalid/api/v1",
        runs=PaperRuns(commit),
        transport=httpx.MockTransport(service),
        now=loop.time,
    )
    before = {id_: {"label": "Front desk"} for id_, _ in PAIRS}
    batch = BatchRequest(kind=KIND, numbers=PAIRS, values={"label": "Night desk"}, reference="1/1", before=before)
    async with provider:
        job = await provider.submit(batch)
        began = loop.time()
        while not (job := await provider.poll(job.id)).state.over:  # noqa: ASYNC110 - polling is what a caller does
            await asyncio.sleep(0.05)
        return loop.time() - began, len(job.succeeded)


@pytest.mark.parametrize(
    ("latency", "commit"),
    [
        pytest.param((0.0, 0.0), 0.0, id="no-latency"),
        pytest.param((0.02, 0.08), 0.005, id="near"),
        pytest.param((0.06, 0.12), 0.01, id="far"),
    ],
)
def test_a_thousand_numbers_take_as_long_as_the_limit_demands(latency: tuple[float, float], commit: float) -> None:
    """At sixty a second they end within a tenth of 1,000/60 seconds, and nobody is told to slow down."""
    service = Service(latency)

    took, succeeded = run_virtually(_run(service, commit))

    assert succeeded == NUMBERS
    assert service.statuses.count(429) <= 1
    assert took <= 1.1 * NUMBERS / LIMIT
    assert service.pages == NUMBERS / 100  # each number was looked at just before its update all the same
