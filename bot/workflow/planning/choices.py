"""What people can choose from: kinds of change, and things that live at a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice
from bot.changes.policy import Policies
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context


class Choices:
    """Offers what can be chosen in the form."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._authorization = authorization
        self._catalogue = context.catalogue
        self._offered = {kind.name: _offered(kind, context.policies) for kind in context.catalogue.kinds}
        #: All kinds of change that somebody may ask for, by their names.
        self.by_name: Mapping[str, Kind] = {
            name: kind for name, kind in self._offered.items() if context.policies.largest(name) > 0
        }

    @property
    def kinds(self) -> Sequence[Kind]:
        """The same, in the catalogue's order."""
        return tuple(self.by_name.values())

    def by_command(self, word: str) -> Kind | None:
        """Return the kind that ``/numbers <word>`` starts; None when there is none."""
        kind = self._catalogue.by_command(word)
        return self._offered[kind.name] if kind else None

    async def search(self, kind: Kind, setting: str, text: str, *, by: str) -> Sequence[Choice]:
        """Return what ``by`` can choose for a LOOKUP setting; raises NotAllowed and ProviderError leaves."""
        await self._authorization.read(by)
        return await self._catalogue.provider(kind).choices(kind, setting, text)


def _offered(kind: Kind, policies: Policies) -> Kind:
    """Return ``kind`` without filters that cannot be previewed, unless a rule allows them."""
    if policies.unpreviewable(kind.name):
        return kind
    return replace(kind, filters=tuple(field for field in kind.filters if field.previewable))
