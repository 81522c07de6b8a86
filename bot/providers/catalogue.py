"""Which kinds of change there are, and who carries them out."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.model.kinds import Kind
from bot.errors import NotFound
from bot.providers.answered_subset import SubsetGuard
from bot.providers.base import Provider


class Catalogue:
    """The kinds of all providers that are switched on; each behind :mod:`bot.providers.answered_subset`."""

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
        """Return the kind called ``name``; raises NotFound, for a provider may have been switched off."""
        try:
            return self._kinds[name]
        except KeyError:
            raise NotFound(f"Changes of the kind {name} are not available: its provider is switched off.") from None

    def by_command(self, word: str) -> Kind | None:
        """Return the kind that ``/numbers <word>`` starts; None when there is none."""
        return next((kind for kind in self.kinds if kind.command == word), None)

    def provider(self, kind: Kind) -> Provider:
        """Return who carries out changes of ``kind``."""
        return self._providers[kind.provider]
