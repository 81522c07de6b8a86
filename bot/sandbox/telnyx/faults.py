"""Trouble on the wire, ordered by a test: errors, rate limits, broken connections, delays, nonsense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from bot.sandbox.telnyx.errors import server_trouble

#: status: an error answer with the documented envelope (401, 403, 404, 429, 500, 502, 503, 504);
#: rate_limited: 429; drop_before and drop_after: the connection is closed without an answer, before or after
#: the request took effect; delay: the answer comes late; malformed and empty: a good status over a body that
#: is not JSON, or none, after the request took effect; redirect: a 302 to ``location``; gateway: the page of something
#: that stands before Telnyx, with any status; hollow: a good status over a document with nothing in it.
Kind = Literal[
    "status",
    "rate_limited",
    "drop_before",
    "drop_after",
    "delay",
    "malformed",
    "empty",
    "redirect",
    "gateway",
    "hollow",
]

#: What a gateway says that does not reach what stands behind it.
PAGE = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center><hr>nginx</body></html>"
_EFFECTIVE = frozenset({"drop_after", "delay", "malformed", "empty", "hollow"})


@dataclass(slots=True, kw_only=True)
class Fault:
    """One ordered fault."""

    method: str
    #: A shell pattern over the path without ``/v2``.
    path: str
    kind: Kind
    #: How many more calls it hits; ``None`` for all.
    times: int | None
    #: How many matching calls pass unharmed first.
    after: int
    #: The status of kinds ``status`` and ``gateway``.
    status: int
    #: Seconds that kind ``delay`` waits, and an error answer of kinds ``status`` and ``rate_limited``.
    seconds: float
    #: Whether the request takes effect before the fault. A delay without it waits first, and the request
    #: then takes effect only if the client is still there.
    effect_first: bool
    #: Where kind ``redirect`` points to.
    location: str
    #: Sent as ``retry-after`` when given.
    retry_after: float | None
    #: Sent as ``x-ratelimit-reset`` (with nothing remaining) when given.
    reset: float | None

    def headers(self) -> dict[str, str]:
        """Return the headers that tell a client when to come back."""
        found: dict[str, str] = {}
        if self.retry_after is not None:
            found["retry-after"] = f"{self.retry_after:g}"
        if self.reset is not None:
            found["x-ratelimit-remaining"] = "0"
            found["x-ratelimit-reset"] = f"{self.reset:g}"
        return found


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
        seconds: float = 0.0,
        effect_first: bool | None = None,
        location: str = "",
        retry_after: float | None = None,
        reset: float | None = None,
    ) -> Fault:
        """Order a fault for the next calls of a method and path (see ``Fault`` for the meanings).

        ``effect_first`` defaults to what the kind says: nothing happens for ``status``, ``rate_limited``
        and ``drop_before``, the request takes effect for all others. ``kind="status", effect_first=True``
        is the treacherous 500 after the work was done.

        Raises:
            ValueError: for a status that the stand-in has no documented answer for.

        """
        if kind != "gateway":
            server_trouble(status)
        fault = Fault(
            method=method.upper(),
            path=path,
            kind=kind,
            times=times,
            after=after,
            status=status,
            seconds=seconds,
            effect_first=kind in _EFFECTIVE if effect_first is None else effect_first,
            location=location,
            retry_after=retry_after,
            reset=reset,
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
