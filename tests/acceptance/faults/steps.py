"""The steps of the story: every call that leaves the process, and every commit, by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.sandbox import close, slack, telnyx
from tests.acceptance.workspace import ALARMS, SAFETY

Place = Literal["telnyx", "close", "slack", "commit"]
Faults = telnyx.Faults | close.Faults | slack.Faults

#: How often a step of one name counts: two batches and two files go through the same steps, a job is polled for as
#: long as it takes.
TWICE: Final = 2

#: Channels that no other story has, so that what is said there is said in this one only.
_OF_A_RULE: Final = (SAFETY, ALARMS)
#: A time or a digest in the key of a message: each run has its own.
_CHANCE: Final = re.compile(r"(?<=:)(?:\d{14,}|[0-9a-f]{12})(?=:|$)")
_IDS: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{6,}|(?<=/)(?:phon|user|grou)_\w+")


@dataclass(frozen=True, order=True)
class Step:
    """One step, told from its like by the order in which they come."""

    place: Place
    name: str
    nth: int

    def __str__(self) -> str:
        return f"{self.place} {self.name}" + (f" ({self.nth})" if self.nth > 1 else "")


class Watch:
    """Sees the calls as they arrive at the stand-ins, and lets faults happen to those that are waited for."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[Place, str]] = Counter()
        #: The steps that have not come yet, and what happens when they do.
        self.awaited: dict[Step, Callable[[Faults], None]] = {}

    def wait_for(self, step: Step, happen: Callable[[Faults], None]) -> None:
        """Call ``happen`` with the faults of its stand-in when ``step`` comes, before the call has any effect."""
        self.awaited[step] = happen

    def see(self, place: Place, name: str, faults: Faults) -> None:
        """Note a call that has just arrived."""
        self._seen[place, name] += 1
        happen = self.awaited.pop(Step(place, name, self._seen[place, name]), None)
        if happen is not None:
            happen(faults)

    def steps(self) -> list[Step]:
        """Return every step that was seen, those of one name up to the second."""
        return ordered((place, name, times) for (place, name), times in self._seen.items())


def ordered(seen: Iterable[tuple[Place, str, int]]) -> list[Step]:
    """Return the steps of what was seen so many times."""
    return [Step(place, name, nth) for place, name, times in seen for nth in range(1, min(times, TWICE) + 1)]


class TelnyxFaults(telnyx.Faults):
    """The carrier's calls, passed by a watch."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def take(self, method: str, path: str) -> telnyx.Fault | None:
        """Show the call to the watch, and return what is to be done to it."""
        self._watch.see("telnyx", f"{method} {_IDS.sub('…', path)}", self)
        return super().take(method, path)


class CloseFaults(close.Faults):
    """Close's calls, passed by a watch."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def take(self, method: str, path: str) -> telnyx.Fault | None:
        """Show the call to the watch, and return what is to be done to it."""
        self._watch.see("close", f"{method} {_IDS.sub('…', path)}", self)
        return super().take(method, path)


class SlackFaults(slack.Faults):
    """Slack's calls, passed by a watch."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def take(self, method: str, params: dict[str, Any]) -> slack.Fault | None:
        """Show the call to the watch, and return what is to be done to it."""
        self._watch.see("slack", f"{method} {_about(params)}".strip(), self)
        return super().take(method, params)


def _about(params: dict[str, Any]) -> str:
    """Return what tells one call of a method from another: the message, the file, the modal or the place."""
    if marked := re.search(r"CHG-\d+:([\w:]+)", str(params.get("metadata", ""))):
        channel = params.get("channel")
        return _CHANCE.sub("…", marked[1]) + (f" {channel}" if channel in _OF_A_RULE else "")
    if named := re.search(r"CHG-\d+-(\w+\.csv)", f"{params.get('filename')} {params.get('files')}"):
        return named[1]
    if shown := re.search(r"'callback_id': '(\w+)'|\"callback_id\": ?\"(\w+)\"", str(params.get("view", ""))):
        return shown[1] or shown[2]
    return str(params.get("channel") or params.get("user") or "")


def common(recordings: Sequence[Sequence[Step]]) -> list[Step]:
    """Return the steps that are in every recording, in the order of the first; how often a job is polled is chance."""
    return [step for step in recordings[0] if all(step in other for other in recordings[1:])]


def fresh(steps: Sequence[Step], known: Sequence[Step], *, often: int = 1) -> list[Step]:
    """Return the steps that are not known, the first of each name, or as ``often`` as it is no chance."""
    found: list[Step] = []
    for step in steps:
        alike = [each for each in found if (each.place, each.name) == (step.place, step.name)]
        if step not in known and len(alike) < often:
            found.append(step)
    return found
