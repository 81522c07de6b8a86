"""Finding the fewest things that have to happen for a world to go wrong in the same way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tests.simulation.report import Report
from tests.simulation.runner import play
from tests.simulation.script import Item, Order, script


def kind(report: Report) -> str:
    """Return what was wrong without what differs from world to world; empty when nothing was."""
    if not report.faults:
        return ""
    lines = report.faults[0].strip().splitlines()
    return re.sub(r"[0-9a-f-]{8,}|\d+|\b(?:Ana|Max|Mia|Otto|Sam)\b", "#", f"{lines[0]} {lines[-1]}")


def shrunk(order: Order) -> tuple[Order, Sequence[Item]]:
    """Return the order of a world that goes wrong without as many items as possible, and the items that are left."""
    [report] = play([order])
    wanted = kind(report)
    if not wanted:
        return order, script(order)
    left = True
    while left:
        left = False
        for item in script(order):
            less = replace(order, without=(*order.without, item.number))
            [report] = play([less])
            if kind(report) == wanted:
                order, left = less, True
    return order, script(order)
