"""Measure Linesman and what people do without it, on the same stand-in, in one run.

Run it from the root: ``python -m tests.benchmarks``. The peers need the official SDK: extra ``benchmarks``. Timings
depend on the machine and on what else it does; ratios of one run less so.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.benchmarks import linesman
from tests.benchmarks.carrier import Carrier, Terms
from tests.benchmarks.measure import Run
from tests.benchmarks.peers import run as peers
from tests.benchmarks.report import save, table

SIZES: Final = (1_000, 20_000, 100_000)
#: Who is measured at how many numbers at most: one PATCH takes its time.
PEERS: Final = {
    "one PATCH after the other": 1_000,
    "10 PATCHes at once": 1_000,
    "job after job": 2_000,
    "20 jobs at once": 100_000,
}


def cases(sizes: list[int], wanted: list[str], terms: Terms) -> Iterator[tuple[str, Terms]]:
    """Return who is measured on which terms."""
    for size in sizes:
        for who in wanted:
            if size <= PEERS.get(who, size):
                yield who, Terms(numbers=size, latency=terms.latency, limit=terms.limit, faults=terms.faults)


async def measure(who: str, terms: Terms) -> Run:
    """Return what one run took."""
    async with Carrier(terms) as carrier:
        return await (linesman.carry(carrier) if who == "linesman" else peers.carry(carrier, who))


def main() -> None:
    """Measure what was asked for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of a change")
    parser.add_argument("--who", nargs="+", choices=["linesman", *PEERS], help="who is measured; all by default")
    parser.add_argument("--latency", type=float, default=0.02, help="seconds that an answer takes")
    parser.add_argument("--limit", type=int, default=0, help="calls in five seconds that the carrier allows")
    parser.add_argument("--faults", type=float, default=0.0, help="share of the calls that go wrong, such as 0.01")
    parser.add_argument("--json", type=Path, help="where everything that was measured is written")
    given = parser.parse_args()
    wanted = given.who or ["linesman", *PEERS]
    if find_spec("telnyx") is None and wanted != ["linesman"]:
        parser.error("the peers need the official SDK: pip install '.[benchmarks]'; or measure --who linesman")
    terms = Terms(numbers=0, latency=given.latency, limit=given.limit, faults=given.faults)
    runs = []
    for who, case in cases(given.sizes, wanted, terms):
        runs.append(asyncio.run(measure(who, case)))
        print(f"{who}, {case.numbers:,}: {runs[-1].seconds:.1f} s", flush=True)  # noqa: T201 - what a benchmark is for
    print("\n" + table(runs))  # noqa: T201 - as above
    if given.json:
        save(runs, given.json)


if __name__ == "__main__":
    main()
