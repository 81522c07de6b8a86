"""Trouble on the wire, ordered by a test: errors, rate limits, broken connections, delays, nonsense."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from aiohttp import web

from bot.sandbox.provider.orders import Order

#: status: an error answer of the provider (see ``error`` of each one's ``Faults``); rate_limited: 429; drop_before and
#: drop_after: the connection is closed without an answer, before or after the request took effect; delay: the answer
#: comes late; malformed and empty: a good status over a body that is not what it should be, or none, after the request
#: took effect; hold: the answer waits until ``let_go`` is called; redirect: a 302 to ``location``; gateway: the page of
#: something that stands before the provider, with any status; hollow: a good status over a document with nothing in it.
Kind = Literal[
    "status",
    "rate_limited",
    "drop_before",
    "drop_after",
    "delay",
    "hold",
    "malformed",
    "empty",
    "redirect",
    "gateway",
    "hollow",
]

#: More than are ever held at once.
_ALL = 1000
_EFFECTIVE = frozenset({"drop_after", "delay", "hold", "malformed", "empty", "hollow"})


@dataclass(slots=True, kw_only=True)
class Fault(Order):
    """One ordered fault; ``times`` are the calls that it has left to hit."""

    method: str
    #: A shell pattern over the path without the API's version.
    path: str
    kind: Kind
    #: How many matching calls pass unharmed first.
    after: int
    #: The status of kinds ``status`` and ``gateway``.
    status: int
    #: The words of kind ``status``, the whole body of kind ``malformed``; ``None`` for the usual ones.
    text: str | None
    #: Seconds that kind ``delay`` waits, and an error answer of kinds ``status`` and ``rate_limited``.
    seconds: float
    #: Whether the request takes effect before the fault. A delay without it waits first, and the request
    #: then takes effect only if the client is still there.
    effect_first: bool
    #: Where kind ``redirect`` points to.
    location: str
    #: Sent with the error answer.
    headers: Mapping[str, str]
    #: One for each held answer that may go.
    passes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    def fits(self, method: str, path: str) -> bool:
        """Tell whether it is meant for this call."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)

    def let_go(self, count: int | None = None) -> None:
        """Answer ``count`` of what is held, the oldest first; all of it for ``None``, and hold nothing more."""
        if count is None:
            self.times, count = 0, _ALL
        for _ in range(count):
            self.passes.release()


class ProviderFaults(ABC):
    """The ordered faults, in the order in which they were ordered."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    @abstractmethod
    def error(self, status: int, text: str | None) -> web.Response:
        """Return the provider's error answer with a status, in its usual words or those of ``text``.

        Raises:
            ValueError: for a status that the provider does not answer.

        """

    @abstractmethod
    def waits(self, retry_after: float | None, reset: float | None) -> Mapping[str, str]:
        """Return the headers by which the provider tells a client when to come back."""

    def add(
        self,
        *,
        kind: Kind,
        method: str = "*",
        path: str = "*",
        times: int | None = 1,
        after: int = 0,
        status: int = 500,
        text: str | None = None,
        seconds: float = 0.0,
        effect_first: bool | None = None,
        location: str = "",
        retry_after: float | None = None,
        reset: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        """Order a fault for the next calls of a method and path (see ``Fault`` for the meanings).

        ``retry_after`` and ``reset`` become headers in the documented form; ``headers`` adds others, or the same ones
        in any form that a client has to survive.

        ``effect_first`` defaults to what the kind says: nothing happens for ``status``, ``rate_limited``
        and ``drop_before``, the request takes effect for all others. ``kind="status", effect_first=True``
        is the treacherous 500 after the work was done.

        Raises:
            ValueError: for a status that the provider and its gateways do not answer.

        """
        if kind != "gateway":
            self.error(status, text)
        fault = Fault(
            method=method.upper(),
            path=path,
            kind=kind,
            times=times,
            after=after,
            status=429 if kind == "rate_limited" else status,
            text=text,
            seconds=seconds,
            effect_first=kind in _EFFECTIVE if effect_first is None else effect_first,
            location=location,
            headers={**self.waits(retry_after, reset), **(headers or {})},
        )
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every fault."""
        self._faults.clear()

    @property
    def pending(self) -> Sequence[Fault]:
        """The faults that have calls left to hit."""
        return [fault for fault in self._faults if fault.times != 0]

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that hits this call, and count it down."""
        for fault in self.pending:
            if not fault.fits(method, path):
                continue
            if fault.after > 0:
                fault.after -= 1
            elif fault.take():
                return fault
        return None
