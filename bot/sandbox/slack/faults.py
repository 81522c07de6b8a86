"""Faults on demand: what the network and Slack do to a call on a bad day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from bot.sandbox.slack.records import Json

FaultKind = Literal[
    "error", "status", "rate_limited", "drop_before", "drop_after", "drop_late", "delay", "malformed", "redirect"
]


@dataclass(kw_only=True, eq=False)
class Fault:
    """One arranged fault."""

    method: str
    kind: FaultKind
    #: how many more calls it hits
    times: int
    #: how many matching calls pass first
    after: int
    where: Callable[[Json], bool] | None
    #: Slack's error string, for ``error``, and the messages beside it
    error: str
    messages: Sequence[str]
    #: HTTP status, for ``status``
    status: int
    #: for ``rate_limited``
    retry_after: int
    #: for ``delay``
    seconds: float
    #: where to, for ``redirect``
    location: str
    #: whether the call has its effect before the fault
    effect_first: bool
    #: how many calls it has hit
    fired: int = 0
    #: how many of these a ``delay`` has already let go on
    passed: int = 0
    #: what calls that a ``drop_late`` has hit are yet to do
    owed: list[Callable[[], object]] = field(default_factory=list)

    def carry_out(self) -> None:
        """Let the calls that were dropped have their effect now."""
        while self.owed:
            self.owed.pop(0)()


class Faults:
    """The arranged faults, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(
        self,
        *,
        method: str,
        kind: FaultKind,
        times: int = 1,
        after: int = 0,
        where: Callable[[Json], bool] | None = None,
        error: str = "internal_error",
        messages: Sequence[str] = (),
        status: int = 500,
        retry_after: int = 1,
        seconds: float = 1.0,
        location: str = "",
        effect_first: bool | None = None,
    ) -> Fault:
        """Arrange a fault for the next ``times`` calls of ``method`` (``*`` is any) that suit ``where``.

        ``method`` is a Web API method, ``response_url``, ``upload`` or ``download``. Of the kinds, ``drop_after`` has
        its effect and then closes the connection, ``drop_late`` closes it and has its effect when the test says so
        (``carry_out``), and ``delay`` has it after ``seconds``; the others have no effect:
        ``error`` (Slack's refusal), ``status`` (an HTTP status), ``rate_limited`` (429), ``drop_before`` (the
        connection closes), ``malformed`` (200 that is not JSON) and ``redirect`` (302 to ``location``). With
        ``effect_first`` any of them has it all the same before the answer is spoilt, and a ``delay`` before it begins.
        """
        if kind not in get_args(FaultKind):
            raise ValueError(f"unknown kind of fault {kind!r}; choose one of {', '.join(get_args(FaultKind))}")
        fault = Fault(
            method=method,
            kind=kind,
            times=times,
            after=after,
            where=where,
            error=error,
            messages=messages,
            status=status,
            retry_after=retry_after,
            seconds=seconds,
            location=location,
            effect_first=kind == "drop_after" if effect_first is None else effect_first,
        )
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every fault."""
        self._faults.clear()

    def take(self, method: str, params: Json) -> Fault | None:
        """Return the fault that hits this call, and count it."""
        for fault in self._faults:
            if fault.times <= 0 or fault.method not in {method, "*"}:
                continue
            if fault.where is not None and not fault.where(params):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.times -= 1
            fault.fired += 1
            return fault
        return None
