"""Measure Linesman and what people do without it, on the same stand-in, in one run.

Run it from the root: ``python -m tests.benchmarks``. The peers need the official SDK: extra ``benchmarks``. Timings
depend on the machine and on what else it does; ratios of one run less so.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.benchmarks import acks, kinds, linesman, looking
from tests.benchmarks.carrier import Carrier, Terms
from tests.benchmarks.measure import Run
from tests.benchmarks.peers import run as peers
from tests.benchmarks.report import Report

SIZES: Final = (1_000, 10_000, 20_000, 100_000)
#: Who is measured at how many numbers at most: one PATCH takes its time.
PEERS: Final = {
    "one PATCH after the other": 1_000,
    "10 PATCHes at once": 1_000,
    "job after job": 2_000,
    "20 jobs at once": 100_000,
}
#: What else everybody is measured with, at the smallest size: calls that go wrong, and calls in five seconds at most.
TROUBLES: Final = ((0.01, 0), (0.0, 100))
PARTS: Final = ("carry", "trouble", "kinds", "acks", "looking")


def cases(sizes: list[int], wanted: list[str], terms: Terms) -> Iterator[tuple[str, Terms]]:
    """Return who is measured on which terms."""
    for size in sizes:
        for who in wanted:
            if size <= PEERS.get(who, size):
                yield who, replace(terms, numbers=size)


async def measure(who: str, terms: Terms) -> Run:
    """Return what one run took."""
    async with Carrier(terms) as carrier:
        return await (linesman.carry(carrier) if who == "linesman" else peers.carry(carrier, who))


def main() -> None:
    """Measure what was asked for and print it."""
    given, wanted = _asked()
    terms = Terms(numbers=0, latency=given.latency, limit=given.limit, faults=given.faults)
    todo = [*cases(given.sizes, wanted, terms)] if "carry" in given.parts else []
    if "trouble" in given.parts:
        for faults, limit in TROUBLES:
            todo += cases([min(given.sizes)], wanted, replace(terms, faults=faults, limit=limit))
    report = Report()
    for who, case in todo:
        report.runs.append(asyncio.run(measure(who, case)))
        _say(f"{who}, {case.numbers:,}: {report.runs[-1].seconds:.1f} s")
    if "kinds" in given.parts:
        report.kinds = asyncio.run(kinds.measure())
        _say("calls of every kind counted")
    if "acks" in given.parts:
        report.acks = asyncio.run(acks.measure())
        _say("clicks measured")
    if "looking" in given.parts:
        report.looking = asyncio.run(looking.measure())
        _say("starts and lists measured")
    _say("\n" + report.markdown() + "\n")
    _say(report.details())
    if given.json:
        report.save(given.json)
    if given.markdown:
        given.markdown.write_text(report.markdown() + "\n", encoding="utf-8")


def _asked() -> tuple[argparse.Namespace, list[str]]:
    """Return what was asked for, and who is measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of a change")
    parser.add_argument("--who", nargs="+", choices=["linesman", *PEERS], help="who is measured; all by default")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what is measured; all by default"
    )
    parser.add_argument("--latency", type=float, default=0.02, help="seconds that an answer takes")
    parser.add_argument("--limit", type=int, default=0, help="calls in five seconds that the carrier allows")
    parser.add_argument("--faults", type=float, default=0.0, help="share of the calls that go wrong, such as 0.01")
    parser.add_argument("--json", type=Path, help="where everything that was measured is written")
    parser.add_argument("--markdown", type=Path, help="where what .github/OPERATING.md shows is written")
    given = parser.parse_args()
    wanted = given.who or ["linesman", *PEERS]
    if find_spec("telnyx") is None and wanted != ["linesman"]:
        parser.error("the peers need the official SDK: pip install '.[benchmarks]'; or measure --who linesman")
    return given, wanted


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what a benchmark is for


if __name__ == "__main__":
    main()
