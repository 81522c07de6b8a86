"""Worlds from seeds: the real bot, the stand-ins and the people in one process, in a time of their own."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest

from tests.broken import Broken
from tests.simulation import runner, shrink
from tests.simulation.census import Census, summed
from tests.simulation.promises import MUTANTS
from tests.simulation.report import Report
from tests.simulation.script import Order, script

ROOT: Final = Path(__file__).parents[2]
#: Worlds of a few minutes, which were right when they were chosen.
SEEDS: Final = (3, 6)


def simulate(*arguments: str, hash_seed: int = 0) -> subprocess.CompletedProcess[str]:
    """Play worlds in a process of their own."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_seed_is_one_trace() -> None:
    """Two processes in which sets have other orders play the same world, step by step: one in which much goes on."""
    one, other = (simulate("--seed", "5003", "--minutes", "6", hash_seed=seed) for seed in (1, 2))

    traces = [re.search(r"\d+ steps, trace \w{16}", each.stdout) for each in (one, other)]
    assert traces[0] is not None, one.stderr
    assert traces[1] is not None, other.stderr
    assert traces[0][0] == traces[1][0]
    assert (one.returncode, other.returncode) == (0, 0), one.stdout[-6000:]


@pytest.mark.parametrize("broken", MUTANTS, ids=lambda each: each.promise)
def test_a_broken_promise_is_one_of_this_code(broken: Broken) -> None:
    """Whoever moves the code that a mutant breaks moves the mutant as well."""
    assert broken.source()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_world_is_right(seed: int) -> None:
    """Whatever happens in it: safe at every step, and at its end everything has ended."""
    played = simulate("--seed", str(seed), "--minutes", "12")

    assert played.returncode == 0, played.stdout[-6000:] + played.stderr[-3000:]


def test_no_world_is_begun_later_than_was_said() -> None:
    """A night's worlds end with the night, and the pool has taken in many orders by then: those are not begun."""
    endless = (Order(seed) for seed in itertools.count(1))

    assert list(runner.play(endless, seconds=0)) == []
    assert runner._play(Path("nowhere"), time.monotonic(), Order(1)) is None


def test_a_world_shrinks_to_the_fewest_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left are those without any of which it goes right, or wrong in another way."""

    def play(orders: list[Order]) -> list[Report]:
        [order] = orders
        left = {item.number for item in script(order)}
        faults = ["the kind that is looked for"] if {1, 4} <= left else ["another kind"] if 0 in left else []
        return [Report(seed=order.seed, steps=0, hash="", seconds=0.0, cpu=0.0, faults=faults)]

    monkeypatch.setattr(shrink, "play", play)

    order, items = shrink.shrunk(Order(8))

    assert [item.number for item in items] == [1, 4]
    assert items == script(order)


def test_an_item_has_the_same_chances_without_the_others() -> None:
    """Leaving one out changes nothing in the rest, or nothing could be shrunk."""
    whole = {item.number: item for item in script(Order(8))}

    less = script(Order(8, without=(0, 2)))

    assert less == [item for number, item in whole.items() if number not in (0, 2)]


def test_a_step_is_the_effect_of_its_persons_latest_act() -> None:
    """Of two presses one had the effect; somebody else's press, or one after the step, had none."""
    steps = [(5, "approved", "U0MAX"), (6, "rejected", "U0MIA")]
    census = Census(SimpleNamespace(judge=SimpleNamespace(rows=lambda *_: steps)))
    for what, by, after in (("approve", "U0MAX", 1), ("approve", "U0MAX", 4), ("approve", "U0MIA", 4)):
        census.done(what, by, after)
    census.done("reject", "U0MIA", 6)

    assert census.effects() == {"approve": 1}


def test_what_several_worlds_count_is_added() -> None:
    """How often something was done, and how often that had an effect."""
    assert summed([{"end": (2, 1), "undo": (1, 0)}, {"end": (3, 0)}]) == {"end": (5, 1), "undo": (1, 0)}
