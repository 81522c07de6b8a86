"""The account: its numbers and everything they refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import datetime, timedelta
from itertools import count
from uuid import uuid4

from bot.sandbox.provider.account import ProviderAccount
from bot.sandbox.provider.clock import Clock
from bot.sandbox.telnyx.paging import Paging
from bot.sandbox.telnyx.provisioning import Provisioning
from bot.sandbox.telnyx.records import EDITABLE, Address, BillingGroup, Connection, Number

#: Int64 ids begin here, so they look like Telnyx's and never like a phone number.
FIRST_ID = 1_293_384_261_075_731_000

#: Orders that only change when a number comes or goes, so they are worth keeping.
_STABLE: dict[str, Callable[[Number], datetime | str]] = {
    "purchased_at": lambda number: number.purchased_at,
    "phone_number": lambda number: number.phone_number,
}


class Account(ProviderAccount[Number]):
    """Holds the records, finds numbers by id or E.164, and keeps them in the orders that lists ask for."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.connections: dict[str, Connection] = {}
        self.billing_groups: dict[str, BillingGroup] = {}
        self.addresses: dict[str, Address] = {}
        self._orders: dict[str, list[Number]] = {}
        self._tag_casing: dict[str, str] = {}
        #: The emergency service, which is asked for by jobs and comes in its own time.
        self.emergency = Provisioning(clock)
        #: How lists are cut into pages.
        self.paging = Paging()
        #: Ids of numbers that are in every answer about ownership, asked for or not.
        self.intruders: list[str] = []
        self._former: dict[str, tuple[datetime, Number]] = {}
        self._ids = count(FIRST_ID)

    def new_id(self) -> str:
        """Return the next int64 id as a string."""
        return str(next(self._ids))

    def new_uuid(self) -> str:
        """Return a fresh UUID as a string."""
        return str(uuid4())

    def add(self, number: Number) -> None:
        """Take a number into the account; its tags get the casing of their first use."""
        super().add(number)
        number.tags = self.cased(number.tags)
        self._orders.clear()

    def remove(self, number: Number) -> None:
        """Delete a number for good."""
        super().remove(number)
        self._orders.clear()

    def find_editable(self, e164: str) -> Number | None:
        """Return the number if the account has it in an editable state."""
        number = self._by_e164.get(e164)
        return number if number is not None and number.status in EDITABLE else None

    def changing(self, number: Number) -> None:
        """Keep a number as it is now, for those who read it before the lag is over."""
        if self.read_lag > 0:
            self._former[number.id] = (self.clock.now() + timedelta(seconds=self.read_lag), deepcopy(number))

    def as_read(self, number: Number) -> Number:
        """Return a number as a reader sees it now."""
        until, former = self._former.get(number.id, (None, number))
        return former if until is not None and self.clock.now() < until else number

    def connection_name(self, number: Number) -> str | None:
        """Return the name of the connection that a number is on."""
        connection = self.connections.get(number.connection_id or "")
        return connection.connection_name if connection else None

    def names(self) -> dict[str, str]:
        """Return what ids of connections, billing groups and addresses stand for."""
        return {
            **{each.id: each.connection_name for each in self.connections.values()},
            **{each.id: each.name for each in self.billing_groups.values()},
            **{each.id: each.business_name or each.street_address for each in self.addresses.values()},
        }

    def cased(self, tags: Iterable[str]) -> list[str]:
        """Return tags without repetition, each in the casing of its first use, as Telnyx keeps them."""
        return list(dict.fromkeys(self._tag_casing.setdefault(tag.casefold(), tag) for tag in tags))

    def tags_in_use(self) -> list[str]:
        """Return every tag that some number carries, sorted."""
        return sorted({tag for number in self.numbers.values() for tag in number.tags})

    def ordered(self, sort: str | None) -> list[Number]:
        """Return all numbers in one of the documented orders; ``None`` is newest first."""
        if sort == "connection_name":
            return sorted(self.numbers.values(), key=lambda number: self.connection_name(number) or "")
        if sort == "usage_payment_method":
            return sorted(self.numbers.values(), key=lambda number: number.voice.usage_payment_method)
        order = sort or "created_at"
        if order not in self._orders:
            self._orders[order] = self._sorted(order)
        return self._orders[order]

    def _sorted(self, order: str) -> list[Number]:
        if order == "created_at":
            newest_last = reversed(self.numbers.values())
            return sorted(newest_last, key=lambda number: number.created_at, reverse=True)
        return sorted(self.numbers.values(), key=_STABLE[order])
