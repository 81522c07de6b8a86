"""An account's numbers, and the ways in which looks at them can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from bot.sandbox.provider.clock import Clock


class StandInNumber(Protocol):
    """What the shell must know about a number."""

    id: str

    @property
    def e164(self) -> str:
        """The number itself."""


NumberT = TypeVar("NumberT", bound=StandInNumber)


class ProviderAccount(Generic[NumberT]):
    """Holds the numbers, and finds them by id or E.164.

    Attributes:
        clock: the time of the stand-in.
        numbers: all numbers by id.
        read_lag: for how many seconds after a change a number is read as it was before.
        mistaken: id that is asked for -> id of the number that is answered in its place.

    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.numbers: dict[str, NumberT] = {}
        self.read_lag = 0.0
        self.mistaken: dict[str, str] = {}
        self._by_e164: dict[str, NumberT] = {}

    def add(self, number: NumberT) -> None:
        """Take a number into the account.

        Raises:
            ValueError: when the account has it already.

        """
        if number.id in self.numbers or number.e164 in self._by_e164:
            raise ValueError(f"the stand-in already has {number.e164} (id {number.id})")
        self.numbers[number.id] = number
        self._by_e164[number.e164] = number

    def remove(self, number: NumberT) -> None:
        """Delete a number for good."""
        del self.numbers[number.id]
        del self._by_e164[number.e164]

    def find(self, key: str) -> NumberT | None:
        """Return the number with this E.164 text or id, if the account has it."""
        return self._by_e164.get(key) if key.startswith("+") else self.numbers.get(key)


def consecutive(count: int, *, start: str) -> Iterator[str]:
    """Return ``count`` consecutive E.164 numbers from ``start`` on."""
    first = int(start.removeprefix("+"))
    return (f"+{number}" for number in range(first, first + count))
