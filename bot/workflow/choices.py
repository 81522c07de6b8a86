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

    @property
    def kinds(self) -> Sequence[Kind]:
        """All kinds of change that are available."""
        return self._catalogue.kinds

    def by_command(self, word: str) -> Kind | None:
        """Return the kind that ``/numbers <word>`` starts; None when there is none."""
        return self._catalogue.by_command(word)

    async def search(self, kind: Kind, setting: str, text: str) -> Sequence[Choice]:
        """Return what can be chosen for a LOOKUP setting; raises ProviderError leaves."""
        return await self._catalogue.provider(kind).choices(kind, setting, text)
