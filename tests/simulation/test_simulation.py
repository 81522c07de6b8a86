"""Worlds from seeds: the real bot, the stand-ins and the people in one process, in a time of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.simulation.mutants import MUTANTS, Broken

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
