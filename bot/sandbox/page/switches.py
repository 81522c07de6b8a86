"""The switches: what a visitor can let go wrong, and let be right again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.sandbox.page.world import JOB_SECONDS, StandIns
from bot.sandbox.slack.records import Json
from bot.sandbox.telnyx import RateLimit
from bot.sandbox.telnyx.bodies import UPDATE_FIELDS
from bot.sandbox.telnyx.misbehaviour import Misbehaviour
from bot.sandbox.telnyx.voice import FLAT, NESTED

#: Calls that never come to an end of themselves.
_ALWAYS: Final = 10**9
#: Seconds that each answer of a slow Telnyx takes, and what its jobs take.
SLOW_ANSWER: Final = 1.5
SLOW_JOB: Final = 20.0
#: Everything that an update can set.
_FIELDS: Final = (*(name for name in UPDATE_FIELDS if name != "voice"), *(f"voice.{name}" for name in (*FLAT, *NESTED)))


@dataclass(frozen=True, kw_only=True)
class Switch:
    """Something that goes wrong from ``turn_on`` on; what it returns sets it right again."""

    label: str
    turn_on: Callable[[StandIns], Callable[[], None]]


class Switches:
    """What is on."""

    def __init__(self, world: StandIns, liar: str) -> None:
        self._world = world
        self._known = _switches(liar)
        self._on: dict[str, Callable[[], None]] = {}

    def part(self, *, restarting: bool) -> list[Json]:
        """Return the switches as the page is sent them, and the button."""
        switches = [
            {"id": name, "label": switch.label, "on": name in self._on, "kind": "switch"}
            for name, switch in self._known.items()
        ]
        button = {"id": "kill", "label": "Kill and restart the bot", "on": restarting, "kind": "button"}
        return [*switches, button]

    def turn(self, name: str, *, on: bool) -> bool:
        """Turn a switch on or off; return whether there is such a switch."""
        switch = self._known.get(name)
        if switch is None:
            return False
        if on and name not in self._on:
            self._on[name] = switch.turn_on(self._world)
        elif not on and name in self._on:
            self._on.pop(name)()
        return True


def _switches(liar: str) -> Mapping[str, Switch]:
    return {
        "slow": Switch(label="Telnyx is slow", turn_on=_slow),
        "limited": Switch(label="Too many requests (429)", turn_on=_limited),
        "dropped": Switch(label="Answers are lost", turn_on=_dropped),
        "stuck": Switch(label="Jobs are stuck", turn_on=_stuck),
        "lies": Switch(label=f"{liar} is not changed as reported", turn_on=lambda world: _lies(world, liar)),
        "slack": Switch(label="Slack is down", turn_on=_slack_down),
    }


def _slow(world: StandIns) -> Callable[[], None]:
    fault = world.telnyx.faults.add(kind="delay", seconds=SLOW_ANSWER, times=None, effect_first=True)
    world.telnyx.job_seconds = SLOW_JOB

    def off() -> None:
        fault.times = 0
        world.telnyx.job_seconds = JOB_SECONDS

    return off


def _limited(world: StandIns) -> Callable[[], None]:
    """Let three calls through in each two seconds."""
    world.telnyx.rate_limit = RateLimit(3, 2.0)

    def off() -> None:
        world.telnyx.rate_limit = None

    return off


def _dropped(world: StandIns) -> Callable[[], None]:
    """Let both providers do what they are told, and say nothing."""
    faults = [
        world.telnyx.faults.add(kind="drop_after", method="POST", path="/phone_numbers/jobs/*", times=None),
        world.close.faults.add(kind="drop_after", method="PUT", times=None),
    ]

    def off() -> None:
        for fault in faults:
            fault.times = 0

    return off


def _stuck(world: StandIns) -> Callable[[], None]:
    world.telnyx.misbehave(None, Misbehaviour.STUCK_PENDING)
    return lambda: world.telnyx.behave(Misbehaviour.STUCK_PENDING)


def _lies(world: StandIns, liar: str) -> Callable[[], None]:
    for field in _FIELDS:
        world.telnyx.misbehave(None, Misbehaviour.SILENTLY_DROPPED, field=field, numbers=[liar])
    return lambda: world.telnyx.behave(Misbehaviour.SILENTLY_DROPPED)


def _slack_down(world: StandIns) -> Callable[[], None]:
    """Let every call of the bot fail, and its connections break: what people do does not reach it either."""
    fault = world.slack.faults.add(method="*", kind="status", status=503, times=_ALWAYS)
    world.slack.drop_sockets()

    def off() -> None:
        fault.times = 0

    return off
