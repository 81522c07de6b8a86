"""Telnyx as a provider, and how the wiring opens it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import httpx

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice
from bot.changes.model.snapshots import Snapshot, Target
from bot.changes.text.counts import counted
from bot.config import Settings
from bot.machine import chance, steady, wall
from bot.providers.base import BatchRequest, JobReport, JobSearch, Session
from bot.providers.exchange import Ready
from bot.providers.http import Bounds, PacedClient
from bot.providers.masking import Masking, SentSecrets
from bot.providers.offers import Offer, ProviderParts
from bot.providers.shared_rates import SharedPace, SharedRates
from bot.providers.telnyx.downloads import Downloads
from bot.providers.telnyx.errors import refusal
from bot.providers.telnyx.files import LinkedFiles
from bot.providers.telnyx.jobs import Jobs
from bot.providers.telnyx.kinds import kinds
from bot.providers.telnyx.lookups import TAGS, Lookups, Tags
from bot.providers.telnyx.reading import Reader
from bot.providers.telnyx.wire import STATES

#: Ids are 64-bit integers as text. Old examples have shorter ones, but 15 digits or fewer may be a phone number that
#: lost its +, and changing the wrong number is worse than asking again.
_ID: Final = re.compile(r"[1-9][0-9]{15,18}")


class Telnyx(Session):
    """One Telnyx account. It opens its own connections; close it, or use it in ``async with``.

    ``api_url`` is the base of the API with its version. ``transport`` is for tests. Without ``encryption``, secret
    settings are neither offered nor read. ``sent_secrets`` keeps fingerprints of sent secrets across restarts.
    """

    name = "telnyx"
    title = "Telnyx"
    carries_out = False
    kinds: Sequence[Kind]

    def __init__(
        self,
        *,
        api_key: str,
        api_url: str = "https://api.telnyx.com/v2",
        encryption: Encryption | None = None,
        sent_secrets: SentSecrets | None = None,
        bounds: Bounds | None = None,
        rates: SharedRates | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = steady,
        wall: Callable[[], float] = wall,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = chance,
    ) -> None:
        self.kinds = kinds(secrets=encryption is not None)
        client = httpx.AsyncClient(
            base_url=api_url,
            headers={"Authorization": f"Bearer {api_key}", "Accept": "application/json", "User-Agent": "linesman"},
            transport=transport,
        )
        http = PacedClient(
            client=client,
            title=self.title,
            refuse=refusal,
            bounds=bounds or Bounds(),
            shared=SharedPace(rates, now) if rates else None,
            by_endpoint=False,  # which calls count together is not documented (API.md, "Rate limits")
            now=now,
            wall=wall,
            sleep=sleep,
            jitter=jitter,
            masking=Masking(encryption, sent_secrets, words=STATES, api_key=api_key),
        )
        super().__init__(http)
        self._reader = Reader(http, encryption, Downloads(http, LinkedFiles(http, transport)))
        self._jobs = Jobs(http, encryption)
        self._lookups = Lookups(http)
        self._tags = Tags(http)

    def is_id(self, text: str) -> bool:
        """Tell whether ``text`` has the form of a number's id: 16 to 19 digits, within 64 bits."""
        return _ID.fullmatch(text) is not None and int(text) < 2**63

    def find(self, target: Target, names: Iterable[str], kind: Kind) -> AsyncGenerator[Snapshot, None]:
        """Stream snapshots of the target's numbers; see :class:`bot.providers.base.Provider`.

        Numbers given in E.164 that the account does not own or cannot change now are absent. Numbers given by id are
        absent when unknown and come with ``editable=False`` when they cannot be changed now, and so do numbers that a
        filter finds. A status is returned only when a setting outside ``voice`` is read, as it takes another call.
        Besides the errors of any call, raises :class:`bot.errors.BadRequest` for a filter that Telnyx did not apply,
        :class:`bot.errors.FilterRefused` for one whose numbers it does not tell, and :class:`bot.errors.Unavailable`
        for one whose numbers change during the reading.
        """
        return self._reader.find(target, names, kind)

    async def submit(self, batch: BatchRequest, ready: Ready | None = None) -> JobReport:
        """Create the job for ``batch``; see :class:`bot.providers.base.Provider`."""
        return await self._jobs.submit(batch, ready)

    async def poll(self, job_id: str) -> JobReport:
        """Return the job as it is now; see :class:`bot.providers.base.Provider`."""
        return await self._jobs.poll(job_id)

    async def search(self, batch: BatchRequest, since: datetime | None) -> JobSearch:
        """Return the jobs that may be the batch's; see :class:`bot.providers.base.Provider`."""
        return await self._jobs.search(batch, since)

    async def recognise(self, batch: BatchRequest, job_id: str, since: datetime | None) -> JobReport:
        """Return the job if it can be the batch's; see :class:`bot.providers.base.Provider`."""
        return await self._jobs.recognise(batch, job_id, since)

    async def choices(self, kind: Kind, setting: str, text: str) -> tuple[Choice, ...]:  # noqa: ARG002 - protocol
        """Return up to 100 choices; labels have at most 75 characters. ``tags`` are those in use."""
        if setting == TAGS:
            return await self._tags.choices(text)
        return await self._lookups.choices(setting, text)

    async def labels(self, kind: Kind, setting: str, ids: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002 - protocol
        """Return id -> name; see :class:`bot.providers.base.Provider`. A tag is its own name."""
        if setting == TAGS:
            return {tag: tag for tag in ids}
        return await self._lookups.labels(setting, ids)

    async def check(self) -> str:
        """Ask for the first number of the account and say how many there are."""
        count = await self._reader.size()
        if count is None:
            return "Telnyx accepts the API key."
        return f"Telnyx accepts the API key; the account has {counted(count, 'number')}."


def _open(settings: Settings, parts: ProviderParts) -> Telnyx | None:
    if settings.telnyx is None:
        return None
    return Telnyx(
        api_key=settings.telnyx.api_key.get_secret_value(),
        api_url=settings.telnyx.api_url,
        encryption=parts.encryption,
        sent_secrets=parts.sent_secrets,
        bounds=parts.bounds,
        rates=parts.rates,
        now=parts.machine.steady,
        wall=parts.machine.wall,
        jitter=parts.machine.chance,
    )


OFFER: Final = Offer(kinds=kinds(secrets=True), open=_open)
