"""Running mutants: each in a copy of the tree, against the tests that run the changed line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Final

from tests.mutation.mutants import Mutant

#: Seconds after which a run counts as killed: the change made something endless.
TIME_LIMIT: Final = 300
#: The exit status of pytest when nothing failed.
_PASSED: Final = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant and the tests that it has to survive, as pytest names them."""

    mutant: Mutant
    tests: Sequence[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: whether a test noticed it, and what pytest said last."""

    trial: Trial
    killed: bool
    said: str


def run(trials: Sequence[Trial], root: Path, workers: int) -> Iterator[Verdict]:
    """Yield a verdict for each of ``trials``, ``workers`` at a time; the tree at ``root`` is left as it is."""
    copies: Queue[Path] = Queue()
    with _copies(root, workers) as made, ThreadPoolExecutor(workers) as pool:
        for copy in made:
            copies.put(copy)

        def one(trial: Trial) -> Verdict:
            copy = copies.get()
            try:
                return _tried(trial, copy)
            finally:
                copies.put(copy)

        yield from pool.map(one, trials)


@contextmanager
def _copies(root: Path, count: int) -> Iterator[Sequence[Path]]:
    with TemporaryDirectory() as folder:
        made = [Path(folder, str(number)) for number in range(count)]
        for copy in made:
            copy.mkdir()
            for name in ("bot", "tests"):
                shutil.copytree(root / name, copy / name)
            for name in ("pyproject.toml", "README.md"):
                shutil.copy(root / name, copy / name)
        yield made


def _tried(trial: Trial, copy: Path) -> Verdict:
    target = copy / trial.mutant.path
    before = target.read_text(encoding="utf-8")
    target.write_text(trial.mutant.source, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-n",
        "0",
        "--no-header",
        "--tb=line",
        "-p",
        "no:cacheprovider",
    ]
    try:
        done = subprocess.run(  # noqa: S603 - our own tests
            [*command, *trial.tests], cwd=copy, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return Verdict(trial, killed=True, said="did not end")
    finally:
        target.write_text(before, encoding="utf-8")
    said = (done.stdout.strip().splitlines() or [done.stderr.strip()[-200:]])[-1]
    # A module that cannot even be imported any more is noticed as surely as by a test that fails.
    return Verdict(trial, killed=done.returncode != _PASSED, said=said)
