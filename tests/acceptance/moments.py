"""Moments at which it hurts to lose the process, and the story that is cut there."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from bot.sandbox.slack import FaultKind
from bot.sandbox.telnyx import Call
from tests.acceptance.stage import PATIENCE, Stage

JOBS = "/phone_numbers/jobs/update_phone_numbers"
#: Longer than any test waits: what is held up like this ends only with the process.
FOR_EVER = 60.0


class Part(Enum):
    """The parts of the story, each ended by something that a person does."""

    PLANNING = "planning"  #: from the sent form to the plan
    ASKING = "asking"  #: from "Request approval" to the cards
    RUNNING = "running"  #: from the approval to the end


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One instant of the story."""

    part: Part
    #: Prepares the stage, so that the instant can be told or lasts long enough.
    arrange: Callable[[Stage, signal.Signals], None]
    #: Tells that the instant has come; a moment without it strikes by itself.
    reached: Callable[[Stage], bool] = lambda _: False


async def play(stage: Stage, moment: Moment, number: signal.Signals) -> None:
    """Play the story to its end; at ``moment`` the process gets the signal, ends, and is started again."""
    moment.arrange(stage, number)
    await stage.start()
    await stage.propose()
    await _cut(stage, moment, number, Part.PLANNING)
    await stage.request()
    await _cut(stage, moment, number, Part.ASKING)
    await stage.approve()
    await _cut(stage, moment, number, Part.RUNNING)
    await stage.ended()


async def _cut(stage: Stage, moment: Moment, number: signal.Signals, part: Part) -> None:
    """Let the process end at the moment, if it lies in this part, and start it again."""
    if moment.part is not part:
        return
    async with asyncio.timeout(PATIENCE):
        while not stage.process.struck and not moment.reached(stage):  # noqa: ASYNC110 - both stand-ins are looked at
            await asyncio.sleep(0.005)
    stage.process.strike(number)
    status = await stage.process.gone()

    assert status == (0 if number is signal.SIGTERM else -number)
    await stage.again()


def called(stage: Stage, method: str, path: str) -> list[Call]:
    """Return the calls to the carrier of this method whose path begins like this."""
    return [call for call in stage.telnyx.calls if call.method == method and call.path.startswith(path)]


def message(end: str) -> Callable[[dict[str, Any]], bool]:
    """Return what recognises the post of the message whose name ends like this."""
    return lambda params: re.search(rf"CHG-1{end}\W", str(params.get("metadata"))) is not None


def sheet(name: str) -> Callable[[dict[str, Any]], bool]:
    """Return what recognises the sharing of the sheet of this name."""
    return lambda params: f"CHG-1-{name}.csv" in str(params.get("files"))


def anything(_: dict[str, Any]) -> bool:
    """Recognise every call."""
    return True


def slack_has(
    method: str, suits: Callable[[dict[str, Any]], bool], *, then: FaultKind
) -> Callable[[Stage, signal.Signals], None]:
    """Return what strikes when Slack has received such a call; see :meth:`Stage.strike_on`."""
    return lambda stage, number: stage.strike_on(method, suits, number, then=then)


def slow_read(stage: Stage, _: signal.Signals) -> None:
    """Keep the first page of numbers from being answered."""
    stage.telnyx.faults.add(kind="delay", method="GET", path="/phone_numbers*", seconds=FOR_EVER)


def slow_job(*, made: bool) -> Callable[[Stage, signal.Signals], None]:
    """Return what keeps the second creation of a job unanswered, with or without the job being made."""

    def arrange(stage: Stage, _: signal.Signals) -> None:
        stage.telnyx.faults.add(kind="delay", method="POST", path=JOBS, after=1, seconds=FOR_EVER, effect_first=made)

    return arrange


def long_jobs(stage: Stage, _: signal.Signals) -> None:
    """Let the jobs take long enough to be met under way."""
    stage.telnyx.job_seconds = 0.6


def reading_back(stage: Stage) -> bool:
    """Tell whether the numbers are being read back, which gets no answer once the jobs have been made."""
    if len(stage.telnyx.jobs) < stage.batches:
        return False
    if not stage.telnyx.faults.pending:
        stage.telnyx.faults.add(kind="delay", method="GET", path="/phone_numbers/[0-9]*", seconds=FOR_EVER, times=None)
    made = stage.telnyx.jobs[-1].created_at
    return any(call.at > made for call in called(stage, "GET", "/phone_numbers/1"))


def very_long_jobs(stage: Stage, _: signal.Signals) -> None:
    """Let the jobs take long enough to arrange something before they end."""
    stage.telnyx.job_seconds = 2.0
