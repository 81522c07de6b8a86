"""The kinds of change, who carries them out, and the guard in front of every provider.

No unrequested data passes the guard, whichever provider returns it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice
from bot.changes.model.snapshots import Snapshot, Target
from bot.errors import NotFound
from bot.providers.answers import unasked
from bot.providers.base import BatchRequest, JobReport, JobSearch, Provider
from bot.providers.exchange import Ready

#: Snapshots streamed before others get a turn.
_TURN: Final = 250


class SubsetGuard(Provider):
    """A provider whose answers are checked: only named numbers and requested ids may come back.

    The provider checks filters against their rows, as it knows what a row shows. A target with numbers and no filter is
    checked against its numbers here, and so is everything requested by an id.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.name = provider.name
        self.title = provider.title
        self.kinds = provider.kinds
        self.carries_out = provider.carries_out
        self.clock = provider.clock
        self.key = provider.key
        self.calls = provider.calls

    def is_id(self, text: str) -> bool:  # noqa: D102 - as in Provider
        return self._provider.is_id(text)

    async def find(self, target: Target, names: Iterable[str], kind: Kind) -> AsyncGenerator[Snapshot, None]:
        """Stream snapshots; raises :class:`bot.errors.UnrequestedData` for a number outside the target."""
        named, excluded = frozenset(target.identifiers), frozenset(target.excluded)
        seen: set[str] = set()
        await asyncio.sleep(0)  # preparing a hundred thousand names takes a while
        stream = self._provider.find(target, names, kind)
        async for snapshot in stream:
            id_, e164 = snapshot.id, snapshot.e164
            meant = target.conditions or id_ in named or e164 in named
            if not meant or id_ in excluded or e164 in excluded or id_ in seen:
                raise unasked(self.title, e164 or id_)
            seen.add(id_)
            yield snapshot
            if len(seen) % _TURN == 0:
                await asyncio.sleep(0)  # without any waiting in between, clicks would have to wait

    async def submit(  # noqa: D102 - as in Provider
        self, batch: BatchRequest, ready: Ready | None = None
    ) -> JobReport:
        return await self._provider.submit(batch, ready)

    async def poll(self, job_id: str) -> JobReport:
        """Return the job as it is now; raises :class:`bot.errors.UnrequestedData` for another one."""
        return self._the(job_id, await self._provider.poll(job_id))

    async def search(self, batch: BatchRequest, since: datetime | None) -> JobSearch:  # noqa: D102 - as in Provider
        return await self._provider.search(batch, since)

    async def recognise(self, batch: BatchRequest, job_id: str, since: datetime | None) -> JobReport:
        """Return the job that a person takes for the batch's; raises UnrequestedData for another one."""
        return self._the(job_id, await self._provider.recognise(batch, job_id, since))

    def _the(self, job_id: str, report: JobReport) -> JobReport:
        if report.id != job_id:
            raise unasked(self.title, f"job {report.id}")
        return report

    async def choices(self, kind: Kind, setting: str, text: str) -> tuple[Choice, ...]:  # noqa: D102 - as in Provider
        return await self._provider.choices(kind, setting, text)

    async def labels(self, kind: Kind, setting: str, ids: Iterable[str]) -> Mapping[str, str]:
        """Return id -> human name; raises :class:`bot.errors.UnrequestedData` for an id that is not among ``ids``."""
        wanted: Sequence[str] = list(ids)
        found = await self._provider.labels(kind, setting, wanted)
        for id_ in found.keys() - set(wanted):
            raise unasked(self.title, id_)
        return found

    async def check(self) -> str:  # noqa: D102 - as in Provider
        return await self._provider.check()

    async def aclose(self) -> None:  # noqa: D102 - as in Provider
        await self._provider.aclose()


class Catalogue:
    """The kinds of all enabled providers; each behind a :class:`SubsetGuard`."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = {provider.name: SubsetGuard(provider) for provider in providers}
        self._kinds = {kind.name: kind for provider in providers for kind in provider.kinds}

    @property
    def kinds(self) -> Sequence[Kind]:
        """All kinds, in the providers' order."""
        return tuple(self._kinds.values())

    @property
    def providers(self) -> Sequence[Provider]:
        """All providers."""
        return tuple(self._providers.values())

    def kind(self, name: str) -> Kind:
        """Return the kind called ``name``; raises NotFound, as a provider may have been disabled."""
        try:
            return self._kinds[name]
        except KeyError:
            raise NotFound(f"Changes of the kind {name} are not available: its provider is switched off.") from None

    def by_command(self, word: str) -> Kind | None:
        """Return the kind that ``/numbers <word>`` starts; None without one."""
        return next((kind for kind in self.kinds if kind.command == word), None)

    def provider(self, kind: Kind) -> Provider:
        """Return the provider that carries out changes of ``kind``."""
        return self._providers[kind.provider]
