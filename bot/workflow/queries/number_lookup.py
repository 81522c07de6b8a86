"""One number: its current values, who holds it, and what changes did to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.list_rows import Cursor, HistoryRow, ListPage, cut
from bot.changes.model.locks import Held
from bot.changes.model.snapshots import Snapshot, Target
from bot.changes.model.values import Values
from bot.changes.numbers.parser import ParsedNumbers, read_numbers
from bot.changes.planning.plan import ids_in
from bot.errors import InputError, ProviderError
from bot.providers.base import Provider
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context

#: Lines of history on one page; even with their values they fit into one Slack message.
PAGE: Final = 5
#: Seconds that a provider has to return a number's values, while somebody waits for them.
PATIENCE: Final = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CurrentValues:
    """A number's current values that one kind of change could change, without secret settings."""

    kind: Kind
    values: Values
    #: Setting name -> {id: human name}.
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderNumber:
    """What one provider says about a number, and who holds it here."""

    #: What people call the provider.
    provider: str
    #: None when it is not in the account, or the provider did not answer.
    snapshot: Snapshot | None = None
    sheets: Sequence[CurrentValues] = ()
    #: The change that holds it; None without one.
    held: Held | None = None
    #: Why the provider did not answer; empty when it did.
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberDetails:
    """Everything known about one number."""

    #: The text of the request: E.164, or a provider's id.
    asked: str
    #: In E.164; empty when only an id is known.
    e164: str
    #: The answer of each provider that could have it; empty on further pages of the history.
    holdings: Sequence[ProviderNumber]
    history: ListPage[HistoryRow]
    #: The kinds of the history's changes, by name, if available.
    kinds: Mapping[str, Kind]
    #: Whether this is a further page of the history.
    further: bool = False


class NumberLookup:
    """Looks up numbers, for people who may view."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._context = context
        self._authorization = authorization

    def read(self, texts: Sequence[str]) -> ParsedNumbers:
        """Return the numbers, and the ids of any provider, in ``texts``, read as the form reads them."""
        providers = self._context.catalogue.providers
        return read_numbers(texts, is_id=lambda text: any(each.is_id(text) for each in providers))

    def identifier(self, text: str) -> str:
        """Return the one number or id in ``text``; raises :class:`bot.errors.InputError`."""
        reading = self.read([text])
        if reading.bad:
            raise InputError({"number": " ".join(f"“{bad.text}” {bad.why}." for bad in reading.bad[:3])})
        if len(reading.identifiers) > 1:
            raise InputError({"number": f"That is {len(reading.identifiers):,} numbers; find one at a time."})
        if not reading.identifiers:
            raise InputError({"number": "Say which number: `/numbers find +13035550100`, or the provider's id."})
        return reading.identifiers[0]

    async def find(self, text: str, *, by: str) -> NumberDetails:
        """Return everything about the number in ``text``; raises InputError or NotAuthorized."""
        await self._authorization.read(by)
        identifier = self.identifier(text)
        id_, e164 = await self._known(identifier)
        providers = [
            provider
            for provider in self._context.catalogue.providers
            if identifier.startswith("+") or provider.is_id(identifier)
        ]
        holdings = await asyncio.gather(*(self._holding(provider, identifier, id_) for provider in providers))
        told = next((holding.snapshot.e164 for holding in holdings if holding.snapshot is not None), "")
        return await self._number_details(identifier, told or e164, holdings, None)

    async def more(self, text: str, cursor: Cursor, *, by: str) -> NumberDetails:
        """Return another page of the number's history, without asking the providers again."""
        await self._authorization.read(by)
        identifier = self.identifier(text)
        _, e164 = await self._known(identifier)
        return await self._number_details(identifier, e164, (), cursor)

    async def _number_details(
        self, identifier: str, e164: str, holdings: Sequence[ProviderNumber], cursor: Cursor | None
    ) -> NumberDetails:
        catalogue = self._context.catalogue
        async with self._context.database.reading() as tx:
            ask = partial(tx.list_rows.history, e164=e164, number_id=identifier, limit=PAGE + 1)
            history = cut(await ask(cursor=cursor), cursor, PAGE, _change)
            if history is None:
                history = cut(await ask(), None, PAGE, _change)
        return NumberDetails(
            asked=identifier,
            e164=e164,
            holdings=holdings,
            history=history or ListPage(),
            kinds={kind.name: kind for kind in catalogue.kinds},
            further=cursor is not None,
        )

    async def _known(self, identifier: str) -> tuple[str, str]:
        """Return (id, E.164) as a plan has seen the number, completed by what was asked for."""
        async with self._context.database.reading() as tx:
            if identifier.startswith("+"):
                return (await tx.list_rows.known(e164=identifier))[0], identifier
            return identifier, (await tx.list_rows.known(number_id=identifier))[1]

    async def _holding(self, provider: Provider, identifier: str, known_id: str) -> ProviderNumber:
        try:
            async with asyncio.timeout(PATIENCE):
                found = await self._read_number(provider, identifier)
                if found is None and known_id != identifier and provider.is_id(known_id):
                    # A number that cannot be changed just now is not found by its E.164, but by its id.
                    found = await self._read_number(provider, known_id)
        except TimeoutError:
            problem, found = f"{provider.title} is not responding right now.", None
        except ProviderError as error:
            problem, found = error.message, None
        else:
            problem = ""
        snapshot, sheets = found or (None, ())
        async with self._context.database.reading() as tx:
            held = await tx.locks.holder(provider.name, snapshot.id if snapshot else known_id)
        return ProviderNumber(provider=provider.title, snapshot=snapshot, sheets=sheets, held=held, problem=problem)

    async def _read_number(
        self, provider: Provider, identifier: str
    ) -> tuple[Snapshot, Sequence[CurrentValues]] | None:
        """Return the number as the provider has it now, kind by kind; None when it is not in the account."""
        found = await asyncio.gather(
            *(self._sheet(provider, kind, identifier) for kind in provider.kinds if kind.settings)
        )
        told = [each for each in found if each is not None]
        if not told:
            return None
        # A kind whose settings need fewer calls may not have received the number's status.
        snapshot = next((snapshot for snapshot, _ in told if snapshot.status), told[0][0])
        return snapshot, [sheet for _, sheet in told]

    async def _sheet(self, provider: Provider, kind: Kind, identifier: str) -> tuple[Snapshot, CurrentValues] | None:
        names = [setting.name for setting in kind.settings if not setting.secret]
        target = Target(identifiers=(identifier,))
        snapshots = [snapshot async for snapshot in provider.find(target, names, kind)]
        if not snapshots:
            return None
        values = {name: snapshots[0].values.get(name) for name in names}
        labels = {
            name: await provider.labels(kind, name, ids)
            for name, value in values.items()
            if kind.setting(name).lookup and (ids := ids_in(value))
        }
        return snapshots[0], CurrentValues(kind=kind, values=values, labels=labels)


def _change(past: HistoryRow) -> int:
    return past.change.id
