"""What a test orders to go wrong, so many times."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.provider.account import StandInNumber


@dataclass(slots=True, kw_only=True)
class Order:
    """Something that happens to the next calls that it fits."""

    #: How many more times it happens; ``None`` for always.
    times: int | None

    def take(self) -> bool:
        """Tell whether it happens this time, and count it."""
        if self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True, kw_only=True)
class NumberOrder(Order):
    """An order for one number, or for all."""

    #: E.164 or id; ``None`` for every number.
    key: str | None

    def hits(self, number: StandInNumber) -> bool:
        """Tell whether it happens to this number this time, and count it if so."""
        return self.key in (None, number.id, number.e164) and self.take()
