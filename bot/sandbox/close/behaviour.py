"""What an update does to a number, and how a test spoils that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.sandbox.close.account import Account
from bot.sandbox.close.records import Number, Update
from bot.sandbox.close.rows import single_row
from bot.sandbox.provider.errors import JsonObject, RefusedError
from bot.sandbox.provider.orders import NumberOrder


@dataclass(slots=True, kw_only=True)
class Failure(NumberOrder):
    """A refusal that a test ordered for updates of a number."""

    status: int
    body: JsonObject


@dataclass(slots=True, kw_only=True)
class Drop(NumberOrder):
    """A setting that updates leave as it was while they report success."""

    setting: str
    #: Whether the answer shows the new value all the same, so that only another look finds out.
    pretend: bool


class Behaviour:
    """Carries out updates."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.failures: list[Failure] = []
        self.drops: list[Drop] = []
        self.updates: list[Update] = []

    def refuse_if_ordered(self, number: Number) -> None:
        """Raise the refusal that a test ordered for this number, if there is one."""
        for failure in self.failures:
            if failure.hits(number):
                raise RefusedError(failure.status, failure.body)

    def carry_out(self, number: Number, settings: JsonObject) -> JsonObject:
        """Change the number and return the row to answer with. Lists are replaced whole, without repetitions."""
        drops = self._dropped(number, settings)
        before = replace(number, before=None)
        kept = {name: value for name, value in settings.items() if name not in {drop.setting for drop in drops}}
        for name, value in kept.items():
            setattr(number, name, list(dict.fromkeys(value)) if isinstance(value, list) else value)
        now = self._account.clock.now()
        if settings:
            number.before, number.date_updated = before, now
        self.updates.append(Update(number=number.number, settings=kept, at=now))
        return single_row(number, self._account) | {
            drop.setting: settings[drop.setting] for drop in drops if drop.pretend
        }

    def _dropped(self, number: Number, settings: JsonObject) -> list[Drop]:
        return [drop for drop in self.drops if drop.setting in settings and drop.hits(number)]
