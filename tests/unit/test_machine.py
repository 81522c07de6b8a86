"""What the machine tells, and nothing else of Linesman asks it for."""

from __future__ import annotations

import ast
import time
from pathlib import Path
from typing import Final

import pytest

from bot import machine

BOT: Final = Path(machine.__file__).parent


def test_steady_seconds_go_on_while_the_machine_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sleeps for longer than its claims last must not take them for its own afterwards."""
    awake, since_boot = 10.0, 70.0
    monkeypatch.setattr(time, "monotonic", lambda: awake)
    clocks = {time.CLOCK_MONOTONIC: awake, time.CLOCK_BOOTTIME: since_boot}
    monkeypatch.setattr(time, "clock_gettime", clocks.__getitem__)

    assert machine.steady() == since_boot


def test_nobody_else_asks_what_time_it_is_or_for_chance() -> None:
    """Imports of clocks are forbidden by contract; this finds the ways to them that need no import of their own.

    A migration runs once, before anything is due; the stand-ins are not the product.
    """
    asked = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("os", "urandom")}
    found = [
        f"{path.relative_to(BOT)}:{node.lineno}"
        for path in sorted(BOT.rglob("*.py"))
        if path.parts[len(BOT.parts)] != "sandbox" and path.parent.name != "versions"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in asked
    ]

    assert found == []
