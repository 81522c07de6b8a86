"""The table and the file of a benchmark."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.measure import Run

_HEADS = ("", "numbers", "seconds", "calls", "429", "CPU s", "MiB", "changed", "told wrong", "doubled", "stand-in")


def table(runs: Sequence[Run]) -> str:
    """Return the runs as a table in Markdown, with a line for the phases of each that has them."""
    rows = [
        (
            run.who,
            f"{run.terms.numbers:,}",
            f"{run.seconds:.1f}",
            f"{sum(run.seen.calls.values()):,}",
            str(run.seen.refused),
            f"{run.cpu:.1f}",
            f"{run.memory:.0f}",
            f"{run.seen.changed:,}",
            str(run.wrong),
            str(run.seen.doubled),
            f"{run.seen.cpu_share:.0%}",
        )
        for run in runs
    ]
    lines = ["| " + " | ".join(cells) + " |" for cells in (_HEADS, ["---"] * len(_HEADS), *rows)]
    lines += ["", *(_phases(run) for run in runs if run.phases), *(_calls(run) for run in runs if run.phases)]
    return "\n".join(lines)


def _phases(run: Run) -> str:
    told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in run.phases.items())
    return f"{run.who}, {run.terms.numbers:,}: {told} (seconds; from “first job” on since the approval)"


def _calls(run: Run) -> str:
    """Return the calls by endpoint beside the least: a check of ownership, a job and a poll per 1,000 numbers."""
    least = -(-run.terms.numbers // 1000)
    told = ", ".join(f"{call} {count:,}" for call, count in sorted(run.seen.calls.items()))
    return f"{run.who}, {run.terms.numbers:,}: {told}; {least:,} jobs are the least, and as many polls"


def save(runs: Sequence[Run], path: Path) -> None:
    """Write everything that was measured, with the date and the machine, as JSON."""
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()},
        "runs": [asdict(run) | {"wrong": run.wrong} for run in runs],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
