"""What people can choose from: kinds of change, and things that live at a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context


class Choices:
    """Offers what can be chosen in the form."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._authorization = authorization
        self._catalogue = context.catalogue
        self._policies = context.policies

    @property
    def kinds(self) -> Sequence[Kind]:
        """All kinds of change that somebody may ask for."""
        return [self._offered(kind) for kind in self._catalogue.kinds if self._policies.largest(kind.name) > 0]

    @property
    def by_name(self) -> Mapping[str, Kind]:
        """The same, by their names."""
        return {kind.name: kind for kind in self.kinds}

    def _offered(self, kind: Kind) -> Kind:
        """Return ``kind`` without filters that cannot be previewed, unless a rule allows them."""
        if self._policies.unpreviewable(kind.name):
            return kind
        return replace(kind, filters=tuple(field for field in kind.filters if field.previewable))

    def by_command(self, word: str) -> Kind | None:
        """Return the kind that ``/numbers <word>`` starts; None when there is none."""
        kind = self._catalogue.by_command(word)
        return self._offered(kind) if kind else None

    async def search(self, kind: Kind, setting: str, text: str, *, by: str) -> Sequence[Choice]:
        """Return what ``by`` can choose for a LOOKUP setting; raises NotAllowed and ProviderError leaves."""
        await self._authorization.read(by)
        return await self._catalogue.provider(kind).choices(kind, setting, text)
