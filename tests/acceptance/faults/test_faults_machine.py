"""Requests, decisions, faults and ends of the process at random, judged from outside."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import tempfile
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule, run_state_machine_as_test

from bot.sandbox.slack import StandInRefused
from tests.acceptance.faults.fault_kinds import FAULT_KINDS, FaultKind, order
from tests.acceptance.faults.people import Wish
from tests.acceptance.faults.reckoning import assert_everything_is_accounted_for
from tests.acceptance.faults.scene import Scene, scene
from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.stories import FORWARDING
from tests.acceptance.workspace import OPS

T = TypeVar("T")

#: Set to the number that a failure printed, to play the same again.
SEED: Final = "LINESMAN_FAULTS_SEED"
#: What the one run follows from that is played every time.
ALWAYS: Final = 20260
#: Seconds for one thing that somebody does, with everything that is tried again in it.
PATIENCE: Final = 120.0
#: What can happen to a call without a signal.
ON_THE_WIRE: Final = [each for each in FAULT_KINDS if each.at == "call" and each.signal is None]
GROUPS: Final = 3


class Fate(RuleBasedStateMachine):
    """Three groups of numbers, people who want them changed, and bad luck."""

    #: Numbers of what was asked for, also where that came to nothing: what can happen next must not depend on how fast
    #: the machine is.
    asked: Bundle[int] = Bundle("asked")

    def __init__(self, fork_server: Path) -> None:
        super().__init__()
        self._fork_server = fork_server
        self._loop = asyncio.new_event_loop()
        # The stand-ins have to answer also while hypothesis thinks about what comes next.
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._stack = AsyncExitStack()
        self._wishes: dict[str, Wish] = {}
        #: The change that became of each that was asked for; None where another held its numbers.
        self._names: list[str | None] = []
        self._folder = Path(tempfile.mkdtemp(prefix="fate-"))
        self._scene: Scene = self._do(self._open())

    def _do(self, what: Coroutine[Any, Any, T]) -> T:
        async def in_time() -> T:
            async with asyncio.timeout(PATIENCE):
                return await what

        return asyncio.run_coroutine_threadsafe(in_time(), self._loop).result()

    async def _open(self) -> Scene:
        pool = await self._stack.enter_async_context(ProcessPool(self._fork_server))
        made = await self._stack.enter_async_context(scene(pool, self._folder))
        await made.up.wait()
        return made

    @rule(target=asked, groups=st.sets(st.sampled_from(range(GROUPS)), min_size=1))
    def ask(self, groups: set[int]) -> int:
        """Ana asks for a change of some of the numbers; she cannot while another change holds one of them."""
        asked = len(self._names)
        numbers = [number for group in sorted(groups) for number in self._scene.asked[2 * group : 2 * group + 2]]
        forward = "always" if asked % 2 else "on-failure"
        wish = Wish(numbers, {"customer_reference": f"wish-{asked}", FORWARDING: forward})
        name = self._do(self._scene.people.ask(wish))
        self._names.append(name)
        if name is not None:
            self._wishes[name] = wish
        return asked

    @rule(asked=asked)
    def approve(self, asked: int) -> None:
        """Max presses Approve, once, whatever comes of it."""
        if (change := self._names[asked]) is not None:
            self._do(self._press("approve", change))

    @rule(asked=consumes(asked))
    def reject(self, asked: int) -> None:
        """Max presses Reject and says why, once, whatever comes of it."""
        if (change := self._names[asked]) is not None:
            self._do(self._reject(change))

    @rule(asked=consumes(asked))
    def cancel(self, asked: int) -> None:
        """Ana cancels, once, whatever comes of it."""
        if (change := self._names[asked]) is not None:
            self._do(self._cancel(change))

    @rule(fault=st.sampled_from(ON_THE_WIRE), at_slack=st.booleans(), after=st.integers(0, 8))
    def spoil_a_call(self, fault: FaultKind, after: int, *, at_slack: bool) -> None:
        """Something will be wrong with a call of the near future."""
        self._do(self._spoil(fault, after, at_slack=at_slack))

    @rule(number=st.sampled_from([signal.SIGKILL, signal.SIGTERM]), after=st.floats(0, 0.3))
    def end(self, number: signal.Signals, after: float) -> None:
        """End the process in a moment; it is started again."""
        self._do(self._end(number, after))

    @rule()
    def fill_the_disk(self) -> None:
        """For a while nothing fits on the disk."""
        self._do(self._fill())

    async def _press(self, action: str, change: str) -> None:
        with suppress(StandInRefused):  # it is decided already: there is no such button any more
            await self._scene.max.click(action, message=self._scene.people.request(change))

    async def _reject(self, change: str) -> None:
        await self._press("reject", change)
        with suppress(StandInRefused, TimeoutError):
            await self._scene.max.wait_for_view(lambda view: view.callback_id == "rejection", timeout=1)
            await self._scene.max.type("why", "Not today")
            await self._scene.max.submit()
        if self._scene.max.view is not None:
            await self._scene.max.close(everything=True)

    async def _cancel(self, change: str) -> None:
        await self._scene.ana.command("/numbers", f"cancel {change}", channel=OPS)

    async def _spoil(self, fault: FaultKind, after: int, *, at_slack: bool) -> None:
        faults = self._scene.slack.faults if at_slack else self._scene.telnyx.faults
        order(faults, fault, after=after)

    async def _end(self, number: signal.Signals, after: float) -> None:
        await self._scene.up.wait()
        await asyncio.sleep(after)  # not to wait for anything: the moment is to be a random one
        self._scene.process.strike(number)

    async def _fill(self) -> None:
        self._scene.fill_the_disk()

    async def _settle(self) -> None:
        """Let the weather clear up, cancel what is undecided, and wait for the end of everything."""
        self._scene.slack.faults.clear()
        self._scene.telnyx.faults.clear()
        for name in self._wishes:
            await self._scene.people.cancel_undecided(name)
        await self._scene.quiet()
        self._scene.locks = await self._scene.people.ask_for_locks()

    def teardown(self) -> None:
        """Judge."""
        right = False
        try:
            note(f"everything of this run lies in {self._folder}")
            self._do(self._settle())
            assert_everything_is_accounted_for(self._scene, self._wishes)
            right = True
        finally:
            self._do(self._stack.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            if right:  # of a run that went wrong it is kept; while the process lives, files in it come and go
                shutil.rmtree(self._folder)


def play(fork_server: Path, number: int, *, examples: int) -> None:
    """Play so many runs, which follow from ``number``; it is part of a failure."""
    options = settings(
        max_examples=examples,
        stateful_step_count=10,
        deadline=None,
        database=None,
        print_blob=False,
        # A run takes seconds: it is told as it was, not made smaller by a hundred more.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(number)(partial(Fate, fork_server)), settings=options)
    except BaseException as error:
        error.add_note(f"Play the same again with {SEED}={number}")
        raise


def test_whatever_happens_everything_is_accounted_for(fork_server: Path) -> None:
    """A run of requests, decisions, faults and ends in no sensible order: nothing is lost and nothing doubled."""
    play(fork_server, ALWAYS, examples=1)


@pytest.mark.faults
def test_whatever_happens_everything_is_accounted_for_at_length(fork_server: Path) -> None:
    """The same many times, and every time otherwise."""
    play(fork_server, int(os.environ.get(SEED) or random.SystemRandom().randrange(2**32)), examples=15)
