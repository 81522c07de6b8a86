"""How a world went, in one line and in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulation.census import Counted


@dataclass(kw_only=True)
class Report:
    """How a world went."""

    seed: int
    steps: int
    hash: str
    #: Virtual seconds, and seconds of CPU.
    seconds: float
    cpu: float
    #: What became of the changes, and how many lives the process had.
    became: Mapping[str, int] = field(default_factory=dict)
    #: What was done in it, and what had its effect.
    census: Counted = field(default_factory=dict)
    #: What was wrong; empty when nothing was.
    faults: list[str] = field(default_factory=list)
    latest: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = "; ".join(self.faults) or "right"
        took = f"{self.seconds:.0f} s in {self.cpu:.1f} s of CPU"
        became = ", ".join(f"{count} {what}" for what, count in sorted(self.became.items()))
        return f"seed {self.seed}: {self.steps} steps, trace {self.hash}, {took}, {became}: {verdict}"
