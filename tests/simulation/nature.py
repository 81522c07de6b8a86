"""Time and chance, of the libraries as well: what the operating system would tell comes from the seed."""

from __future__ import annotations

import os
import random
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from slack_sdk import signature

from bot import machine
from tests.simulation.lives import LIFE
from tests.simulation.loop import SimulatedLoop

#: When every world begins: a Monday.
BEGINNING: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
#: Seconds between two looks of the bot's loops at the clock, and for work that nobody rang for.
LOOK: Final = 60.0


class Nature:
    """Time and chance of one world. It is the only one of its process, which it changes for good."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.loop = SimulatedLoop(random.Random(self.random.random()))
        #: By how many seconds the clock of the bot's machine is ahead of the true time.
        self.ahead = 0.0
        self._names = random.Random(self.random.random())

    def now(self) -> datetime:
        """Return the true time."""
        return BEGINNING + timedelta(seconds=self.loop.time())

    def _wall(self) -> float:
        """Return the time that whoever asks is told, in seconds since 1970."""
        here = self.ahead if LIFE.get() is not None else 0.0
        return BEGINNING.timestamp() + self.loop.time() + here

    def machine(self) -> machine.Machine:
        """Return the bot's machine."""
        return machine.Machine(
            clock=lambda: datetime.fromtimestamp(BEGINNING.timestamp() + self.loop.time() + self.ahead, UTC),
            steady=self.loop.time,
            chance=self._names.random,
            unique=lambda: self._names.randbytes(16).hex(),
        )

    def rule(self) -> None:
        """Let every library go by this time and this chance, and the bot by nothing but what it is handed."""
        for name in ("monotonic", "perf_counter"):
            setattr(time, name, self.loop.time)
        time.time = self._wall
        time.time_ns = lambda: int(self._wall() * 1e9)
        time.monotonic_ns = time.perf_counter_ns = lambda: int(self.loop.time() * 1e9)
        vars(signature)["time"] = self._wall  # it was imported by name
        os.urandom = self._names.randbytes
        vars(random)["_urandom"] = self._names.randbytes
        ssl.SSLContext.load_verify_locations = lambda *_, **__: None  # type: ignore[method-assign]  # nobody speaks TLS here
        random.seed(self._names.random())
        for name in ("random", "time", "uuid"):
            setattr(machine, name, _Nobody())


class _Nobody:
    """What the bot would ask if some part of it had not been handed the machine."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"a part of the bot asks the machine for {name} itself")
