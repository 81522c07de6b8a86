"""What people can choose from: kinds of change, and objects at a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context


class Choices:
    """Offers what can be chosen in the form."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._authorization = authorization
        self._catalogue = context.catalogue
        #: All kinds of change that can be requested, by name.
        self.by_name: Mapping[str, Kind] = {
            kind.name: kind for kind in context.catalogue.kinds if context.policies.largest(kind.name) > 0
        }

    @property
    def kinds(self) -> Sequence[Kind]:
        """The same, in the catalogue's order."""
        return tuple(self.by_name.values())

    def by_command(self, word: str) -> Kind | None:
        """Return the kind that ``/numbers <word>`` starts; None without one."""
        return self._catalogue.by_command(word)

    async def search(self, kind: Kind, setting: str, text: str, *, by: str) -> Sequence[Choice]:
        """Return the choices of ``by`` for a LOOKUP setting; raises NotAuthorized and ProviderError leaves."""
        await self._authorization.read(by)
        return await self._catalogue.provider(kind).choices(kind, setting, text)
