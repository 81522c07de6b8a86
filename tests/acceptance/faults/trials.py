"""Playing the story many times over, each time with another fault."""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from tests.acceptance.checker import assert_right
from tests.acceptance.faults.fault_kinds import BY_NAME, FAULT_KINDS, FaultKind, Injection
from tests.acceptance.faults.scene import BROKE, OVER_HTTP, Scene, Setting, scene
from tests.acceptance.faults.steps import Step, common
from tests.acceptance.process_pool import ProcessPool

#: Runs at the same time. Most of a run is waiting: for an answer that does not come, or for a pause to end.
LANES: Final = 5 * (os.cpu_count() or 1)
#: Seconds for one run, with everything that is tried again in it.
PATIENCE: Final = 120.0
#: Recordings of the story without a fault; steps that are not in all of them are chance.
RECORDINGS: Final = 3
#: How often a run is played anew whose fault found no step to happen at.
MISSES: Final = 3
#: The variable that says which share of the matrix is played: ``2/5`` is the second of five, ``1/1`` is all of it.
SHARE: Final = "FAULTS_SHARE"
#: The share that is played without it.
A_SHARE: Final = "1/32"
#: How much of the log is shown with a failure, in characters.
TAIL: Final = 6000

#: Where doubling would cost most: the second job is asked for, and it is written down.
WORST: Final = (
    Step("telnyx", "POST /phone_numbers/jobs/update_phone_numbers", 2),
    Step("commit", "Submission._made", 2),
)


#: What is lost in a run that has to recover from it: the answer about a job that was made, one that was not, and about
#: messages of each sort.
LOST: Final = (
    Injection(BY_NAME["dropped after its effect"], WORST[0]),
    Injection(BY_NAME["dropped"], WORST[0]),
    Injection(BY_NAME["500 after its effect"], Step("slack", "chat.postMessage card", 1)),
    Injection(BY_NAME["500 after its effect"], Step("slack", "chat.postMessage approval_card", 1)),
    Injection(BY_NAME["500 after its effect"], Step("slack", "chat.postMessage thread:approved", 1)),
    Injection(BY_NAME["500 after its effect"], Step("slack", "files.completeUploadExternal results.csv", 1)),
)


@dataclass(frozen=True)
class Combination:
    """What happens in one run: a fault at a step, sometimes after another one that has to be recovered from."""

    injections: tuple[Injection, ...]
    setting: Setting = OVER_HTTP

    @property
    def last(self) -> FaultKind:
        """The fault that is tried."""
        return self.injections[-1].fault

    def __str__(self) -> str:
        return f"{self.setting}: " + ", then ".join(map(str, self.injections))


@dataclass(frozen=True)
class Verdict:
    """How a combination ended; ``problem`` is empty when all was right, or when the step never came."""

    combination: Combination
    problem: str = ""
    missed: bool = False


class Missed(Exception):
    """The story went by without the step at which the fault was to happen."""


@dataclass(frozen=True)
class Share:
    """A part of the matrix, in which every fault happens at some of the steps; all parts together are the whole."""

    number: int = 1
    of: int = 1

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the share that is written as ``2/5``, the second of five; raises ValueError."""
        number, of = map(int, text.split("/"))
        if not 1 <= number <= of:
            raise ValueError(f"{SHARE} is {text!r}; it has to read like 2/5")
        return cls(number, of)

    def has(self, row: int, column: int) -> bool:
        """Tell whether a place of the matrix is in it; all shares together are the whole."""
        return (row + column) % self.of == self.number - 1


def combinations(
    steps: Sequence[Step], *before: Injection, setting: Setting = OVER_HTTP, share: Share = Share()
) -> list[Combination]:
    """Return every fault at every step that it can happen at, each after what came before."""
    injections = [
        Injection(fault, step)
        for row, fault in enumerate(FAULT_KINDS)
        for column, step in enumerate(step for step in steps if fault.suits(step.place))
        if share.has(row, column)
    ]
    return [Combination((*before, injection), setting) for injection in injections]


def representatives(steps: Sequence[Step]) -> list[Combination]:
    """Return every fault at the making of the second job, and every other one at one more step, all over the story."""
    chosen = []
    for number, fault in enumerate(FAULT_KINDS):
        possible = [step for step in steps if fault.suits(step.place)]
        [worst] = [step for step in possible if step in WORST]
        others = [possible[number * len(possible) // len(FAULT_KINDS)]] if number % 2 else []
        chosen += [Combination((Injection(fault, step),)) for step in dict.fromkeys((worst, *others))]
    return chosen[::-1]  # a full disk takes longest, so it begins


async def record(fork_server: Path, folder: Path, *injections: Injection, setting: Setting = OVER_HTTP) -> list[Step]:
    """Play the story, without a fault or with ``injections``, judge it, and return its steps."""
    async with ProcessPool(fork_server) as pool:

        async def one(turn: int) -> list[Step]:
            beside = folder / str(turn)
            beside.mkdir()
            async with asyncio.timeout(PATIENCE), scene(pool, beside, *injections, setting=setting) as stage:
                await stage.play()
            assert_right(stage)
            return stage.steps()

        return common(await asyncio.gather(*(one(turn) for turn in range(RECORDINGS))))


async def judge(fork_server: Path, folder: Path, chosen: Iterable[Combination]) -> list[Verdict]:
    """Play each combination, several at the same time, and return the verdicts.

    A step that never came belongs to the story only if it is in new recordings, too: a modal is filled after its ack,
    for example, only where the machine was slow. What is chance after all is told with neither a problem nor a run.
    """
    verdicts = await _judged(fork_server, folder / "first", chosen)
    for number, missing in enumerate([verdict.combination for verdict in verdicts if verdict.missed]):
        before, last = missing.injections[:-1], missing.injections[-1]
        again = folder / f"recording-{number}"
        again.mkdir()
        if last.step in await record(fork_server, again, *before, setting=missing.setting):
            [anew] = await _judged(fork_server, folder / f"again-{number}", [missing])
            problem = f"{missing}: the step is in every recording, and did not come in {2 * MISSES} runs"
            verdicts[verdicts.index(Verdict(missing, missed=True))] = (
                replace(anew, problem=problem) if anew.missed else anew
            )
    return verdicts


async def _judged(fork_server: Path, folder: Path, chosen: Iterable[Combination]) -> list[Verdict]:
    lanes = asyncio.Semaphore(LANES)
    async with ProcessPool(fork_server) as pool, asyncio.TaskGroup() as group:

        async def one(number: int, combination: Combination) -> Verdict:
            async with lanes:
                return await _judge(pool, folder / str(number), combination)

        tasks = [group.create_task(one(number, combination)) for number, combination in enumerate(chosen)]
        await asyncio.gather(*tasks)
    return [task.result() for task in tasks]


async def _judge(pool: ProcessPool, folder: Path, combination: Combination) -> Verdict:
    for turn in range(MISSES):
        beside = folder / str(turn)
        beside.mkdir(parents=True)
        try:
            await _play(pool, beside, combination)
        except Missed:
            continue
        except Exception:  # noqa: BLE001 - whatever it was, the other combinations are played and this one is told
            written = (beside / "linesman.log").read_text()[-TAIL:]
            return Verdict(combination, f"{combination}\n{traceback.format_exc()}\nThe log ends with:\n{written}")
        return Verdict(combination)
    return Verdict(combination, missed=True)


async def _play(pool: ProcessPool, folder: Path, combination: Combination) -> None:
    async with scene(pool, folder, *combination.injections, setting=combination.setting) as stage:
        try:
            async with asyncio.timeout(PATIENCE):
                await stage.play()
        except TimeoutError as error:
            if not stage.happened:
                raise Missed from error
            raise
        if not stage.happened:
            raise Missed
        if combination.last.signal is not None:
            await stage.ended()
        assert_right(stage)
        assert stage.locks == "No numbers are locked."
        _assert_it_ended_as_it_should(stage, combination.last)


def _assert_it_ended_as_it_should(stage: Scene, fault: FaultKind) -> None:
    """Check that the process ended when a signal asked for it, and with the right status, and else not at all."""
    match fault.signal:
        case signal.SIGKILL:
            assert stage.ends == [-signal.SIGKILL]
        case signal.SIGTERM:
            assert stage.ends == [0]
        case _:
            assert set(stage.ends) <= ({BROKE} if fault.commit else set())
