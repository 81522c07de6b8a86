"""``python -m tests.simulation``: play worlds from seeds, and tell how they went."""

from __future__ import annotations

import argparse
import itertools
import sys
import warnings
from collections.abc import Iterable, Iterator

from tests.simulation.census import Counted, summed
from tests.simulation.report import Report
from tests.simulation.runner import cores, play
from tests.simulation.script import FEWEST, MOST, Order, script
from tests.simulation.shrink import shrunk


def main() -> int:
    """Play what the command line asks for; 1 when a world went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this world, and tell what is wrong with it")
    parser.add_argument("--seeds", help="play these worlds: 1-200,317, or 1- for as long as --for says")
    parser.add_argument("--minutes", type=float, default=30.0, help="for how long things happen in a world")
    parser.add_argument("--changes", type=int, default=MOST, help="most changes that people want in a world")
    parser.add_argument("--for", type=float, dest="how_long", help="begin no more worlds after so many minutes")
    parser.add_argument("--jobs", type=int, default=cores(), help="worlds at a time")
    parser.add_argument("--without", default="", help="leave out these items of the script: 3,5,8")
    parser.add_argument("--trace", default="", help="write every step into this file")
    parser.add_argument(
        "--shrink", action="store_true", help="look for the fewest items with which each wrong world goes wrong"
    )
    parser.add_argument("--first", action="store_true", help="play no more once one went wrong")
    parser.add_argument(
        "--census", action="store_true", help="tell how often what people do was drawn, and had its effect"
    )
    given = parser.parse_args()
    warnings.simplefilter("ignore", ResourceWarning)  # the dead close nothing
    if given.changes < FEWEST:
        parser.error(f"a world has at least {FEWEST} changes")
    if given.seed is not None:
        without = tuple(int(each) for each in given.without.split(",") if each)
        return _one(Order(given.seed, given.minutes, given.changes, without, given.trace), shrink=given.shrink)
    if given.seeds is None:
        parser.error("give --seed or --seeds")
    seconds = None if given.how_long is None else given.how_long * 60
    orders = (Order(seed, given.minutes, given.changes) for seed in _ranges(given.seeds))
    wrong = _many(play(orders, jobs=given.jobs, seconds=seconds), first=given.first, census=given.census)
    if given.shrink:
        for seed in wrong:
            _shrink(Order(seed, given.minutes, given.changes))
    return 1 if wrong else 0


def _ranges(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if dash and not last:
            yield from itertools.count(int(first))
        yield from range(int(first), int(last or first) + 1)


def _one(order: Order, *, shrink: bool) -> int:
    if shrink:
        order = _shrink(order)
    else:
        print(*script(order), sep="\n")
    [report] = play([order])
    print(report, *report.faults, sep="\n")
    if report.faults:
        print("the latest steps:", *report.latest[-60:], sep="\n")
    return 1 if report.faults else 0


def _shrink(order: Order) -> Order:
    """Print and return the order of the same world with as few items as it needs to go wrong."""
    order, items = shrunk(order)
    left_out = ",".join(map(str, order.without))
    print(f"--seed {order.seed} --minutes {order.minutes:g} --changes {order.changes} --without {left_out}")
    print(*items, sep="\n", flush=True)
    return order


def _many(reports: Iterable[Report], *, first: bool, census: bool) -> list[int]:
    """Tell how each world went, and return the seeds of those that went wrong."""
    played, wrong, seconds, cpu, counts = 0, list[int](), 0.0, 0.0, list[Counted]()
    for report in reports:
        print(report, flush=True)
        played += 1
        counts.append(report.census)
        seconds, cpu = seconds + report.seconds, cpu + report.cpu
        if report.faults:
            wrong.append(report.seed)
            if first:
                break
    speed = seconds / cpu if cpu else 0.0
    print(f"{played} worlds, {len(wrong)} of them wrong; {speed:.0f} s in each second of CPU")
    for name, (drawn, effects) in sorted(summed(counts).items()) if census else ():
        print(f"{name}: drawn {drawn} times, with {effects} effects")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
