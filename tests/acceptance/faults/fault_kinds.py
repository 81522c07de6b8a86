"""What can happen at a step."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.sandbox import slack
from tests.acceptance.faults.steps import Faults, Place, Step

#: Longer than the bot waits for an answer in these runs.
LATE: Final = 2.5
#: How long a call is held up whose process has been asked to stop.
HELD_UP: Final = 0.2


@dataclass(frozen=True, kw_only=True, repr=False)
class FaultKind:
    """One fault, at a call or at a commit."""

    name: str
    at: Literal["call", "commit"]
    #: How the stand-ins' faults are to be set; the stand-ins use the same words.
    wire: Mapping[str, Any] | None = None
    #: The signal that the process gets.
    signal: signal.Signals | None = None
    #: For a commit: "before" or "after" it, and what the hook does.
    commit: tuple[str, str] | None = None

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__

    def suits(self, place: Place) -> bool:
        """Tell whether it can happen there."""
        return (place == "commit") == (self.at == "commit")


def _call(name: str, number: signal.Signals | None = None, **wire: Any) -> FaultKind:
    return FaultKind(name=name, at="call", wire=wire, signal=number)


def _commit(name: str, when: str, what: str) -> FaultKind:
    number = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM}.get(what)
    return FaultKind(name=name, at="commit", commit=(when, what), signal=number)


FAULT_KINDS: Final = (
    _call("dropped", kind="drop_before"),
    _call("dropped after its effect", kind="drop_after"),
    _call("no answer in time", kind="delay", seconds=LATE, effect_first=True),
    _call("429", kind="rate_limited"),
    _call("500", kind="status", status=500),
    _call("500 after its effect", kind="status", status=500, effect_first=True),
    _call("malformed answer", kind="malformed", effect_first=True),
    _call("killed before it arrives", signal.SIGKILL, kind="drop_before"),
    _call("killed after its effect", signal.SIGKILL, kind="drop_after"),
    _call("stopped while it is under way", signal.SIGTERM, kind="delay", seconds=HELD_UP, effect_first=True),
    _commit("killed before the commit", "before", "kill"),
    _commit("killed after the commit", "after", "kill"),
    _commit("stopped at the commit", "before", "terminate"),
    _commit("disk full", "before", "full"),
)


BY_NAME: Final = {fault.name: fault for fault in FAULT_KINDS}


@dataclass(frozen=True)
class Injection:
    """A fault at a step."""

    fault: FaultKind
    step: Step

    def __str__(self) -> str:
        return f"{self.fault} at {self.step}"


def order(faults: Faults, fault: FaultKind, *, after: int = 0) -> None:
    """Have the stand-in do this to a call, whichever it is, when so many more have passed."""
    if isinstance(faults, slack.Faults):
        faults.add(method="*", after=after, **(fault.wire or {}))
    else:
        faults.add(after=after, **(fault.wire or {}))
