"""``python -m tests.mutation``: a seeded sample of mutants, or the fixed list of mutants of the invariants."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.mutation.coverage_map import CoverageMap
from tests.mutation.invariants import INVARIANTS
from tests.mutation.mutants import mutants
from tests.mutation.trials import Trial, run

ROOT: Final = Path(__file__).parents[2]
#: Rooms whose mutants are sampled.
ROOMS: Final = ("bot/changes", "bot/workflow")


def main() -> int:
    """Run, print every survivor and the score, and return 1 when a mutant of an invariant survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which sample (1)")
    parser.add_argument("--sample", type=int, default=300, help="how many mutants (300); 0 runs the invariants only")
    parser.add_argument(
        "--tests", type=int, default=25, help="most tests for one mutant, the most particular first (25)"
    )
    parser.add_argument("--workers", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--contexts", type=Path, default=ROOT / ".coverage", help="what coverage has recorded")
    options = parser.parse_args()

    survived = _report([each.trial(ROOT) for each in INVARIANTS], options.workers, "mutants of invariants")
    if options.sample:
        recorded = CoverageMap.read(options.contexts, ROOT)
        _report(_sample(recorded, options.seed, options.sample, options.tests), options.workers, "sampled mutants")
    return 1 if survived else 0


def _sample(recorded: CoverageMap, seed: int, size: int, most: int) -> list[Trial]:
    """Draw from the mutants of lines that some test runs or should run; a line that none runs counts as survived."""
    paths = [path.relative_to(ROOT) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    every = [mutant for path in paths for mutant in mutants(ROOT / path)]
    drawn = random.Random(seed).sample(every, min(size, len(every)))  # noqa: S311 - a sample, no secret
    trials = []
    for mutant in drawn:
        inside = mutant.path.relative_to(ROOT)
        tests = recorded.tests_of(inside, mutant.line)[:most]
        trials.append(Trial(type(mutant)(inside, mutant.line, mutant.what, mutant.source), tests))
    return trials


def _report(trials: Sequence[Trial], workers: int, name: str) -> int:
    untested = [trial for trial in trials if not trial.tests]
    for trial in untested:
        print(f"survived, no test runs it: {trial.mutant.path}:{trial.mutant.line} {trial.mutant.what}", flush=True)
    survived = len(untested)
    for verdict in run([trial for trial in trials if trial.tests], ROOT, workers):
        mutant = verdict.trial.mutant
        if not verdict.killed:
            survived += 1
            print(f"survived: {mutant.path}:{mutant.line} {mutant.what} ({len(verdict.trial.tests)} tests)", flush=True)
    print(f"{len(trials) - survived} of {len(trials)} {name} were noticed", flush=True)
    return survived


if __name__ == "__main__":
    sys.exit(main())
