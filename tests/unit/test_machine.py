"""What the machine tells, and nothing else of Linesman asks it for."""

from __future__ import annotations

import time

import pytest

from bot import machine


def test_steady_seconds_go_on_while_the_machine_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sleeps for longer than its claims last must not take them for its own afterwards."""
    awake, since_boot = 10.0, 70.0
    monkeypatch.setattr(time, "monotonic", lambda: awake)
    clocks = {time.CLOCK_MONOTONIC: awake, time.CLOCK_BOOTTIME: since_boot}
    monkeypatch.setattr(time, "clock_gettime", clocks.__getitem__)

    assert machine.steady() == since_boot
