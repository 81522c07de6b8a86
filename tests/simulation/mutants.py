"""``python -m tests.simulation.mutants``: does the judge notice? Promises are broken in copies, and worlds are played.

The list is in step with the code by a test of the suite; playing it takes long, so it is done on demand.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.broken import ROOT, Broken
from tests.simulation.promises import MUTANTS

#: What a world took that could not be played to its end: nobody has judged it.
BROKEN: Final = ": 0 steps, "


def noticed(broken: Broken, seeds: str, world: Sequence[str]) -> str:
    """Return how many worlds it took to notice, and what was said; empty when nothing was, or a world itself broke."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "bot", copy / "bot", ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "tests").symlink_to(ROOT / "tests")
        (copy / broken.path).write_text(broken.source(), encoding="utf-8")
        command = [sys.executable, "-m", "tests.simulation", "--seeds", seeds, "--first"]
        command += world
        env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        played = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    worlds = [line for line in played.stdout.splitlines() if line.startswith("seed ")]
    wrong = [line for line in worlds if not line.endswith(": right")]
    if not wrong or BROKEN in wrong[0]:
        return ""
    return f"after {len(worlds)} worlds: {re.sub(r'^.*? CPU, ', '', wrong[0])[:300]}"


def main() -> int:
    """Play each; 1 when one of them was not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--seeds", default="1-500", help="in these worlds at the most")
    parser.add_argument("--minutes", type=float, default=4.0, help="for how long things happen in a world")
    parser.add_argument("--changes", type=int, default=3, help="most changes that people want in a world")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worlds at a time")
    parser.add_argument("--only", default="", help="those whose promise has this in it")
    given = parser.parse_args()
    world = ["--minutes", str(given.minutes), "--changes", str(given.changes), "--jobs", str(given.jobs)]
    missed = 0
    for broken in MUTANTS:
        if given.only in broken.promise:
            told = noticed(broken, given.seeds, world)
            missed += not told
            print(f"{broken.promise}: {told or 'NOT NOTICED'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
