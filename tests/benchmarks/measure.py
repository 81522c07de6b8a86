"""What is measured of one run, and how a process is asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.carrier import Seen, Terms
from tests.benchmarks.steps import Step


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of Linesman or of a peer. Seconds, MiB."""

    who: str
    terms: Terms
    #: From the approval, or the start of a script, to its last word.
    seconds: float
    cpu: float
    memory: float
    seen: Seen
    #: What it said itself of the numbers: how many it takes for changed, None where it says nothing.
    claimed: int | None
    #: Phase -> seconds since the approval at which it was over; only Linesman has these.
    phases: dict[str, float] = field(default_factory=dict)
    #: Seconds of CPU that the plan took, and the step of the loop that held everything else up for longest.
    plan_cpu: float = 0.0
    held: Step | None = None

    @property
    def calls(self) -> int:
        """Calls to the carrier."""
        return sum(self.seen.calls.values())

    @property
    def wrong(self) -> int:
        """Numbers of which it says something else than is true."""
        return 0 if self.claimed is None else abs(self.claimed - self.seen.changed)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of ``values`` lie."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100  # in ticks, of which Linux has 100 a second


def memory_of(pid: int | str = "self") -> float:
    """Return the most memory that a process had at once, in MiB (``VmHWM``, which Linux keeps)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
