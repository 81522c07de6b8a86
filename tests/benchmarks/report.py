"""The tables and the file of a benchmark."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise
from math import ceil
from pathlib import Path
from textwrap import fill
from typing import Final

from tests.benchmarks.acks import PAUSE, PEOPLE, PLANNED, WATCHED, Acks
from tests.benchmarks.kinds import JOB, PAGE, Calls
from tests.benchmarks.looking import Looking
from tests.benchmarks.measure import Run, percentile
from tests.benchmarks.steps import Step

_INTRODUCTION: Final = """\
`python -m tests.benchmarks` has Linesman and scripts on Telnyx's own SDK change numbers at the same stand-in, one after
the other. It answers after 20 ms; a job takes it 2 s and 10 ms for each number, and it works on 20 at once, as Telnyx
does. Seconds count from the approval, or from the start of a script, to the last word. The scripts read all numbers
back, as Linesman does. Unlike Linesman, they do not look whether a number has changed since, search for a job whose
answer was lost, or continue after a crash."""

#: Jobs that the provider works on at once.
AT_ONCE: Final = 20


@dataclass(kw_only=True)
class Report:
    """What was measured in one run of the command."""

    runs: list[Run] = field(default_factory=list)
    kinds: list[Calls] = field(default_factory=list)
    acks: Acks | None = None
    looking: Looking | None = None

    def markdown(self) -> str:
        """Return the section of the operators' page."""
        parts = ["## How fast it is", _INTRODUCTION, f"Measured on {_today():%-d %B %Y} with {_machine()}."]
        plain = [run for run in self.runs if not run.terms.faults and not run.terms.limit]
        troubled = [run for run in self.runs if run.terms.faults or run.terms.limit]
        for runs, columns in ((plain, _PLAIN), (troubled, _TROUBLED)):
            if runs:
                parts.append(_table(list(columns), [[tell(run) for tell in columns.values()] for run in runs]))
        parts += filter(None, [_figures(self)])
        return "\n\n".join(parts)

    def details(self) -> str:
        """Return what else was measured, for whoever works on it."""
        ours = [run for run in self.runs if run.phases]
        kinds = [
            f"{each.command} by {each.way}, {each.numbers:,}: {_beside(each.made, each.least)}" for each in self.kinds
        ]
        return "\n".join([*map(_phases, ours), *map(_calls, ours), *kinds, *_slopes(ours)])

    def save(self, path: Path) -> None:
        """Write everything that was measured, with the date and the machine, as JSON."""
        document = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()},
            "runs": [asdict(run) | {"wrong": run.wrong} for run in self.runs],
            "kinds": [asdict(each) | {"least": dict(each.least)} for each in self.kinds],
            "acks": asdict(self.acks) if self.acks else None,
            "looking": asdict(self.looking) if self.looking else None,
        }
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def least(run: Run) -> dict[str, int]:
    """Return call -> how often it is needed: the numbers read, checked, put into jobs, and the jobs polled.

    All are read before anything is sent and after their jobs, and those of a job that had to wait for a slot just
    before it as well.
    """
    count = run.terms.numbers
    jobs = ceil(count / JOB)
    late = max(count - AT_ONCE * JOB, 0)
    return {
        "GET /phone_numbers": 2 * ceil(count / PAGE) + ceil(late / PAGE),
        "GET /phone_numbers/jobs/{id}": jobs,
        "POST /phone_numbers/actions/verify_ownership": jobs + ceil(late / JOB),
        "POST /phone_numbers/jobs/update_phone_numbers": jobs,
    }


def _jobs_alone(run: Run) -> float:
    """Return the seconds that the provider's jobs take when there are always as many as there may be."""
    terms = run.terms
    rounds = ceil(ceil(terms.numbers / JOB) / AT_ONCE)
    return rounds * (terms.job_seconds + terms.number_seconds * min(terms.numbers, JOB))


def _trouble(run: Run) -> str:
    told = [f"{run.terms.faults:.0%} of the calls go wrong"] if run.terms.faults else []
    told += [f"{run.terms.limit} calls in 5 s at most"] if run.terms.limit else []
    return ", ".join(told)


_PLAIN: Final = {
    "numbers": lambda run: f"{run.terms.numbers:,}",
    "by": lambda run: "**Linesman**" if run.who == "linesman" else run.who,
    "seconds": lambda run: f"{run.seconds:.1f}",
    "of which the provider's jobs": lambda run: f"{_jobs_alone(run):.1f}" if run.who in _IN_JOBS else "",
    "calls": lambda run: f"{run.calls:,}",
    "CPU (s)": lambda run: f"{run.cpu:.1f}",
    "memory (MiB)": lambda run: f"{run.memory:.0f}",
}
_TROUBLED: Final = {
    "numbers": lambda run: f"{run.terms.numbers:,}",
    "by": lambda run: "**Linesman**" if run.who == "linesman" else run.who,
    "trouble": _trouble,
    "seconds": lambda run: f"{run.seconds:.1f}",
    "changed": lambda run: f"{run.seen.changed:,}",
    "sent twice": lambda run: f"{run.seen.doubled:,}",
    "told wrongly": lambda run: f"{run.wrong:,}",
}
_IN_JOBS: Final = frozenset({"linesman", "20 jobs at once"})


def _figures(report: Report) -> str:
    """Return, as a list, what people notice."""
    lines = []
    if report.kinds:
        most = max(report.kinds, key=lambda each: each.ratio)
        kinds = ", ".join(
            _code(f"/numbers {command}") for command in dict.fromkeys(each.command for each in report.kinds)
        )
        sizes = " and ".join(f"{size:,}" for size in dict.fromkeys(each.numbers for each in report.kinds))
        lines.append(
            f"- **Calls to the provider** from the form to the results: {kinds}, each of {sizes} numbers, by a list "
            f"and by a filter, make at most {most.ratio:.2f} for each one that is needed."
        )
    if report.acks:
        acks = report.acks
        lines.append(
            f"- **Clicks**: {PEOPLE} people click, each every {PAUSE:.0f} s, while {WATCHED} jobs are watched, "
            f"{PLANNED:,} numbers are planned and approval of them is requested. Half of the clicks are acknowledged "
            f"within {_ms(acks.during, 0.5)}, "
            f"99 % within {_ms(acks.during, 0.99)}, all within {_ms(acks.during, 1)}; before the plan was begun it "
            f"was {_ms(acks.before, 0.5)}, {_ms(acks.before, 0.99)} and {_ms(acks.before, 1)}. *Request approval* "
            f"took {acks.request:.0f} ms."
        )
    if report.looking:
        seen = report.looking
        told = ", ".join(f"{_code(what)} after {median:.0f} ms" for what, (median, _) in seen.shown.items())
        lines.append(
            f"- **With {seen.operations:,} numbers changed before**: ready {seen.start[0]:.1f} s after the start. "
            f"People see {told} (median)."
        )
    return "\n".join(fill(line, 120, subsequent_indent="  ", break_on_hyphens=False) for line in lines)


def _code(what: str) -> str:
    return f"`{what}`" if what.startswith("/") else what


def _ms(taken: Sequence[float], share: float) -> str:
    return f"{percentile(taken, share):.0f} ms"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *rows))


def _phases(run: Run) -> str:
    told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in run.phases.items())
    return (
        f"{run.who}, {run.terms.numbers:,}: {told} (seconds; from “first job” on since the approval); CPU of the plan "
        f"{run.plan_cpu:.1f} s, of all after the approval {run.cpu:.1f} s; {_held(run.held)}; the stand-in took "
        f"{run.seen.cpu_share:.0%} of a core"
    )


def _held(step: Step | None) -> str:
    if step is None:
        return "no step held the others up"
    return (
        f"one step held the others up for {step.took * 1000:.0f} ms, of which it computed {step.computed * 1000:.0f} "
        f"({step.what})"
    )


def _calls(run: Run) -> str:
    """Return the calls by endpoint beside the least."""
    return f"{run.who}, {run.terms.numbers:,}: {_beside(run.seen.calls, least(run))}"


def _beside(made: Mapping[str, int], needed: Mapping[str, int]) -> str:
    return ", ".join(f"{call} {count:,} (least {needed.get(call, 0):,})" for call, count in sorted(made.items()))


def _slopes(runs: Sequence[Run]) -> Iterator[str]:
    """Yield how time and work grow from one size to the next."""
    plain = sorted((run for run in runs if not run.terms.faults and not run.terms.limit), key=lambda r: r.terms.numbers)
    for one, other in pairwise(plain):
        few, many = one.terms.numbers, other.terms.numbers
        yield (
            f"from {few:,} to {many:,} numbers (x {many / few:.0f}): seconds x {other.seconds / one.seconds:.1f}, "
            f"CPU x {other.cpu / one.cpu:.1f}, calls x {other.calls / one.calls:.1f}, "
            f"memory x {other.memory / one.memory:.1f}"
        )


def _today() -> date:
    return datetime.now(UTC).date()


def _machine() -> str:
    return f"Python {platform.python_version()} on {os.cpu_count()} cores ({platform.system()}, {platform.machine()})"
