"""What an update does to a number, and how a test spoils that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.sandbox.close.account import Account
from bot.sandbox.close.errors import JsonObject, RefusedError
from bot.sandbox.close.records import Number, Update
from bot.sandbox.close.rows import single_row


@dataclass(slots=True, kw_only=True)
class Failure:
    """A refusal that a test ordered for one number."""

    #: E.164 or id.
    key: str
    status: int
    body: JsonObject
    #: How many more updates it hits; ``None`` for all of them.
    times: int | None


@dataclass(slots=True, kw_only=True)
class Drop:
    """A setting that updates leave as it was while they report success."""

    setting: str
    #: E.164 or id; ``None`` for every number.
    key: str | None
    #: Whether the answer shows the new value all the same, so that only another look finds out.
    pretend: bool
    times: int | None


class Effects:
    """Carries out updates."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.failures: list[Failure] = []
        self.drops: list[Drop] = []
        self.updates: list[Update] = []

    def refuse_if_ordered(self, number: Number) -> None:
        """Raise the refusal that a test ordered for this number, if there is one."""
        for failure in self.failures:
            if failure.key in (number.id, number.number) and failure.times != 0:
                failure.times = None if failure.times is None else failure.times - 1
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
        found: list[Drop] = []
        for drop in self.drops:
            meant = drop.key in (None, number.id, number.number) and drop.setting in settings
            if meant and drop.times != 0:
                drop.times = None if drop.times is None else drop.times - 1
                found.append(drop)
        return found
