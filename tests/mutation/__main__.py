"""``python -m tests.mutation``: the fixed list of mutants of the invariants, or a seeded sample of all mutants."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.mutation.coverage_map import CoverageMap
from tests.mutation.invariants import INVARIANTS
from tests.mutation.mutants import places
from tests.mutation.trials import Trial, Verdict, failing, run

ROOT: Final = Path(__file__).parents[2]
#: Rooms whose mutants are sampled.
ROOMS: Final = ("bot/changes", "bot/workflow")
#: Which tests run which lines, as the command in CONTRIBUTING has recorded it.
CONTEXTS: Final = ROOT / ".coverage.contexts"


def main() -> int:
    """Run, print every survivor and the score, and return 1 when a mutant of an invariant survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("which", choices=("invariants", "sample"))
    parser.add_argument("--seed", type=int, default=1, help="which sample (1)")
    parser.add_argument("--count", type=int, default=300, help="how many mutants of the sample (300)")
    parser.add_argument("--room", choices=ROOMS, help="draw from this one only (both)")
    parser.add_argument("--first", type=int, default=0, help="how many of them to leave out at the beginning (0)")
    parser.add_argument("--only", default="", help="run only mutants whose PATH:LINE or promise has this in it")
    parser.add_argument("--workers", type=int, default=1, help="how many at a time (1)")
    options = parser.parse_args()

    if options.which == "invariants":
        trials = [each.trial() for each in INVARIANTS]
    else:
        rooms = (options.room,) if options.room else ROOMS
        trials = _sample(rooms, options.seed, options.count)[options.first :]
    trials = [trial for trial in trials if options.only in _name(trial)]
    survived = _survivors(trials, options.workers)
    print(f"{len(trials) - survived} of {len(trials)} mutants were noticed", flush=True)
    return int(survived > 0 and options.which == "invariants")


def _sample(rooms: Sequence[str], seed: int, size: int) -> list[Trial]:
    """Draw from all places; what no test runs counts as survived."""
    recorded = CoverageMap.read(CONTEXTS, ROOT)
    paths = [path.relative_to(ROOT) for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    every = [place for path in paths for place in places(path, ROOT)]
    drawn = random.Random(seed).sample(every, min(size, len(every)))  # noqa: S311 - a sample, no secret
    return [Trial(place.mutant(ROOT), recorded.tests_of(place.path, place.line)) for place in drawn]


def _survivors(trials: Sequence[Trial], workers: int) -> int:
    """Run the trials, say who survived as it turns out, and return how many did."""
    untested = [trial for trial in trials if not trial.tests]
    for trial in untested:
        print(f"survived, no test runs it: {_name(trial)}", flush=True)
    verdicts: list[Verdict] = []
    for verdict in run([trial for trial in trials if trial.tests], ROOT, workers):
        verdicts.append(verdict)
        if not verdict.noticed:
            print(f"survived {len(verdict.trial.tests)} tests: {_name(verdict.trial)}", flush=True)
        elif verdict.endless:
            print(f"did not end: {_name(verdict.trial)}", flush=True)
    void = failing({verdict.by for verdict in verdicts if verdict.by}, ROOT)
    for verdict in verdicts:
        if verdict.by in void:
            print(f"survived, for {verdict.by} fails without it: {_name(verdict.trial)}", flush=True)
    return len(untested) + sum(not verdict.noticed or verdict.by in void for verdict in verdicts)


def _name(trial: Trial) -> str:
    return f"{trial.mutant.path}:{trial.mutant.line} {trial.mutant.what}"


if __name__ == "__main__":
    sys.exit(main())
