"""Running mutants: each in a copy of the tree, against the tests that run the changed line."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tests.mutation.mutants import Mutant

#: Seconds after which a mutant is stopped: the change made something endless.
TIME_LIMIT: Final = 300
_PYTEST: Final = (
    *("-q", "-n", "0", "--no-header", "--tb=no", "-p", "no:cacheprovider"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of hypothesis, which is loaded already
)
#: A module that cannot even be imported any more is noticed as surely as by a test that fails.
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$|^\w+ while loading conftest", re.MULTILINE)
_FORKING: Final = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["tests.mutation.preloaded"])
_LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", ".coverage*", "build", "dist")


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant and the tests that it has to survive, as pytest names them."""

    mutant: Mutant
    tests: Sequence[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: whether it was noticed, and by which test; "" where not one could begin."""

    trial: Trial
    noticed: bool
    by: str = ""
    endless: bool = False


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


def failing(tests: Collection[str], root: Path) -> set[str]:
    """Return those of ``tests`` that fail in a copy without a mutant: what they say of one proves nothing."""
    if not tests:
        return set()
    with _copies(root, 1) as (copy,):
        return set(_pytest(copy, sorted(tests), limit=None) or ())


@contextmanager
def _copies(root: Path, count: int) -> Iterator[Sequence[Path]]:
    with TemporaryDirectory() as folder:
        made = [Path(folder, str(number)) for number in range(count)]
        for copy in made:
            shutil.copytree(root, copy, ignore=_LEFT_OUT)
        yield made


def _tried(trial: Trial, copy: Path) -> Verdict:
    target = copy / trial.mutant.path
    kept = target.with_suffix(".kept")
    target.rename(kept)
    target.write_text(trial.mutant.source, encoding="utf-8")
    try:
        failed = _pytest(copy, ["-x", *trial.tests], limit=TIME_LIMIT)
    finally:
        kept.replace(target)
    if failed is None:
        return Verdict(trial, noticed=True, endless=True)
    return Verdict(trial, noticed=bool(failed), by=failed[0] if failed else "")


def _pytest(copy: Path, arguments: Sequence[str], *, limit: float | None) -> Sequence[str] | None:
    """Return the tests and modules that failed in ``copy``; ``None`` when pytest did not end in time.

    Raises RuntimeError when it ended otherwise than by their failing.
    """
    said = copy.parent / f"{copy.name}.said"
    process = _FORKING.Process(target=_inside, args=(copy, said, arguments))
    process.start()
    process.join(limit)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    text = said.read_text(encoding="utf-8", errors="replace")
    failed = _FAILED.findall(text)
    if bool(process.exitcode) != bool(failed):
        raise RuntimeError(f"pytest ended with {process.exitcode}:\n{text[-2000:]}")
    return failed


def _inside(copy: Path, said: Path, arguments: Sequence[str]) -> None:
    """Run pytest in the copy; its modules come before those of the tree that this process was started in."""
    with said.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    # Python would take two mutants of one size and one second for the same: the compiled form of one is not kept.
    sys.dont_write_bytecode = True
    sys.exit(pytest.main([*_PYTEST, *arguments]))
