"""What people can choose from: kinds of change, and things that live at a provider."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.kinds import Kind
from bot.changes.settings import Choice
from bot.workflow.context import Context


class Choices:
    """Offers what can be chosen in the form."""

    def __init__(self, context: Context) -> None:
        self._catalogue = context.catalogue
        self._policies = context.policies

    @property
    def kinds(self) -> Sequence[Kind]:
        """All kinds of change that somebody may ask for."""
        return [kind for kind in self._catalogue.kinds if self._policies.largest(kind.name) > 0]

    def by_command(self, word: str) -> Kind | None:
        """Return the kind that ``/numbers <word>`` starts; None when there is none."""
        return self._catalogue.by_command(word)

    async def search(self, kind: Kind, setting: str, text: str) -> Sequence[Choice]:
        """Return what can be chosen for a LOOKUP setting; raises ProviderError leaves."""
        return await self._catalogue.provider(kind).choices(kind, setting, text)
