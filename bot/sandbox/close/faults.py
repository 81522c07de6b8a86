"""Trouble on the wire, ordered by a test: errors, rate limits, broken connections, delays, nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from bot.sandbox.close.answers import REFUSALS, TROUBLES

#: status: an error answer (400, 401, 402, 403, 404, 405, 415, 429, 500, 502, 503, 504); rate_limited: 429;
#: drop_before and drop_after: the connection is closed without an answer, before or after the request took
#: effect; delay: the answer comes late; malformed and empty: a good status over a body that is not what it should
#: be, or none, after the request took effect; hold: the answer waits until ``let_go`` is called; gateway: the page of
#: something that stands before Close, with any status.
Kind = Literal["status", "rate_limited", "drop_before", "drop_after", "delay", "hold", "malformed", "empty", "gateway"]

#: More than are ever held at once.
_ALL = 1000
#: What a gateway says that does not reach what stands behind it.
PAGE = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center><hr>nginx</body></html>"
NONSENSE = "<html><body>upstream"
_EFFECTIVE = frozenset({"drop_after", "delay", "hold", "malformed", "empty"})


@dataclass(slots=True, kw_only=True)
class Fault:
    """One ordered fault."""

    method: str
    #: A shell pattern over the path without ``/api/v1``.
    path: str
    kind: Kind
    #: How many more calls it hits; ``None`` for all.
    times: int | None
    #: How many matching calls pass unharmed first.
    after: int
    #: The status of kinds ``status`` and ``gateway``.
    status: int
    #: The words of kind ``status``, the whole body of kind ``malformed``; ``None`` for the usual ones.
    text: str | None
    #: Seconds that kind ``delay`` waits.
    seconds: float
    #: Whether the request takes effect before the fault. A delay without it waits first, and the request
    #: then takes effect only if the client is still there.
    effect_first: bool
    #: Sent with the error answer, and nothing else that tells of rates.
    headers: Mapping[str, str]
    #: One for each held answer that may go.
    passes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    def let_go(self, count: int | None = None) -> None:
        """Answer ``count`` of what is held, the oldest first; all of it for ``None``, and hold nothing more."""
        if count is None:
            self.times, count = 0, _ALL
        for _ in range(count):
            self.passes.release()


class Faults:
    """The ordered faults, in the order in which they were ordered."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

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
        retry_after: float | None = None,
        reset: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        """Order a fault for the next calls of a method and path (see ``Fault`` for the meanings).

        ``retry_after`` and ``reset`` become the headers ``Retry-After`` and ``RateLimit`` in the documented form;
        ``headers`` adds others, or the same ones in any form that a client has to survive.

        ``effect_first`` defaults to what the kind says: nothing happens for ``status``, ``rate_limited``
        and ``drop_before``, the request takes effect for all others. ``kind="status", effect_first=True``
        is the treacherous 500 after the work was done.

        Raises:
            ValueError: for a status that Close and its gateways do not answer.

        """
        if kind != "gateway" and status not in REFUSALS | TROUBLES:
            raise ValueError(f"the stand-in has no answer for status {status}")
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
            headers={**_waits(retry_after, reset), **(headers or {})},
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
        for fault in self._faults:
            if fault.times == 0 or not fnmatchcase(path, fault.path) or fault.method not in ("*", method):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None


def _waits(retry_after: float | None, reset: float | None) -> dict[str, str]:
    """Return the headers that tell a client when to come back."""
    found: dict[str, str] = {}
    if retry_after is not None:
        found["Retry-After"] = f"{retry_after:g}"
    if reset is not None:
        found["RateLimit"] = f"limit=100, remaining=0, reset={reset:g}"
    return found
