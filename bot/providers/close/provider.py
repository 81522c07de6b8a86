"""Close as a provider, and how the wiring opens it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import httpx

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice
from bot.changes.model.snapshots import Snapshot, Target
from bot.config import Settings
from bot.errors import BadRequest
from bot.machine import chance, steady, unique, wall
from bot.providers.answers import clean
from bot.providers.base import BatchRequest, JobReport, JobSearch, Session
from bot.providers.close import kinds as table
from bot.providers.close.driver import Driver
from bot.providers.close.errors import refusal
from bot.providers.close.execution import WIDEST
from bot.providers.close.jobs import Jobs
from bot.providers.close.kinds import kinds
from bot.providers.close.lookups import Lookups
from bot.providers.close.reading import Reader
from bot.providers.close.rights import Rights
from bot.providers.close.updates import Updates
from bot.providers.exchange import Ready
from bot.providers.http import Bounds, PacedClient
from bot.providers.masking import Masking
from bot.providers.offers import Offer, ProviderParts
from bot.providers.runs import Runs
from bot.providers.shared_rates import SharedPace, SharedRates

#: ``phon_`` and an opaque text (API.md, "Fields of a number"), whose length is not documented.
_ID: Final = re.compile(r"phon_[0-9A-Za-z]{1,59}")
#: Seconds that a 429 without any header means (API.md, "Rate limits").
_UNASKED: Final = 2.0


class Close(Session):
    """One organization at Close. It opens its own connections; close it, or use it in ``async with``.

    ``api_key`` is an API key or, with ``bearer``, an OAuth access token; ``api_url`` is the base of the API with its
    version; ``transport`` is for tests, and ``owner`` gives a unique name. ``runs`` stores the runs; without it
    everything can be read and nothing changed. They are carried out in the background from the first submission or poll
    until :meth:`aclose`, which takes a few seconds at the most.
    """

    name = "close"
    title = "Close"
    carries_out = True
    kinds: Sequence[Kind]

    def __init__(
        self,
        *,
        api_key: str,
        runs: Runs | None,
        bearer: bool = False,
        api_url: str = "https://api.close.com/api/v1",
        bounds: Bounds | None = None,
        rates: SharedRates | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = steady,
        wall: Callable[[], float] = wall,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = chance,
        owner: Callable[[], str] = unique,
    ) -> None:
        self.kinds = table.kinds()
        headers = {"Accept": "application/json", "User-Agent": "linesman"}
        bounds = bounds or Bounds()
        # Updates have connections of their own, so that a menu or a plan does not wait for a run.
        bounds = replace(bounds, concurrency=bounds.concurrency + WIDEST)
        client = httpx.AsyncClient(
            base_url=api_url,
            # If fewer were kept, every other update would need a new connection.
            limits=httpx.Limits(max_connections=2 * bounds.concurrency, max_keepalive_connections=bounds.concurrency),
            headers=headers | ({"Authorization": f"Bearer {api_key}"} if bearer else {}),
            auth=None if bearer else httpx.BasicAuth(api_key, ""),
            transport=transport,
        )
        http = PacedClient(
            client=client,
            title=self.title,
            refuse=refusal,
            bounds=bounds,
            now=now,
            wall=wall,
            sleep=sleep,
            jitter=jitter,
            unasked_wait=_UNASKED,
            shared=SharedPace(rates, now) if rates else None,
            masking=Masking(api_key=api_key),
        )
        super().__init__(http)
        self._lookups = Lookups(http)
        rights = Rights(http)
        self._reader = Reader(http, self._lookups, rights)
        self._jobs = Jobs(runs) if runs is not None else None
        kind_of = {kind.name: kind for kind in self.kinds}
        updates = Updates(http, self._reader, rights)
        self._driver = (
            Driver(runs, updates, kind_of.__getitem__, owner=f"close:{owner()}") if runs is not None else None
        )

    async def aclose(self) -> None:
        """Stop carrying out runs, with each number either done or not begun, and close the connections."""
        if self._driver is not None:
            await self._driver.close()
        await super().aclose()

    def is_id(self, text: str) -> bool:
        """Tell whether ``text`` has the form of a number's id: ``phon_`` and letters and digits."""
        return _ID.fullmatch(text) is not None

    def find(self, target: Target, names: Iterable[str], kind: Kind) -> AsyncGenerator[Snapshot, None]:
        """Stream snapshots of the target's numbers; see :class:`bot.providers.base.Provider`.

        A setting that Close does not return for a number is absent from its values, which is not the same as None. If
        it is a list, the number comes with ``editable=False``: nobody could see what a new list would replace.
        """
        return self._reader.find(target, names, kind)

    async def submit(self, batch: BatchRequest, ready: Ready | None = None) -> JobReport:
        """Write down the run of ``batch`` and begin it. Nothing is sent here, so the outcome is never unknown."""
        kept = self._kept()
        if ready is not None:
            await ready()
        job = await kept.submit(batch)
        self._wake()
        return job

    async def poll(self, job_id: str) -> JobReport:
        """Return the run as it is now, and make sure that it is carried out."""
        job = await self._kept().poll(job_id)
        if not job.state.over:
            self._wake()
        return job

    async def search(self, batch: BatchRequest, since: datetime | None) -> JobSearch:  # noqa: ARG002 - protocol
        """Return the run of ``batch``, if it was written down."""
        return JobSearch(jobs=await self._kept().search(batch))

    async def recognise(self, batch: BatchRequest, job_id: str, since: datetime | None) -> JobReport:  # noqa: ARG002 - protocol
        """Return the run that a person takes for the batch's; a run knows its batch, so the answer is certain."""
        for run in await self._kept().search(batch):
            if run.id == job_id:
                return run
        raise BadRequest(
            f"Run {clean(job_id, 40)} does not belong to this batch; choose another, or send the batch again."
        )

    def _kept(self) -> Jobs:
        if self._jobs is None:
            raise BadRequest("Nothing can be changed at Close from here, as there is no place to write a run down.")
        return self._jobs

    def _wake(self) -> None:
        if self._driver is not None:
            self._driver.wake()

    async def choices(self, kind: Kind, setting: str, text: str) -> tuple[Choice, ...]:  # noqa: ARG002 - protocol
        """Return up to 100 users or groups to choose from; labels have at most 75 characters."""
        return await self._lookups.choices(setting, text)

    async def labels(self, kind: Kind, setting: str, ids: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002 - protocol
        """Return id -> name of users or groups; see :class:`bot.providers.base.Provider`."""
        return await self._lookups.labels(setting, ids)

    async def check(self) -> str:
        """Ask who the credentials belong to."""
        who = await self._reader.check()
        return f"Close accepts the credentials; they belong to {who}." if who else "Close accepts the credentials."


def _open(settings: Settings, parts: ProviderParts) -> Close | None:
    if settings.close is None:
        return None
    return Close(
        api_key=settings.close.api_key.get_secret_value(),
        bearer=settings.close.bearer,
        api_url=settings.close.api_url,
        runs=parts.runs(Close.name) if parts.runs else None,
        bounds=parts.bounds,
        rates=parts.rates,
        now=parts.machine.steady,
        wall=parts.machine.wall,
        jitter=parts.machine.chance,
        owner=parts.machine.unique,
    )


OFFER: Final = Offer(kinds=kinds(), open=_open)
